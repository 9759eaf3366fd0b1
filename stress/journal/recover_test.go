package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fastDir is a temporary folder in memory where the machine has one: these tests sync thousands of times.
func fastDir(t testing.TB) string {
	if dir, err := os.MkdirTemp("/dev/shm", "heisen-journal-"); err == nil {
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
		return dir
	}
	return t.TempDir()
}

// sample is a segment of a few batches, and where each of its parts begins.
type sample struct {
	data []byte
	// starts holds the offset of each batch, and the length of the whole at the end.
	starts []int
}

func newSample(t testing.TB, batches int) sample {
	at := position{segment: 1, batch: 1, chain: firstChain("c1")}
	s := sample{data: fileHeader{campaign: "c1", position: at}.segmentLine()}
	for i := range batches {
		payload := []byte(record(2*i) + "\n" + record(2*i+1) + "\n")
		at.chain = at.chain.next(payload)
		h := batchHeader{number: uint64(i + 1), records: 2, bytes: len(payload), chain: at.chain}
		s.starts = append(s.starts, len(s.data))
		s.data = append(appendBatchHeader(s.data, h, payload), payload...)
	}
	s.starts = append(s.starts, len(s.data))
	return s
}

// whole is how many batches end before the offset, and where the last of them ends (0: not even the
// header is whole).
func (s sample) whole(offset int) (batches, end int) {
	for i, start := range s.starts {
		if start <= offset {
			batches, end = i, start
		}
	}
	return batches, end
}

// place makes a folder that holds this segment as its first.
func place(t testing.TB, dir string, data []byte) {
	t.Helper()
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.WriteFile(rawPath(dir, 1), data, 0o600))
}

func tornFiles(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, tornPrefix+"*"))
	require.NoError(t, err)
	return names
}

func TestFault33TruncatedAtEveryByte(t *testing.T) {
	s := newSample(t, 3)
	dir := filepath.Join(fastDir(t), "j")
	for cut := range len(s.data) + 1 {
		place(t, dir, s.data[:cut])
		batches, end := s.whole(cut)

		// A reader takes the torn end for the end, and changes nothing.
		var seen int
		sum, err := ReadAll(dir, func([]byte) error { seen++; return nil })
		require.NoError(t, err, "cut at %d", cut)
		require.Equal(t, 2*batches, seen, "cut at %d", cut)
		require.EqualValues(t, cut-end, sum.Torn)

		j := open(t, dir, options())
		r := j.Recovered()
		appendRecords(t, j, 2*batches, 2*batches+1)
		require.NoError(t, j.Close())
		require.Equal(t, wantRecords(0, 2*batches+1), readAll(t, dir), "cut at %d", cut)

		if cut == end {
			require.Empty(t, tornFiles(t, dir), "cut at %d", cut)
			require.Empty(t, r.Torn)
			continue
		}
		require.Equal(t, []string{r.Torn}, tornFiles(t, dir))
		torn, err := os.ReadFile(r.Torn)
		require.NoError(t, err)
		require.True(t, bytes.Equal(s.data[end:cut], torn), "cut at %d: the copy is what was cut", cut)
		require.ErrorIs(t, r.TornCheck, ErrLength, "cut at %d", cut)
	}
}

// TestFault33Control: written behind a torn tail that was not cut, the next batch makes the journal damaged.
func TestFault33Control(t *testing.T) {
	s := newSample(t, 4)
	dir := filepath.Join(fastDir(t), "j")
	for cut := s.starts[2] + 1; cut < s.starts[3]; cut++ {
		place(t, dir, append(bytes.Clone(s.data[:cut]), s.data[s.starts[3]:]...))
		_, err := Open(dir, options())
		require.ErrorIs(t, err, ErrCorrupt, "cut at %d", cut)
	}
}

// TestFault34Control: a reader without the checksums believes flipped bits.
func TestFault34Control(t *testing.T) {
	s := newSample(t, 1)
	believed := 0
	for i := range s.data {
		data := bytes.Clone(s.data)
		data[i] ^= 1
		var seen []string
		for line := range strings.Lines(string(data)) {
			if json.Valid([]byte(line)) {
				seen = append(seen, strings.TrimSpace(line))
			}
		}
		if len(seen) == 2 && !slices.Equal(seen, wantRecords(0, 2)) {
			believed++
		}
	}
	require.NotZero(t, believed)
}

func TestFault34EveryByteFlipped(t *testing.T) {
	s := newSample(t, 3)
	dir := filepath.Join(fastDir(t), "j")
	last := s.starts[2]
	for i := range s.data {
		for _, mask := range []byte{1 << (i % 8), 0xff} {
			data := bytes.Clone(s.data)
			data[i] ^= mask
			place(t, dir, data)
			if i >= last {
				flippedInTheEnd(t, dir, data, last)
				continue
			}
			_, want := s.whole(i)
			flippedInTheMiddle(t, dir, data, int64(want))
		}
	}
}

// flippedInTheEnd: the final batch may be what a crash left, so it is cut.
func flippedInTheEnd(t *testing.T, dir string, data []byte, last int) {
	t.Helper()
	j := open(t, dir, options())
	require.NoError(t, j.Close())
	require.Equal(t, wantRecords(0, 4), readAll(t, dir))
	torn, err := os.ReadFile(j.Recovered().Torn)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data[last:], torn))
}

// flippedInTheMiddle: a whole batch follows, so something that was acknowledged is damaged.
func flippedInTheMiddle(t *testing.T, dir string, data []byte, offset int64) {
	t.Helper()
	_, openErr := Open(dir, options())
	_, readErr := ReadAll(dir, nil)
	for _, err := range []error{openErr, readErr} {
		require.ErrorIs(t, err, ErrCorrupt)
		var corrupt *CorruptError
		require.ErrorAs(t, err, &corrupt)
		require.Equal(t, rawPath(dir, 1), corrupt.File)
		require.Equal(t, offset, corrupt.Offset)
	}
	after, err := os.ReadFile(rawPath(dir, 1))
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, after), "a damaged journal is left as it is")
	require.Empty(t, tornFiles(t, dir))
}

func TestEachCheckHasItsOwnError(t *testing.T) {
	s := newSample(t, 3)
	batch := func(i int) []byte { return s.data[s.starts[i]:s.starts[i+1]] }
	header := s.data[:s.starts[0]]
	edit := func(old, new string) []byte {
		require.Contains(t, string(s.data), old)
		return []byte(strings.Replace(string(s.data), old, new, 1))
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"file magic", edit("#heisen-journal", "#heisen-journey"), ErrMagic},
		{"file checksum", edit("campaign=c1", "campaign=c2"), ErrChecksum},
		{"version without its checksum", edit("journal 1", "journal 9"), ErrChecksum},
		{"version is no number", edit("journal 1", "journal x"), ErrSyntax},
		{"batch magic", edit("#batch 1", "#botch 1"), ErrMagic},
		{"batch syntax", edit("#batch 1 ", "#batch 1  "), ErrSyntax},
		{"number with a sign", edit("#batch 1 ", "#batch +1 "), ErrSyntax},
		{"upper-case chain", edit("chain="+s.chain(t, 0), "chain="+strings.ToUpper(s.chain(t, 0))), ErrChecksum},
		{"a length beyond all bounds", edit("bytes=62", "bytes=99999999"), ErrSyntax},
		{"a length beyond the file", edit("bytes=62", "bytes=9999"), ErrLength},
		{"payload", edit(`"seq":0`, `"seq":7`), ErrChecksum},
		{"a batch taken out", join(header, batch(0), batch(2)), ErrChain},
		{"two batches swapped", join(header, batch(1), batch(0), batch(2)), ErrChain},
		{"a batch twice", join(header, batch(0), batch(0), batch(1)), ErrChain},
		{"the final batch twice", join(header, batch(0), batch(0)), ErrChain},
		{"a line between batches", join(header, batch(0), []byte("stray\n"), batch(1)), ErrMagic},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "j")
			place(t, dir, c.data)
			_, err := Open(dir, options())
			require.ErrorIs(t, err, ErrCorrupt)
			require.ErrorIs(t, err, c.want)
		})
	}
}

// chain is the chain value of a batch as it is written.
func (s sample) chain(t *testing.T, batch int) string {
	line, _, _ := bytes.Cut(s.data[s.starts[batch]:], []byte("\n"))
	h, err := parseBatchHeader(append(line[:len(line):len(line)], '\n'))
	require.NoError(t, err)
	return h.chain.String()
}

func TestAnotherCampaignsJournalIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	place(t, dir, newSample(t, 2).data)
	opts := options()
	opts.Campaign = "c2"
	_, err := Open(dir, opts)
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorIs(t, err, ErrChain)
}

func TestFault40NewerVersion(t *testing.T) {
	s := newSample(t, 1)
	newer := sealLine([]byte("#heisen-journal 2 campaign=c1 colour=blue"), nil)
	dir := filepath.Join(t.TempDir(), "j")
	data := append(newer, s.data[s.starts[0]:]...)
	place(t, dir, data)

	_, err := Open(dir, options())
	require.ErrorIs(t, err, ErrNewer)
	require.NotErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "format 2, this one reads 1")
	_, err = ReadAll(dir, nil)
	require.ErrorIs(t, err, ErrNewer)

	head, err := ReadHead(dir)
	require.NoError(t, err)
	require.Equal(t, Head{Version: 2, Campaign: "c1"}, head)

	after, err := os.ReadFile(rawPath(dir, 1))
	require.NoError(t, err)
	require.Equal(t, data, after)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing was written")

	place(t, dir, s.data)
	require.Equal(t, wantRecords(0, 2), readAll(t, dir), "control: the same under a known number is read")
}

func TestFault40NewerSnapshot(t *testing.T) {
	dir := sealedJournal(t, 30)
	l, err := list(dir)
	require.NoError(t, err)
	path := snapshotPath(dir, l.snapshots[0])
	body := []byte("state of the future")
	require.NoError(t, os.WriteFile(path, append(sealLine([]byte("#heisen-snapshot 2 campaign=c1"), body), body...), 0o600))
	_, err = Open(dir, options())
	require.ErrorIs(t, err, ErrNewer)
}

func TestReadHead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	place(t, dir, newSample(t, 1).data)
	head, err := ReadHead(dir)
	require.NoError(t, err)
	require.Equal(t, Head{Version: 1, Campaign: "c1"}, head)
	place(t, dir, []byte("#heisen-journal 7 crc=00000000\n"))
	_, err = ReadHead(dir)
	require.ErrorIs(t, err, ErrCorrupt)
}

func TestMissingSegmentIsDamage(t *testing.T) {
	for name, remove := range map[string]func(l layout, dir string) string{
		"a sealed one": func(l layout, dir string) string { return sealedPath(dir, l.sealed[0]) },
		"the last one": func(l layout, dir string) string { return rawPath(dir, l.raw[len(l.raw)-1]) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := sealedJournal(t, 30)
			l, err := list(dir)
			require.NoError(t, err)
			require.NoError(t, os.Remove(remove(l, dir)))
			_, err = Open(dir, options())
			require.ErrorIs(t, err, ErrCorrupt)
			require.ErrorIs(t, err, fs.ErrNotExist)
		})
	}
}

// Test output is from strangers, and it is inside the records: what looks like a batch in a torn record
// must not make the torn end pass for damage.
func TestForgedBatchInATornRecord(t *testing.T) {
	s := newSample(t, 2)
	forged := s.data[s.starts[1]:]
	dir := filepath.Join(t.TempDir(), "j")
	j := open(t, dir, options())
	quoted := fmt.Sprintf(`{"tail":%q}`, forged)
	require.NoError(t, j.Append([]byte(quoted)))
	require.NoError(t, j.Close())
	data, err := os.ReadFile(rawPath(dir, 1))
	require.NoError(t, err)
	place(t, dir, data[:len(data)-1])
	j = open(t, dir, options())
	require.NoError(t, j.Close())
	require.Empty(t, readAll(t, dir))
	require.NotEmpty(t, j.Recovered().Torn)
}

func TestUnfinishedFilesAreRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	place(t, dir, newSample(t, 1).data)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".tmp-000002.journal-123"), []byte("half"), 0o600))
	j := open(t, dir, options())
	require.NoError(t, j.Close())
	temps, err := filepath.Glob(filepath.Join(dir, ".tmp-*"))
	require.NoError(t, err)
	require.Empty(t, temps)
}
