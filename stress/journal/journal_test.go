package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"heisen/stress/durable"
)

// countFold counts records and keeps their FNV-like sum: enough to tell whether any was lost or doubled.
type countFold struct{ n, sum uint64 }

func newCountFold(snapshot []byte) (Fold, error) {
	f := &countFold{}
	if snapshot == nil {
		return f, nil
	}
	if len(snapshot) != 16 {
		return nil, errors.New("not a count")
	}
	f.n = binary.LittleEndian.Uint64(snapshot)
	f.sum = binary.LittleEndian.Uint64(snapshot[8:])
	return f, nil
}

func (f *countFold) Apply(payload []byte) error {
	f.n++
	for _, b := range payload {
		f.sum = f.sum*1099511628211 + uint64(b)
	}
	return nil
}

func (f *countFold) Snapshot() ([]byte, error) {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, f.n), f.sum), nil
}

// options are quick to commit, so that a test with one writer does not wait.
func options() Options {
	return Options{Campaign: "c1", NewFold: newCountFold, CommitDelay: -1}
}

func open(t *testing.T, dir string, opts Options) *Journal {
	t.Helper()
	j, err := Open(dir, opts)
	require.NoError(t, err)
	return j
}

func record(i int) string { return fmt.Sprintf(`{"k":"finished","d":{"seq":%d}}`, i) }

func appendRecords(t *testing.T, j *Journal, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		require.NoError(t, j.Append([]byte(record(i))))
	}
}

func wantRecords(from, to int) []string {
	var want []string
	for i := from; i < to; i++ {
		want = append(want, record(i))
	}
	return want
}

// readAll reads and verifies the whole journal.
func readAll(t *testing.T, dir string) []string {
	t.Helper()
	var got []string
	_, err := ReadAll(dir, func(p []byte) error { got = append(got, string(p)); return nil })
	require.NoError(t, err)
	return got
}

// check asserts that a journal holds the records [0,n), by its chain and by its snapshot.
func check(t *testing.T, dir string, n int) {
	t.Helper()
	require.Equal(t, wantRecords(0, n), readAll(t, dir))
	fold, _, err := Load(dir, newCountFold)
	require.NoError(t, err)
	whole := &countFold{}
	for _, r := range wantRecords(0, n) {
		require.NoError(t, whole.Apply([]byte(r)))
	}
	require.Equal(t, whole, fold)
}

func TestAppendAndReadBack(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := filepath.Join(t.TempDir(), "journal")
	j := open(t, dir, options())
	appendRecords(t, j, 0, 10)
	require.NoError(t, j.Close())
	check(t, dir, 10)

	j = open(t, dir, options())
	require.Zero(t, j.Recovered())
	appendRecords(t, j, 10, 15)
	require.NoError(t, j.Close())
	require.NoError(t, j.Close(), "closing twice is harmless")
	check(t, dir, 15)
}

func TestSegmentIsReadableText(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, options())
	appendRecords(t, j, 0, 2)
	require.NoError(t, j.Close())
	data, err := os.ReadFile(rawPath(dir, 1))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	require.Len(t, lines, 5)
	require.Regexp(t, `^#heisen-journal 1 campaign=c1 segment=1 batch=1 chain=[0-9a-f]{24} crc=[0-9a-f]{8}$`, lines[0])
	require.Regexp(t, `^#batch 1 records=1 bytes=31 chain=[0-9a-f]{24} crc=[0-9a-f]{8}$`, lines[1])
	require.Equal(t, record(0), lines[2])
	require.Regexp(t, `^#batch 2 records=1 bytes=31 `, lines[3])
	require.Equal(t, record(1), lines[4])
}

func TestPayloadsThatAreNoLine(t *testing.T) {
	j := open(t, t.TempDir(), options())
	defer j.Close()
	for name, payload := range map[string]string{
		"empty":          "",
		"newline":        "a\nb",
		"like a header":  "#batch 1",
		"much too large": strings.Repeat("x", MaxRecord+1),
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, j.Append([]byte(payload)), ErrPayload)
		})
	}
	require.NoError(t, j.Append([]byte("NUL \x00 and \xff bytes are kept")))
}

func TestOptionsAreChecked(t *testing.T) {
	for _, campaign := range []string{"", "a b", "a\nb", "é", strings.Repeat("x", 129)} {
		_, err := Open(t.TempDir(), Options{Campaign: campaign, NewFold: newCountFold})
		require.ErrorContains(t, err, "campaign id", campaign)
	}
	_, err := Open(t.TempDir(), Options{Campaign: "c"})
	require.ErrorContains(t, err, "NewFold")
}

func TestGroupCommit(t *testing.T) {
	t.Run("a full group does not wait for the delay", func(t *testing.T) {
		dir := t.TempDir()
		opts := options()
		opts.CommitDelay, opts.CommitRecords = time.Hour, 4
		j := open(t, dir, opts)
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() { require.NoError(t, j.Append([]byte(record(i)))) })
		}
		wg.Wait()
		require.NoError(t, j.Close())
		sum, err := ReadAll(dir, nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, sum.Batches)
		require.EqualValues(t, 4, sum.Records)
	})
	t.Run("a lone record is committed after the delay", func(t *testing.T) {
		opts := options()
		opts.CommitDelay, opts.CommitRecords = time.Millisecond, 1000
		j := open(t, t.TempDir(), opts)
		require.NoError(t, j.Append([]byte("x")))
		require.NoError(t, j.Close())
	})
	t.Run("closing commits what waits", func(t *testing.T) {
		dir := t.TempDir()
		opts := options()
		opts.CommitDelay, opts.CommitRecords = time.Hour, 1000
		j := open(t, dir, opts)
		result := make(chan error, 1)
		j.Submit([]byte(record(0)), func(err error) { result <- err })
		require.NoError(t, j.Close())
		require.NoError(t, <-result)
		check(t, dir, 1)
		require.ErrorIs(t, j.Append([]byte("late")), ErrClosed)
	})
	t.Run("records that come while the disk is busy share a batch", func(t *testing.T) {
		dir := t.TempDir()
		busy, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		opts := options()
		opts.Failpoints = func(name string) error {
			if name == pointSync {
				once.Do(func() { close(busy); <-release })
			}
			return nil
		}
		j := open(t, dir, opts)
		var wg sync.WaitGroup
		done := func(err error) { require.NoError(t, err); wg.Done() }
		wg.Add(101)
		j.Submit([]byte(record(0)), done)
		<-busy
		for i := 1; i <= 100; i++ {
			j.Submit([]byte(record(i)), done)
		}
		close(release)
		wg.Wait()
		require.NoError(t, j.Close())
		sum, err := ReadAll(dir, nil)
		require.NoError(t, err)
		require.EqualValues(t, 2, sum.Batches)
		check(t, dir, 101)
	})
}

// Nothing may be acknowledged before its sync has returned.
func TestAcknowledgedOnlyAfterSync(t *testing.T) {
	syncing, release := make(chan struct{}), make(chan struct{})
	opts := options()
	opts.Failpoints = func(name string) error {
		if name == pointSync {
			close(syncing)
			<-release
		}
		return nil
	}
	j := open(t, t.TempDir(), opts)
	acked := make(chan error, 1)
	j.Submit([]byte("x"), func(err error) { acked <- err })
	<-syncing
	require.Empty(t, acked)
	close(release)
	require.NoError(t, <-acked)
	require.NoError(t, j.Close())
}

func TestBacklogHoldsSubmitBack(t *testing.T) {
	syncing, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	opts := options()
	opts.Failpoints = func(name string) error {
		if name == pointSync {
			once.Do(func() { close(syncing); <-release })
		}
		return nil
	}
	j := open(t, t.TempDir(), opts)
	discard := func(error) {}
	j.Submit([]byte("first"), discard)
	<-syncing
	j.Submit([]byte(strings.Repeat("x", backlog)), discard)
	through := make(chan struct{})
	go func() {
		j.Submit([]byte("waits"), discard)
		close(through)
	}()
	select {
	case <-through:
		t.Fatal("a submit got through while more than the backlog waits")
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	<-through
	require.NoError(t, j.Close())
}

func TestConcurrentAppendersAndReaders(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	opts := options()
	opts.SegmentBytes = 4 << 10
	j := open(t, dir, opts)
	const writers, each = 8, 100
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				require.NoError(t, j.Append([]byte(record(w*each+i))))
			}
		})
	}
	stop := make(chan struct{})
	reading := make(chan error, 1)
	go func() {
		reading <- readWhile(dir, stop)
	}()
	wg.Wait()
	close(stop)
	require.NoError(t, <-reading)
	require.NoError(t, j.Close())
	require.ElementsMatch(t, wantRecords(0, writers*each), readAll(t, dir))
	fold, sum, err := Load(dir, newCountFold)
	require.NoError(t, err)
	require.EqualValues(t, writers*each, fold.(*countFold).n)
	require.Greater(t, sum.Segments, 3)
	require.Less(t, sum.Records, int64(writers*each), "a snapshot stands for the sealed ones")
}

// readWhile reads a journal over and over as another part of the program writes it: what is seen only grows.
func readWhile(dir string, stop chan struct{}) error {
	var before uint64
	for {
		fold, _, err := Load(dir, newCountFold)
		if err != nil {
			return err
		}
		var n uint64
		if _, err := ReadAll(dir, func([]byte) error { n++; return nil }); err != nil {
			return err
		}
		loaded := fold.(*countFold).n
		if loaded < before || n < loaded {
			return fmt.Errorf("saw %d records, then %d, then %d", before, loaded, n)
		}
		before = n
		select {
		case <-stop:
			return nil
		default:
		}
	}
}

func TestReadingNothing(t *testing.T) {
	for _, dir := range []string{t.TempDir(), "/nonexistent/heisen"} {
		_, err := ReadAll(dir, nil)
		require.ErrorIs(t, err, ErrNoJournal)
		_, _, err = Load(dir, newCountFold)
		require.ErrorIs(t, err, ErrNoJournal)
	}
}

func TestVisitorsErrorComesBackAsItIs(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, options())
	appendRecords(t, j, 0, 3)
	require.NoError(t, j.Close())
	// Even one that looks like a verdict on the data must not be taken for one.
	_, err := ReadAll(dir, func([]byte) error { return ErrLength })
	require.Same(t, ErrLength, err)
}

func TestFault50PrivateWhateverTheUmask(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	opts := options()
	opts.SegmentBytes = 200
	withUmask(t, 0, func() {
		j := open(t, dir, opts)
		appendRecords(t, j, 0, 20)
		require.NoError(t, j.Close())
	})
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Greater(t, len(entries), 2)
	for _, entry := range entries {
		info, err := entry.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(durable.FileMode), info.Mode().Perm(), entry.Name())
	}
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(durable.FolderMode), info.Mode().Perm())
}
