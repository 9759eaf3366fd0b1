package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzAnyPrefixRecoversToAPrefix builds a segment from lines of any content, in batches of any size, cuts
// it anywhere, and expects the whole batches before the cut: no more, no less.
func FuzzAnyPrefixRecoversToAPrefix(f *testing.F) {
	f.Add([]byte("a\nb\nc"), uint8(2), uint16(150))
	f.Add([]byte("{\"k\":1}\n#batch 1 records=1\nx\n\n\xff\x00"), uint8(1), uint16(400))
	f.Add(bytes.Repeat([]byte("#batch 1 records=1 bytes=1 chain=00 crc=00\nq\n"), 5), uint8(3), uint16(999))
	f.Fuzz(func(t *testing.T, content []byte, perBatch uint8, cut uint16) {
		data, ends, records := frameLines(content, 1+int(perBatch)%8)
		at := int(cut) % (len(data) + 1)
		want := 0
		for _, end := range ends {
			if end.offset <= at {
				want = end.records
			}
		}
		dir := filepath.Join(fastDir(t), "j")
		place(t, dir, data[:at])
		j, err := Open(dir, options())
		require.NoError(t, err)
		require.NoError(t, j.Append([]byte("next")))
		require.NoError(t, j.Close())
		var got [][]byte
		_, err = ReadAll(dir, func(p []byte) error { got = append(got, bytes.Clone(p)); return nil })
		require.NoError(t, err)
		require.Equal(t, append(records[:want:want], []byte("next")), got)
	})
}

type batchEnd struct{ offset, records int }

// frameLines makes a segment of all the lines that are records.
func frameLines(content []byte, perBatch int) (data []byte, ends []batchEnd, records [][]byte) {
	at := position{segment: 1, batch: 1, chain: firstChain("c1")}
	data = fileHeader{campaign: "c1", position: at}.segmentLine()
	var payload []byte
	n := 0
	flush := func() {
		if n == 0 {
			return
		}
		at.chain = at.chain.next(payload)
		h := batchHeader{number: at.batch, records: n, bytes: len(payload), chain: at.chain}
		data = append(appendBatchHeader(data, h, payload), payload...)
		at.batch++
		ends = append(ends, batchEnd{len(data), len(records)})
		payload, n = nil, 0
	}
	for line := range bytes.SplitSeq(content, []byte("\n")) {
		if checkPayload(line) != nil {
			continue
		}
		records = append(records, bytes.Clone(line))
		payload = append(append(payload, line...), '\n')
		if n++; n == perBatch {
			flush()
		}
	}
	flush()
	return data, ends, records
}

// FuzzAnyContent opens a segment of any content: it is refused and left alone, or recovered to something
// that a second opening finds unchanged.
func FuzzAnyContent(f *testing.F) {
	s := newSample(f, 2)
	f.Add(s.data)
	f.Add(s.data[:200])
	f.Add(append(bytes.Clone(s.data), s.data[s.starts[0]:]...))
	f.Add([]byte("#heisen-journal 2 crc=00000000\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := filepath.Join(fastDir(t), "j")
		place(t, dir, data)
		j, err := Open(dir, options())
		if err != nil {
			after, err := os.ReadFile(rawPath(dir, 1))
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, after))
			return
		}
		require.NoError(t, j.Close())
		first := readAll(t, dir)
		j, err = Open(dir, options())
		require.NoError(t, err)
		require.NoError(t, j.Close())
		require.Zero(t, j.Recovered())
		require.Equal(t, first, readAll(t, dir))
	})
}
