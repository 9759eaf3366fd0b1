package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/durable"
)

// The test binary plays the writer that is killed.
const (
	writerDir    = "HEISEN_TEST_WRITER_DIR"
	writerFirst  = "HEISEN_TEST_WRITER_FIRST"
	writerPoints = "HEISEN_TEST_WRITER_FAILPOINTS"
	writerEarly  = "HEISEN_TEST_WRITER_EARLY"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		if err := writer(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writerRecords is how many records a writer appends before it ends by itself; it is what makes every
// failpoint be met a few times.
const writerRecords = 200

// writer appends from several goroutines and prints the number of every record that was acknowledged.
func writer(dir string) error {
	first, err := strconv.Atoi(os.Getenv(writerFirst))
	if err != nil {
		return err
	}
	fp, err := durable.ParseFailpoints(os.Getenv(writerPoints))
	if err != nil {
		return err
	}
	opts := crashOptions()
	opts.Failpoints = fp
	j, err := Open(dir, opts)
	if err != nil {
		return err
	}
	const writers = 4
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := first + w; i < first+writerRecords; i += writers {
				appendAndTell(j, i)
			}
		})
	}
	wg.Wait()
	return j.Close()
}

func appendAndTell(j *Journal, i int) {
	// One write(2) each, unbuffered: what was told is in the pipe even when the process dies right after.
	tell := func() { fmt.Fprintf(os.Stdout, "%d\n", i) }
	if os.Getenv(writerEarly) != "" {
		tell()
	}
	for {
		err := j.Append([]byte(record(i)))
		if err == nil {
			break
		}
		if !errors.Is(err, ErrNoSpace) {
			fmt.Fprintln(os.Stderr, err)
			return
		}
	}
	if os.Getenv(writerEarly) == "" {
		tell()
	}
}

func crashOptions() Options {
	opts := options()
	opts.SegmentBytes = 2 << 10
	return opts
}

// crash is one life of a writer.
type crash struct {
	dir, points string
	first       int
	early       bool
	// after kills the writer from outside once it has told of so many records; 0 leaves it to a failpoint.
	after int
}

// run returns the records that were acknowledged, and whether the writer was killed.
func (c crash) run(t *testing.T) (acked []int, killed bool) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), writerDir+"="+c.dir, writerFirst+"="+strconv.Itoa(c.first), writerPoints+"="+c.points)
	if c.early {
		cmd.Env = append(cmd.Env, writerEarly+"=1")
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill() }()
	watchdog := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer watchdog.Stop()
	acked = c.follow(t, out, cmd.Process)
	err = cmd.Wait()
	var exit *exec.ExitError
	if err == nil {
		return acked, false
	}
	require.ErrorAs(t, err, &exit)
	status := exit.Sys().(syscall.WaitStatus)
	require.True(t, status.Signaled() && status.Signal() == syscall.SIGKILL, "writer: %v: %s", err, stderr.String())
	require.True(t, watchdog.Stop(), "the writer hung: %s", stderr.String())
	return acked, true
}

func (c crash) follow(t *testing.T, out io.Reader, p *os.Process) (acked []int) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		i, err := strconv.Atoi(lines.Text())
		require.NoError(t, err)
		acked = append(acked, i)
		if len(acked) == c.after {
			require.NoError(t, p.Kill())
		}
	}
	require.NoError(t, lines.Err())
	return acked
}

// lost opens the journal after a crash, as a resume does, verifies all of it, and names the acknowledged
// records that are not there.
func lost(t *testing.T, dir string, acked map[int]bool) (missing []int) {
	t.Helper()
	j, err := Open(dir, crashOptions())
	require.NoError(t, err)
	require.NoError(t, j.Close())
	seen := make(map[string]int)
	var n uint64
	_, err = ReadAll(dir, func(p []byte) error { n++; seen[string(p)]++; return nil })
	require.NoError(t, err)
	for r, times := range seen {
		require.Equal(t, 1, times, "record %s is there more than once", r)
	}
	fold, _, err := Load(dir, newCountFold)
	require.NoError(t, err)
	require.Equal(t, n, fold.(*countFold).n, "snapshot and records agree")
	l, err := list(dir)
	require.NoError(t, err)
	require.Empty(t, l.temps)
	require.Len(t, l.raw, 1, "what was not sealed is sealed at the next opening")
	for i := range acked {
		if seen[record(i)] == 0 {
			missing = append(missing, i)
		}
	}
	return missing
}

func rounds(normal, slow int) int {
	if os.Getenv("HEISEN_SLOW_TESTS") != "" {
		return slow
	}
	return normal
}

func TestFault31KilledAtRandom(t *testing.T) {
	const perJournal = 8
	n := rounds(30, 600)
	r := rand.New(rand.NewPCG(1, 2))
	var dir string
	var acked map[int]bool
	kills := 0
	for round := range n {
		if round%perJournal == 0 {
			dir, acked = filepath.Join(fastDir(t), "j"), make(map[int]bool)
		}
		got, killed := crash{dir: dir, first: round * writerRecords, after: 1 + r.IntN(writerRecords)}.run(t)
		if killed {
			kills++
		}
		for _, i := range got {
			acked[i] = true
		}
		require.Empty(t, lost(t, dir, acked), "round %d", round)
	}
	require.Greater(t, kills, n/2, "most writers must have died while they wrote")
}

func TestFault31KilledAtEachFailpoint(t *testing.T) {
	for _, point := range Points() {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			for round := range rounds(2, 15) {
				// A writer fills at least four segments, so that every point is met four times.
				killedAt(t, point, 1+round%4)
			}
		})
	}
}

func killedAt(t *testing.T, point string, hit int) {
	dir := filepath.Join(fastDir(t), "j")
	acked := make(map[int]bool)
	first := 0
	points := fmt.Sprintf("%s=kill@%d", point, hit)
	switch {
	case point == pointTruncate:
		points = "journal.write=ENOSPC@3+," + points
	case point == pointCut || strings.HasPrefix(point, pointTorn):
		// These are met only where there is a torn end, once at an opening.
		got, _ := crash{dir: dir, first: first}.run(t)
		for _, i := range got {
			acked[i] = true
		}
		tear(t, dir)
		first = writerRecords
		points = point + "=kill"
	}
	got, killed := crash{dir: dir, points: points, first: first}.run(t)
	require.True(t, killed, "%s was not met %d times", point, hit)
	for _, i := range got {
		acked[i] = true
	}
	require.Empty(t, lost(t, dir, acked))
}

// tear leaves the beginning of a batch at the end of a journal, as a writer that dies in a write does.
func tear(t *testing.T, dir string) {
	t.Helper()
	l, err := list(dir)
	require.NoError(t, err)
	f, err := os.OpenFile(rawPath(dir, l.last()), os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.WriteString("#batch 999 records=3 bytes=100 chain=00")
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// Negative control: a writer that acknowledges before it writes is caught.
func TestFault31AcknowledgedTooEarlyIsCaught(t *testing.T) {
	dir := filepath.Join(fastDir(t), "j")
	got, killed := crash{dir: dir, points: "journal.write=kill@5", early: true}.run(t)
	require.True(t, killed)
	acked := make(map[int]bool)
	for _, i := range got {
		acked[i] = true
	}
	require.NotEmpty(t, lost(t, dir, acked))
}
