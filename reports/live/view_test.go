package live

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/reports/internal/golden"
	"heisen/reports/internal/recorded"
	"heisen/reports/text"
	"heisen/stress"
	"heisen/stress/run"
)

var (
	_ stress.Sink = (*View)(nil)
	_ Source      = (*stress.Engine)(nil)
)

// campaign is an engine that plays recorded events.
type campaign struct {
	t      testing.TB
	mu     sync.Mutex
	events []run.Event
	ended  bool
}

func (c *campaign) Progress() (stress.Progress, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return stress.Progress{}, false
	}
	return progressOf(c.t, c.events), true
}

// play adds events and, as the engine does, tells the view of each after it counts. The view has shown one
// before the next happens: it reads the figures as of when it shows them.
func (c *campaign) play(v *View, events ...run.Event) {
	for _, e := range events {
		c.mu.Lock()
		switch e.(type) {
		case run.Slow, run.Stopping, run.Started:
		default:
			c.events = append(c.events, e)
		}
		c.mu.Unlock()
		if v != nil {
			v.Emit(e)
		}
		synctest.Wait()
	}
}

func startCampaign(t testing.TB) *campaign {
	return &campaign{t: t, events: recorded.Clean()[:21]}
}

func fault(seq int64, sig string) run.Finished {
	return run.Finished{Seq: seq, Try: 1, At: recorded.Start, Wall: 90_000, Outcome: run.Fail,
		Filed: &run.Filed{Signature: sig, Title: "title of " + sig, Bundle: "bundles/" + sig}}
}

func start(t testing.TB, out io.Writer, c *campaign, block bool) *View {
	v := New(Config{Out: out, Block: block, Dir: recorded.Dir, Size: func() (int, int) { return 100, 24 },
		Machine: func() string { return "load 63.1 on 2 CPUs" }})
	v.Start(c)
	synctest.Wait()
	return v
}

// wait lets fake time pass, and the view draw what is due.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestBlockIsRedrawnInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, c := newTerminal(100), startCampaign(t)
		v := start(t, term, c, true)
		first := term.text()
		require.Contains(t, first, "20 of 5,000 attempts")
		c.play(nil, recorded.Clean()[21:101]...)
		wait(10 * time.Second)
		require.Greater(t, term.written(), 10)
		require.Equal(t, 1, strings.Count(term.text(), "attempts,"), "one block, not one after another:\n%s", term.text())
		require.Contains(t, term.text(), "100 of 5,000 attempts")
		v.Close()
		require.Empty(t, term.text(), "a clean terminal for the summary")
		require.Empty(t, term.strange)
		require.Zero(t, term.colors)
		require.NoError(t, v.Err())
	})
}

func TestNoticesStayAboveTheBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, c := newTerminal(100), startCampaign(t)
		v := start(t, term, c, true)
		c.play(v, fault(5000, "aaa"), fault(5001, "aaa"), fault(5002, "bbb"))
		wait(time.Second)
		c.play(v, run.TimeoutSet{Timeout: 30 * time.Second, Passes: 50, P99: 65_000},
			run.MachineFault{Fault: "out of memory: use a smaller -j", Wait: 2 * time.Second},
			run.Slow{Attempt: run.Attempt{Seq: 900}, Running: 12 * time.Second, Median: 55 * time.Millisecond},
			run.Stopping{Reason: run.ReasonInterrupted, Running: 3})
		golden.Equal(t, "session-block.txt", term.text()+"\n")
		v.Close()
		golden.Equal(t, "session-closed.txt", term.text()+"\n")
		require.Empty(t, term.strange)
	})
}

func TestPlainLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, c := newTerminal(200), startCampaign(t)
		v := start(t, term, c, false)
		wait(29 * time.Second)
		require.Zero(t, term.written(), "nothing before it is due")
		wait(2 * time.Second)
		require.Equal(t, 1, term.written())
		c.play(v, fault(5000, "aaa"), fault(5001, "aaa"))
		require.Contains(t, term.text(), "title of aaa", "the first failure is told at once")
		wait(61 * time.Second)
		c.play(v, run.Stopping{Reason: run.ReasonRuns, Running: 2})
		c.mu.Lock()
		c.ended = true
		c.mu.Unlock()
		v.Emit(run.Ended{Reason: run.ReasonRuns, Elapsed: 152 * time.Second})
		v.Close()
		golden.Equal(t, "session-plain.txt", term.text()+"\n")
		require.Empty(t, term.strange)
		require.Zero(t, term.colors)
	})
}

func TestFailuresOfEarlierSessionsAreNoNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, c := newTerminal(200), startCampaign(t)
		c.play(nil, fault(5000, "old"))
		v := start(t, term, c, false)
		c.play(v, fault(5001, "old"))
		require.Empty(t, term.text())
		c.play(v, fault(5002, "new"))
		require.Contains(t, term.text(), "attempt 5,002: fail: title of new")
		v.Close()
	})
}

func TestALostEventIsMadeUpForByTheFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, c := newTerminal(100), startCampaign(t)
		v := start(t, term, c, true)
		c.play(nil, fault(5000, "aaa")) // the view hears nothing of it
		wait(time.Second)
		require.Contains(t, term.text(), "attempt 5,000: fail: title of aaa")
		v.Emit(fault(5000, "aaa"))
		wait(time.Second)
		require.Equal(t, 1, strings.Count(term.text(), "attempt 5,000: fail"), "and told once")
		v.Close()
	})
}

func TestAFloodOfNewFailuresIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, c := newTerminal(200), startCampaign(t)
		v := start(t, term, c, false)
		for i := range 30 {
			c.play(v, fault(5000+int64(i), fmt.Sprint("sig", i)))
		}
		require.Equal(t, 5, strings.Count(term.text(), "heisen show"))
		wait(noticeWindow)
		c.play(v, fault(9000, "later"))
		require.Contains(t, term.text(), "(25 first failures of their kind not shown)")
		require.Contains(t, term.text(), "title of later")
		v.Close()
	})
}

func TestSuspendAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, c := newTerminal(100), startCampaign(t)
		v := start(t, term, c, true)
		v.Suspend()
		require.Empty(t, term.text(), "the shell's prompt begins on a clean line")
		before := term.written()
		c.play(v, fault(5000, "aaa"))
		wait(time.Minute)
		require.Equal(t, before, term.written(), "nothing is written while heisen stands still")

		_, err := term.Write([]byte("$ fg\n"))
		require.NoError(t, err)
		v.Resume(true)
		require.True(t, strings.HasPrefix(term.text(), "$ fg\nattempt 5,000: fail"), "what happened meanwhile is told:\n%s", term.text())
		require.Contains(t, term.text(), "of 5,000 attempts")

		v.Suspend()
		v.Resume(false)
		require.NotContains(t, term.text(), "of 5,000 attempts", "no block in the background")
		require.Contains(t, term.text(), "2m30s: 21 attempts, 1 failed")
		before = term.written()
		wait(29 * time.Second)
		require.Equal(t, before, term.written())
		wait(2 * time.Second)
		require.Equal(t, before+1, term.written())
		v.Close()
		require.Empty(t, term.strange)
	})
}

var errGone = errors.New("broken pipe")

// leaving is a reader that goes away after some writes.
type leaving struct{ left, calls int }

func (l *leaving) Write(p []byte) (int, error) {
	l.calls++
	if l.left--; l.left < 0 {
		return 0, errGone
	}
	return len(p), nil
}

func TestFault19AReaderThatIsGoneEndsTheViewAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, c := &leaving{left: 3}, startCampaign(t)
		v := start(t, out, c, true)
		wait(time.Minute)
		require.ErrorIs(t, v.Err(), errGone)
		require.Equal(t, 4, out.calls, "nothing is written after the error")
		for range 10_000 {
			v.Emit(run.Stopping{})
		}
		v.Suspend()
		v.Resume(true)
		v.Close()
		require.Equal(t, 4, out.calls)
	})
}

// stuck is a terminal that was stopped with Ctrl-S.
type stuck struct {
	entered, release chan struct{}
	once             sync.Once
}

func (s *stuck) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.entered) })
	<-s.release
	return len(p), nil
}

func TestAStoppedTerminalHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, c := &stuck{entered: make(chan struct{}), release: make(chan struct{})}, startCampaign(t)
		v := start(t, out, c, true)
		<-out.entered
		begun := time.Now()
		for range 10_000 {
			v.Emit(run.Stopping{Reason: run.ReasonRuns})
		}
		require.Zero(t, time.Since(begun), "Emit never waits")
		require.EqualValues(t, 10_000-queued, v.Dropped())
		v.Suspend()
		v.Close()
		require.LessOrEqual(t, time.Since(begun), 3*patience, "bounded in time")
		require.ErrorContains(t, v.Err(), "took no output")
		close(out.release) // the view's goroutine ends, or synctest reports it
	})
}

func TestPassesAreNotQueued(t *testing.T) {
	v := New(Config{Out: io.Discard})
	for range 10 * queued {
		v.Emit(run.Finished{Outcome: run.Pass})
		v.Emit(run.Started{})
	}
	require.Zero(t, v.Dropped())
	require.Empty(t, v.events)
}

func TestCloseBeforeTheEngineAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, c := newTerminal(100), startCampaign(t)
		c.ended = true
		v := start(t, term, c, true)
		v.Emit(run.Ended{Reason: run.ReasonStart})
		wait(time.Minute)
		v.Close()
		v.Close() // twice is harmless
		v.Suspend()
		require.Equal(t, "0s: ended: the command cannot be started", term.text())
	})
}

// For the race detector: everything at once, in real time.
func TestConcurrentUse(t *testing.T) {
	term, c := newTerminal(100), startCampaign(t)
	v := New(Config{Out: term, Block: true, Style: text.Style{Color: true}})
	v.Start(c)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 50 {
				v.Emit(fault(int64(i*1000+n), fmt.Sprint("sig", n)))
				if n%25 == 0 {
					v.Suspend()
					v.Resume(i%2 == 0)
				}
			}
		})
	}
	all.Wait()
	v.Close()
	require.NoError(t, v.Err())
	require.Empty(t, term.strange)
}

// TestAPlainLineHasTheStatus: a campaign with a question writes as often as it says, and what it knows by then.
func TestAPlainLineHasTheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term, c := newTerminal(200), startCampaign(t)
		var status atomic.Value
		status.Store("not yet\nknown")
		v := New(Config{Out: term, Every: time.Minute, Status: func() string { return status.Load().(string) }})
		v.Start(c)
		wait(59 * time.Second)
		require.Zero(t, term.written(), "nothing before it is due")
		wait(2 * time.Second)
		require.Contains(t, term.text(), `; not yet\nknown`, "escaped: a status may hold a test's words")
		status.Store("")
		wait(time.Minute)
		require.Equal(t, 2, term.written())
		c.mu.Lock()
		c.ended = true
		c.mu.Unlock()
		v.Close()
	})
}
