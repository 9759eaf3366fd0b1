package journal

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"heisen/stress/durable"
)

// smallSegments seals after every few records.
func smallSegments() Options {
	opts := options()
	opts.SegmentBytes = 500
	return opts
}

// sealedJournal is a closed journal of n records in many segments, all but the last of them sealed.
func sealedJournal(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(fastDir(t), "j")
	j := open(t, dir, smallSegments())
	appendRecords(t, j, 0, n)
	require.NoError(t, j.Close())
	return dir
}

func TestSealing(t *testing.T) {
	dir := sealedJournal(t, 100)
	l, err := list(dir)
	require.NoError(t, err)
	require.Len(t, l.raw, 1, "only the segment that is written stays raw")
	require.Len(t, l.sealed, l.raw[0]-1)
	require.Equal(t, []int{l.raw[0] - 1}, l.snapshots, "only the newest snapshot is kept")
	require.Greater(t, len(l.sealed), 10)
	check(t, dir, 100)

	sum, err := Read(dir, func([]byte) error { return nil }, func([]byte) error { return nil })
	require.NoError(t, err)
	require.Equal(t, "c1", sum.Campaign)
	require.EqualValues(t, 100, sum.Batches)
	require.Less(t, sum.Records, int64(10), "the snapshot stands for what is sealed")
}

func TestSealedSegmentIsWhatWasWritten(t *testing.T) {
	dir := sealedJournal(t, 10)
	f, err := os.Open(sealedPath(dir, 1))
	require.NoError(t, err)
	defer f.Close()
	dec, err := zstd.NewReader(f)
	require.NoError(t, err)
	defer dec.Close()
	s := newScanner(dec)
	h, err := s.header("c1", position{segment: 1})
	require.NoError(t, err)
	require.Equal(t, "c1", h.campaign)
	_, payload, err := s.next()
	require.NoError(t, err)
	require.Equal(t, record(0)+"\n", string(payload))
}

// failOnce returns an error at one failpoint, the nth time it is met.
func failOnce(point string, nth int, err error) durable.Failpoints {
	return func(name string) error {
		if name == point {
			if nth--; nth == 0 {
				return err
			}
		}
		return nil
	}
}

// Sealing is idempotent: it may stop at any of its steps, and the appends go on.
func TestSealingThatStopsAnywhereIsDoneAgain(t *testing.T) {
	for _, point := range Points() {
		if !isSealPoint(point) {
			continue
		}
		t.Run(point, func(t *testing.T) {
			dir := filepath.Join(fastDir(t), "j")
			opts := smallSegments()
			opts.Failpoints = func(name string) error {
				if name == point {
					return syscall.ENOSPC
				}
				return nil
			}
			j := open(t, dir, opts)
			appendRecords(t, j, 0, 40)
			require.ErrorIs(t, j.Close(), syscall.ENOSPC, "a segment that could not be sealed is reported")
			check(t, dir, 40)

			j = open(t, dir, smallSegments())
			appendRecords(t, j, 40, 41)
			require.NoError(t, j.Close())
			check(t, dir, 41)
			l, err := list(dir)
			require.NoError(t, err)
			require.Len(t, l.raw, 1)
			require.Len(t, l.snapshots, 1)
		})
	}
}

func isSealPoint(point string) bool {
	matched, err := filepath.Match("journal.seal.*", point)
	return err == nil && matched
}

func TestLostOrDamagedSnapshotIsMadeAnew(t *testing.T) {
	damage := map[string]func(path string) error{
		"lost":      os.Remove,
		"empty":     func(path string) error { return os.Truncate(path, 0) },
		"cut short": func(path string) error { return os.Truncate(path, 100) },
		"flipped":   func(path string) error { return flip(path, -1) },
		"no header": func(path string) error { return os.WriteFile(path, make([]byte, 4096), 0o600) },
		"of another segment": func(path string) error {
			h := fileHeader{campaign: "c1", position: position{segment: 1, batch: 2}}
			return writeSnapshot(path, h, nil, nil)
		},
		"of a fold no longer known": func(path string) error {
			s, err := readSnapshot(path, numberOf(path))
			if err != nil {
				return err
			}
			return writeSnapshot(path, s.header, []byte("old style"), nil)
		},
	}
	for name, break_ := range damage {
		t.Run(name, func(t *testing.T) {
			dir := sealedJournal(t, 60)
			l, err := list(dir)
			require.NoError(t, err)
			require.NoError(t, break_(snapshotPath(dir, l.snapshots[0])))
			check(t, dir, 60)
			j := open(t, dir, smallSegments())
			appendRecords(t, j, 60, 80)
			require.NoError(t, j.Close())
			check(t, dir, 80)
		})
	}
}

func numberOf(path string) int {
	var n int
	for _, c := range filepath.Base(path)[:6] {
		n = n*10 + int(c-'0')
	}
	return n
}

// flip turns one bit of a file over; a negative offset counts from its end.
func flip(path string, offset int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if offset < 0 {
		offset += len(data)
	}
	data[offset] ^= 4
	return os.WriteFile(path, data, 0o600)
}

func TestFault34FlippedInASealedSegment(t *testing.T) {
	dir := sealedJournal(t, 30)
	path := sealedPath(dir, 2)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := range data {
		require.NoError(t, flip(path, i))
		var n int
		_, err := ReadAll(dir, func([]byte) error { n++; return nil })
		if err == nil {
			// zstd has a few bits that say nothing of the content (unused bits of its header): then every
			// record must be as it was.
			require.Equal(t, wantRecords(0, 30), readAll(t, dir), "byte %d", i)
		} else {
			var corrupt *CorruptError
			require.ErrorAs(t, err, &corrupt, "byte %d", i)
			require.Equal(t, path, corrupt.File)
		}
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
}

func TestSealedSegmentsOfAnotherJournalAreNoticed(t *testing.T) {
	dir, other := sealedJournal(t, 30), filepath.Join(fastDir(t), "j")
	j := open(t, other, smallSegments())
	appendRecords(t, j, 100, 130)
	require.NoError(t, j.Close())
	data, err := os.ReadFile(sealedPath(other, 2))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(sealedPath(dir, 2), data, 0o600))
	_, err = ReadAll(dir, nil)
	require.ErrorIs(t, err, ErrChain)
}

func TestFault44BombInASealedSegment(t *testing.T) {
	dir := sealedJournal(t, 30)
	enc, err := zstd.NewWriter(nil, zstd.WithWindowSize(64<<20))
	require.NoError(t, err)
	defer enc.Close()
	require.NoError(t, os.WriteFile(sealedPath(dir, 2), enc.EncodeAll(make([]byte, 256<<20), nil), 0o600))
	_, err = ReadAll(dir, nil)
	require.ErrorIs(t, err, ErrCorrupt)
}

func TestFoldThatFailsLeavesTheSegment(t *testing.T) {
	boom := errors.New("boom")
	dir := filepath.Join(fastDir(t), "j")
	opts := smallSegments()
	opts.NewFold = func([]byte) (Fold, error) { return nil, boom }
	j := open(t, dir, opts)
	appendRecords(t, j, 0, 30)
	require.ErrorIs(t, j.Close(), boom)
	check(t, dir, 30)
}
