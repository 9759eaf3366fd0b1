package sched

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Record types and flags of include/uapi/linux/perf_event.h, written here so that recorded bytes can be
// read on any system.
const (
	typeLost    = 2
	typeComm    = 3
	typeExit    = 4
	typeFork    = 7
	typeSwitch  = 14
	typeSwitchC = 15 // PERF_RECORD_SWITCH_CPU_WIDE

	miscCommExec  = 1 << 13
	miscSwitchOut = 1 << 13
	miscPreempt   = 1 << 14
)

// Sizes of the parts of a record, in bytes.
const (
	headerSize = 8  // type u32, misc u16, size u16
	taskSize   = 24 // pid, ppid, tid, ptid u32, time u64
	// sampleSize is what sample_id_all appends with PERF_SAMPLE_TID and PERF_SAMPLE_TIME: pid, tid u32,
	// time u64. The CPU is not asked for: the ring says it, and a switch is 24 bytes so.
	sampleSize = 16
)

var errMalformed = errors.New("not a perf record")

// wire is one record of a ring.
type wire struct {
	kind uint32
	misc uint16
	at   int64
	// pid and tid tell whom the record is about: the new thread of a fork, the renamed one of a comm.
	pid, tid   int32
	ppid, ptid int32 // of fork and exit
	lost       uint64
	name       string
}

// decode reads the first record of buf and says how long it is. Unknown types come back with their kind
// and nothing else. A record that cannot be one gives errMalformed, and then the rest of buf is worthless
// too: there is no way to find the next record.
func decode(buf []byte) (wire, int, error) {
	if len(buf) < headerSize {
		return wire{}, 0, errMalformed
	}
	w := wire{kind: binary.NativeEndian.Uint32(buf), misc: binary.NativeEndian.Uint16(buf[4:])}
	size := int(binary.NativeEndian.Uint16(buf[6:]))
	if size < headerSize+sampleSize || size%8 != 0 || size > len(buf) {
		return wire{}, 0, errMalformed
	}
	body := buf[headerSize : size-sampleSize]
	w.sample(buf[size-sampleSize : size])
	if !w.fields(body) {
		return wire{}, 0, errMalformed
	}
	return w, size, nil
}

func (w *wire) sample(b []byte) {
	w.pid, w.tid = number(b), number(b[4:])
	w.at = int64(binary.NativeEndian.Uint64(b[8:]))
}

// fields reads what a type has of its own and tells whether it was all there.
func (w *wire) fields(b []byte) bool {
	switch w.kind {
	case typeFork, typeExit:
		if len(b) < taskSize {
			return false
		}
		w.pid, w.ppid, w.tid, w.ptid = number(b), number(b[4:]), number(b[8:]), number(b[12:])
	case typeComm:
		if len(b) < 8 {
			return false
		}
		w.pid, w.tid = number(b), number(b[4:])
		name, _, _ := bytes.Cut(b[8:], []byte{0})
		w.name = string(name)
	case typeLost:
		if len(b) < 16 {
			return false
		}
		w.lost = binary.NativeEndian.Uint64(b[8:])
	}
	return true
}

func number(b []byte) int32 { return int32(binary.NativeEndian.Uint32(b)) }

// unroll appends to dst what lies between the free-running positions tail and head of a ring whose size
// is a power of two. It tells whether that was possible: the writer never runs over the reader, so a
// greater distance than the ring's size is no state of a ring.
func unroll(dst, ring []byte, tail, head uint64) ([]byte, bool) {
	n, size := head-tail, uint64(len(ring))
	if n > size {
		return dst, false
	}
	from := tail & (size - 1)
	first := min(n, size-from)
	dst = append(dst, ring[from:from+first]...)
	return append(dst, ring[:n-first]...), true
}
