package sched

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// bytesOf writes a record as the kernel does.
func bytesOf(w wire) []byte {
	put32 := binary.NativeEndian.AppendUint32
	put64 := binary.NativeEndian.AppendUint64
	var body []byte
	switch w.kind {
	case typeFork, typeExit:
		for _, n := range []int32{w.pid, w.ppid, w.tid, w.ptid} {
			body = put32(body, uint32(n))
		}
		body = put64(body, uint64(w.at))
	case typeComm:
		body = put32(put32(body, uint32(w.pid)), uint32(w.tid))
		body = append(append(body, w.name...), make([]byte, 8-len(w.name)%8)...)
	case typeLost:
		body = put64(put64(body, 99), w.lost)
	case typeSwitchC:
		body = put32(put32(body, 1), 1)
	}
	b := put32(nil, w.kind)
	b = binary.NativeEndian.AppendUint16(b, w.misc)
	b = binary.NativeEndian.AppendUint16(b, uint16(headerSize+len(body)+sampleSize))
	b = append(b, body...)
	return put64(put32(put32(b, uint32(w.pid)), uint32(w.tid)), uint64(w.at))
}

func someWire() *rapid.Generator[wire] {
	return rapid.Custom(func(t *rapid.T) wire {
		w := wire{
			kind: rapid.SampledFrom([]uint32{typeFork, typeExit, typeComm, typeLost, typeSwitch, typeSwitchC}).Draw(t, "kind"),
			misc: rapid.SampledFrom([]uint16{0, miscSwitchOut, miscSwitchOut | miscPreempt}).Draw(t, "misc"),
			at:   rapid.Int64Range(1, 1<<40).Draw(t, "at"),
			pid:  rapid.Int32Range(1, 9).Draw(t, "pid"),
			tid:  rapid.Int32Range(1, 9).Draw(t, "tid"),
		}
		switch w.kind {
		case typeFork, typeExit:
			w.ppid, w.ptid = rapid.Int32Range(1, 9).Draw(t, "ppid"), rapid.Int32Range(1, 9).Draw(t, "ptid")
		case typeComm:
			w.name = rapid.StringMatching(`[a-z]{0,15}`).Draw(t, "name")
		case typeLost:
			w.lost = rapid.Uint64Range(1, 1000).Draw(t, "lost")
		}
		return w
	})
}

func TestDecodeGivesBackWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := someWire().Draw(t, "record")
		b := bytesOf(w)
		got, n, err := decode(append(b, 1, 2, 3))
		require.NoError(t, err)
		require.Equal(t, len(b), n)
		require.Equal(t, w, got)
	})
}

func TestDecodePinnedBytes(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the bytes are of a little-endian machine")
	}
	// A preempted thread, byte by byte as the kernel's header lays it out.
	raw := []byte{14, 0, 0, 0, 0x00, 0x60, 24, 0, 0x6c, 0x2a, 0, 0, 0x6e, 0x2a, 0, 0, 0x15, 0xcd, 0x5b, 0x07, 0, 0, 0, 0}
	w, n, err := decode(raw)
	require.NoError(t, err)
	require.Equal(t, 24, n)
	require.Equal(t, wire{kind: typeSwitch, misc: miscSwitchOut | miscPreempt, pid: 10860, tid: 10862, at: 123456789}, w)
}

func TestDecodeRefusesWhatIsNoRecord(t *testing.T) {
	fork := bytesOf(wire{kind: typeFork, pid: 1, tid: 2})
	resized := func(b []byte, size uint16) []byte {
		c := append([]byte{}, b...)
		binary.NativeEndian.PutUint16(c[6:], size)
		return c
	}
	for name, b := range map[string][]byte{
		"empty":                   {},
		"half a header":           fork[:7],
		"cut short":               fork[:len(fork)-8],
		"size zero":               resized(fork, 0),
		"size of a header":        resized(fork, headerSize),
		"odd size":                resized(fork, 31),
		"longer than there is":    resized(fork, 4096),
		"fork too short for one":  resized(fork, headerSize+sampleSize+8),
		"comm without a task":     resized(bytesOf(wire{kind: typeComm}), headerSize+sampleSize),
		"lost without its number": resized(bytesOf(wire{kind: typeLost}), headerSize+sampleSize+8),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := decode(b)
			require.ErrorIs(t, err, errMalformed)
		})
	}
}

func TestDecodeStepsOverUnknownTypes(t *testing.T) {
	b := bytesOf(wire{kind: 77, pid: 1, tid: 1, at: 5})
	w, n, err := decode(b)
	require.NoError(t, err)
	require.Equal(t, len(b), n)
	require.Equal(t, uint32(77), w.kind)
}

func TestUnrollReadsAcrossTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := 1 << rapid.IntRange(0, 6).Draw(t, "log size")
		ring := rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "ring")
		tail := rapid.Uint64().Draw(t, "tail")
		n := rapid.IntRange(0, size).Draw(t, "n")
		want := []byte("before")
		for i := range n {
			want = append(want, ring[(tail+uint64(i))%uint64(size)])
		}
		got, ok := unroll([]byte("before"), ring, tail, tail+uint64(n))
		require.True(t, ok)
		require.Equal(t, want, got)
		_, ok = unroll(nil, ring, tail, tail+uint64(size)+1)
		require.False(t, ok)
	})
}
