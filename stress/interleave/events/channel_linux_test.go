package events

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// test is a runner whose attempts are a function that is given the channel's file.
type test func(path string, res *run.Result)

func (f test) Run(a run.Attempt, _ *run.Control) run.Result {
	res := run.Result{Started: time.Now()}
	f(a.Events, &res)
	return res
}

func open(t *testing.T) *Channel {
	t.Helper()
	c, err := Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func (c *Channel) attempt(slot int, f test) *run.Trace {
	return Told(f, c, unmarked()).Run(run.Attempt{Seq: 1, Slot: slot}, nil).Evidence.Trace
}

func write(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func nothing(string, *run.Result) {}

func TestChannelGivesWhatWasWritten(t *testing.T) {
	c := open(t)
	var path string
	trace := c.attempt(3, func(p string, res *run.Result) {
		path = p
		info, err := os.Lstat(p)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
		require.Zero(t, info.Size())
		now := c.clock.mono + int64(time.Since(c.clock.at))
		write(t, p, fmt.Sprintf("@%d:%d:%d ready 80\nplain\nhalf", now, os.Getpid(), os.Getpid()))
	})
	require.Len(t, trace.Points, 2)
	require.Equal(t, []string{"80"}, trace.Points[0].Fields)
	require.Equal(t, 0, trace.Points[0].Thread)
	require.Equal(t, os.Getpid(), trace.Threads[0].TID)
	require.Equal(t, trace.Points[0].At, trace.Points[1].At)
	require.Equal(t, map[run.Source]int64{run.FromTest: 1}, trace.Dropped)
	require.Empty(t, trace.NotCollected)
	require.NoFileExists(t, path)
	require.Nil(t, c.attempt(3, nothing), "the next attempt of the slot begins anew")
}

// What the scheduler's record and the output tell stands beside it, sorted by time, and threads are one.
func TestToldMergesWithWhatIsThere(t *testing.T) {
	c := open(t)
	runner := Told(test(func(p string, res *run.Result) {
		res.Evidence.DumpAt = -1
		res.Evidence.Trace = &run.Trace{
			Threads: []run.Thread{{PID: 7, TID: 7, Parent: -1, Exited: run.NotSeen}, {PID: 7, TID: 8, Exited: run.NotSeen}},
			Points:  []run.Point{{At: time.Hour, Source: run.FromSched, Name: "first_run"}},
		}
		res.Evidence.Output.Head = []run.Chunk{chunk(run.Stderr, 3_000, "printed\n")}
		write(t, p, "@:7:8 told\n")
	}), c, unmarked())
	trace := runner.Run(run.Attempt{Seq: 1}, nil).Evidence.Trace
	require.Len(t, trace.Threads, 2)
	var got []string
	for _, p := range trace.Points {
		got = append(got, fmt.Sprint(p.Source, " ", p.Name, " ", p.Thread))
	}
	require.Equal(t, []string{"test told 1", "line printed -1", "sched first_run 0"}, got)
}

func TestChannelTimesAreSinceTheStart(t *testing.T) {
	c := open(t)
	start := time.Now()
	runner := Told(test(func(p string, res *run.Result) {
		res.Started = start
		write(t, p, fmt.Sprintf("@%d:: then\n", c.clock.mono+int64(start.Sub(c.clock.at))+1234))
	}), c, unmarked())
	require.Equal(t, 1234*time.Nanosecond, runner.Run(run.Attempt{}, nil).Evidence.Trace.Points[0].At)
}

func TestChannelUsesAFileAgainOnlyIfNothingHappenedToIt(t *testing.T) {
	c := open(t)
	var last string
	next := func(do test) (again bool) {
		c.attempt(1, func(p string, res *run.Result) {
			again, last = p == last, p
			info, err := os.Lstat(p)
			require.NoError(t, err)
			require.True(t, untouched(info))
			do(p, res)
		})
		return again
	}
	next(nothing)
	require.True(t, next(nothing))
	c.attempt(2, func(p string, _ *run.Result) { require.NotEqual(t, last, p, "another slot, another file") })
	for name, do := range map[string]test{
		"written to": func(p string, _ *run.Result) { write(t, p, "a\n") },
		"removed":    func(p string, _ *run.Result) { require.NoError(t, os.Remove(p)) },
		"closed":     func(p string, _ *run.Result) { require.NoError(t, os.Chmod(p, 0)) },
		"held open":  func(_ string, res *run.Result) { res.Evidence.HeldOpen = true },
	} {
		require.True(t, next(do), name)
		require.False(t, next(nothing), name)
	}
	files, err := os.ReadDir(c.path)
	require.NoError(t, err)
	require.Len(t, files, 2, "one a slot")
}

// Whatever a test puts in the file's place is neither followed, nor waited for, nor fatal, and gone after.
func TestChannelSurvivesWhatATestDoesToIt(t *testing.T) {
	c := open(t)
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("secret\n"), 0o600))
	replace := func(with func(path string) error) test {
		return func(p string, _ *run.Result) {
			require.NoError(t, os.Remove(p))
			require.NoError(t, with(p))
		}
	}
	const replaced = "something else in its place"
	for name, c1 := range map[string]struct {
		do   test
		why  string
		left int
	}{
		"removed":         {replace(func(string) error { return nil }), "the test removed it", 0},
		"symlink":         {replace(func(p string) error { return os.Symlink(secret, p) }), replaced, 0},
		"symlink to next": {replace(func(p string) error { return os.Symlink("1.1", p) }), replaced, 0},
		"dangling":        {replace(func(p string) error { return os.Symlink("/nowhere", p) }), replaced, 0},
		"FIFO":            {replace(func(p string) error { return syscall.Mkfifo(p, 0o600) }), replaced, 0},
		"folder": {replace(func(p string) error {
			return os.MkdirAll(filepath.Join(p, "deep", "deeper"), 0o700)
		}), replaced, 0},
		"truncated": {func(p string, _ *run.Result) {
			write(t, p, "gone\n")
			require.NoError(t, os.Truncate(p, 0))
			write(t, p, "kept\n")
		}, "", 1},
		"sparse": {func(p string, _ *run.Result) {
			require.NoError(t, os.Truncate(p, 1<<40))
			write(t, p, "\nlast\n")
		}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			trace := c.attempt(1, c1.do)
			require.Len(t, trace.Points, c1.left)
			if c1.why == "" {
				require.Empty(t, trace.NotCollected)
			} else {
				require.Contains(t, trace.NotCollected[run.FromTest], c1.why)
			}
			files, err := os.ReadDir(c.path)
			require.NoError(t, err)
			require.Empty(t, files)
			after := c.attempt(1, func(p string, _ *run.Result) { write(t, p, "again\n") })
			require.Len(t, after.Points, 1)
			require.Equal(t, "again", after.Points[0].Name)
		})
	}
	data, err := os.ReadFile(secret)
	require.NoError(t, err)
	require.Equal(t, "secret\n", string(data))
}

func TestChannelWhoseFolderIsGoneGoesWithout(t *testing.T) {
	c := open(t)
	require.NoError(t, os.RemoveAll(c.path))
	trace := c.attempt(1, func(p string, _ *run.Result) { require.Empty(t, p) })
	require.Contains(t, trace.NotCollected[run.FromTest], "make the file for events")
}

func TestTenThousandThreads(t *testing.T) {
	c := open(t)
	trace := c.attempt(1, func(p string, _ *run.Result) {
		var text strings.Builder
		for i := range 10_000 {
			fmt.Fprintf(&text, "@1:5:%d up\n", 10+i)
		}
		write(t, p, text.String())
	})
	require.Len(t, trace.Points, maxEvents)
	require.Len(t, trace.Threads, maxEvents)
	require.EqualValues(t, 10_000-maxEvents, trace.Dropped[run.FromTest])
	require.Equal(t, 10_009, trace.Threads[trace.Points[maxEvents-1].Thread].TID)
}

// Slots are separate: what runs at once does not mix.
func TestChannelKeepsSlotsApart(t *testing.T) {
	c := open(t)
	var all sync.WaitGroup
	for slot := range 16 {
		all.Go(func() {
			for i := range 50 {
				want := fmt.Sprintf("s%d.%d", slot, i)
				trace := c.attempt(slot, func(p string, _ *run.Result) {
					if i%3 > 0 {
						_ = os.WriteFile(p, []byte(want+"\n"), 0)
					}
				})
				if i%3 == 0 {
					if trace != nil {
						t.Errorf("%s: %v", want, trace.Points)
					}
				} else if len(trace.Points) != 1 || trace.Points[0].Name != want {
					t.Errorf("%s: %v", want, trace.Points)
				}
			}
		})
	}
	all.Wait()
}

// An attempt that writes no event costs one look at its file.
func BenchmarkSilentAttempt(b *testing.B) {
	c, err := Open(b.TempDir())
	require.NoError(b, err)
	defer c.Close()
	runner := Told(test(func(_ string, res *run.Result) {}), c, unmarked())
	for b.Loop() {
		runner.Run(run.Attempt{Slot: 1}, nil)
	}
}

func BenchmarkAttemptOf100Events(b *testing.B) {
	c, err := Open(b.TempDir())
	require.NoError(b, err)
	defer c.Close()
	text := []byte(strings.Repeat("@1234567890123:4321:4321 ready 80 up\n", 100))
	runner := Told(test(func(p string, _ *run.Result) { _ = os.WriteFile(p, text, 0) }), c, unmarked())
	for b.Loop() {
		runner.Run(run.Attempt{Slot: 1}, nil)
	}
}
