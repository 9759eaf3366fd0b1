//go:build linux

package conductor

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"heisen/stress/chaos"
	"heisen/stress/mix"
	"heisen/stress/run"
)

// mixer is a Mixer that always says the same.
type mixer struct {
	strategy string
	plain    time.Duration
	dropped  []string
}

func (m *mixer) Choose(run.Attempt) string            { return m.strategy }
func (m *mixer) PlainDuration() (time.Duration, bool) { return m.plain, m.plain > 0 }
func (m *mixer) Drop(s string)                        { m.dropped = append(m.dropped, s) }

// inner plays the supervisor and everything below it.
type inner func(a run.Attempt, ctl *run.Control) run.Result

func (f inner) Run(a run.Attempt, ctl *run.Control) run.Result { return f(a, ctl) }

// stage is a conductor over a supervisor whose tracer writes what a test tells it to.
type stage struct {
	*Conductor
	mixer   *mixer
	notices []string
	// seen is the attempt as the supervisor got it, plan what the tracer would have read.
	seen run.Attempt
	plan chaos.Plan
	// timeout is what the supervisor was ordered.
	timeout time.Duration
}

// reporting is a stage whose tracer leaves these bytes as its report, nil for none, and ends as res says.
func reporting(t *testing.T, strategy string, report []byte, res run.Result) *stage {
	s := &stage{mixer: &mixer{strategy: strategy, plain: 100 * time.Millisecond}}
	s.Conductor = New(inner(func(a run.Attempt, ctl *run.Control) run.Result {
		s.seen = a
		orders, _ := ctl.Watch()
		s.timeout = orders.Timeout
		if len(a.Wrap) == 4 && a.Wrap[1] == "__trace" {
			text, err := os.ReadFile(a.Wrap[2])
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(text, &s.plan))
			if report != nil {
				require.NoError(t, os.WriteFile(a.Wrap[3], report, 0o600))
			}
		}
		if res.Started.IsZero() {
			res.Started = time.Now()
		}
		return res
	}), Config{Mixer: s.mixer, Policy: run.ChaosPolicy{Strategies: []string{"auto"}, MaxHold: 50 * time.Millisecond}, Dir: t.TempDir(),
		Trace: []string{"/heisen", "__trace"}, Confine: []string{"/heisen", ConfineCommand},
		Crowd:  NewHall([]int{0, 1}, func(int, int) (Hogs, error) { return quiet{}, nil }),
		Merge:  func(into, more *run.Trace) *run.Trace { return more },
		Notice: func(text string) { s.notices = append(s.notices, text) }})
	return s
}

type quiet struct{}

func (quiet) Pause(bool)   {}
func (quiet) Close() error { return nil }

func attempt() run.Attempt {
	return run.Attempt{Seq: 7, Try: 1, Slot: 3, Seed: 99, Timeout: 10 * time.Second}
}

func encoded(t *testing.T, r chaos.Report) []byte {
	r.Version = chaos.PlanVersion
	text, err := json.Marshal(r)
	require.NoError(t, err)
	return text
}

func exited(code int) uint32 { return uint32(code) << 8 }

// tracerEnded is how a tracer ends: by itself, whatever the test did.
func tracerEnded() run.Result {
	return run.Result{Wall: 400 * time.Millisecond, Usage: run.Usage{User: 90 * time.Millisecond, System: 60 * time.Millisecond},
		Evidence: run.Evidence{Signals: run.Signals{run.SigRunDelay: 5, run.SigFirstOutput: 9, run.GapSignal("a", "b"): 3}}}
}

func TestTheTestsOwnEndingAndUsageStandInTheResult(t *testing.T) {
	s := reporting(t, chaos.Hold, encoded(t, chaos.Report{Status: exited(3), Usage: run.Usage{User: 30 * time.Millisecond, System: 20 * time.Millisecond, MaxRSS: 4096},
		Chaos: run.Chaos{Strategy: "forged", Planned: 9, Made: 4, Skipped: 5, Held: 41000, Longest: 20000, Stops: 70, Tracer: 12}}), tracerEnded())
	res := s.Run(attempt(), nil)
	require.Empty(t, res.Ending.Harness)
	require.Equal(t, 3, res.Ending.Code)
	require.Equal(t, 30*time.Millisecond, res.Usage.User)
	require.Equal(t, &run.Chaos{Strategy: chaos.Hold, Planned: 9, Made: 4, Skipped: 5, Held: 41000, Longest: 20000, Stops: 70, Tracer: 100_000}, res.Evidence.Chaos,
		"what the supervisor counted beyond the test's is the tracer's")
	require.Equal(t, run.Signals{run.SigFirstOutput: 9, run.GapSignal("a", "b"): 3}, res.Evidence.Signals)
	require.Contains(t, res.Evidence.NotCollected[run.SigRunDelay], "on purpose")

	judge, err := run.NewJudge(run.Oracle{})
	require.NoError(t, err)
	outcome, cause := judge.Outcome(&res)
	require.Equal(t, run.Fail, outcome)
	require.Equal(t, "exit code 3, under hold: 4 holds, 41ms in all", cause)
}

func TestThePlan(t *testing.T) {
	s := reporting(t, chaos.PCT, encoded(t, chaos.Report{}), tracerEnded())
	s.Run(attempt(), nil)
	require.Equal(t, chaos.Plan{Version: chaos.PlanVersion, Strategy: chaos.PCT, Seed: run.SeedFor(99, 1), MaxHold: 50 * time.Millisecond,
		MaxStarve: 1500 * time.Millisecond, MaxDelay: 250 * time.Millisecond, Burst: 500 * time.Millisecond, Budget: 1300 * time.Millisecond, MaxPoints: mostPoints, MaxDecisions: mostDecisions}, s.plan)
	require.Equal(t, 11300*time.Millisecond, s.timeout, "the time-out is longer by the budget")
	first := s.plan.Seed
	again := attempt()
	again.Try = 2
	s.Run(again, nil)
	require.NotEqual(t, first, s.plan.Seed, "another try draws anew")
}

// A replay is carried out as it is, but for the bounds of the report; who is given no plan is left alone. Nothing is drawn.
func TestAPlanIsReplayedAndNothingDrawn(t *testing.T) {
	plan := chaos.Plan{Version: chaos.PlanVersion, Strategy: chaos.Hold, Replay: true, Budget: 7 * time.Second, MaxHold: time.Second,
		Decisions: []chaos.Decision{{Address: chaos.Address{Thread: "0.2", Kind: "clone.exit", N: 1}, Hold: time.Second}}}
	s := reporting(t, chaos.PCT, encoded(t, chaos.Report{}), tracerEnded())
	s.cfg.Replay = func(a run.Attempt) *chaos.Plan {
		if a.Seq == 1 {
			return nil
		}
		return &plan
	}
	a := attempt()
	a.Seq = 2
	res := s.Run(a, nil)
	want := plan
	want.MaxPoints, want.MaxDecisions = mostPoints, mostDecisions
	require.Equal(t, want, s.plan)
	require.Equal(t, chaos.Hold, res.Evidence.Chaos.Strategy)
	require.Equal(t, 17*time.Second, s.timeout)

	a.Seq = 1
	require.Nil(t, s.Run(a, nil).Evidence.Chaos)
	require.Empty(t, s.seen.Wrap)
}

func TestTheRecordReplaysWhatWasReallyDone(t *testing.T) {
	at := chaos.Address{Thread: "0.2", Kind: "futex.wake.exit", N: 3}
	s := reporting(t, chaos.Hold, encoded(t, chaos.Report{Drawn: "wakes", Lengthened: 9 * time.Millisecond,
		Chaos: run.Chaos{Made: 1, Stops: 1},
		Made:  []chaos.Made{{Decision: chaos.Decision{Address: at, Hold: 50 * time.Millisecond}, Held: 9 * time.Millisecond, Name: "worker"}}}), tracerEnded())
	res := s.Run(attempt(), nil)
	var plan chaos.Plan
	require.NoError(t, json.Unmarshal(res.Evidence.Plan, &plan))
	require.True(t, plan.Replay)
	require.Equal(t, []chaos.Decision{{Address: at, Hold: 9 * time.Millisecond}}, plan.Decisions)
	var whole Record
	require.NoError(t, json.Unmarshal(res.Evidence.Plan, &whole))
	require.Equal(t, "worker", whole.Made[0].Name)
	require.Equal(t, "wakes", whole.Drawn)
}

func TestWithoutAReportNothingIsTheTests(t *testing.T) {
	big := `{"version":1,"drawn":"` + strings.Repeat("x", mostReport) + `"}`
	many := encoded(t, chaos.Report{Made: make([]chaos.Made, mostDecisions+1)})
	negative := encoded(t, chaos.Report{Chaos: run.Chaos{Made: -1}})
	for name, c := range map[string]struct {
		report []byte
		says   string
	}{
		"none":            {nil, "it died"},
		"empty":           {[]byte{}, "JSON"},
		"half":            {[]byte(`{"version":1,"status":25`), "JSON"},
		"another version": {[]byte(`{"version":2}`), "version"},
		"flood":           {[]byte(big), "larger"},
		"too many holds":  {many, "more than was asked for"},
		"negative":        {negative, "less than nothing"},
		"endless":         {encoded(t, chaos.Report{Lengthened: -time.Second}), "impossible times"},
		"no such thread":  {encoded(t, chaos.Report{Points: []run.Point{{Thread: 4}}}), "impossible point"},
		"parent":          {encoded(t, chaos.Report{Threads: []run.Thread{{Parent: 1}}}), "impossible thread"},
		"hold":            {encoded(t, chaos.Report{Made: []chaos.Made{{Held: -1}}}), "impossible hold"},
		"fault":           {encoded(t, chaos.Report{Fault: "lost a thread"}), "lost a thread"},
	} {
		t.Run(name, func(t *testing.T) {
			ended := tracerEnded()
			ended.Ending.Code = 1
			s := reporting(t, chaos.Hold, c.report, ended)
			res := s.Run(attempt(), nil)
			require.Contains(t, res.Ending.Harness, c.says)
			judge, err := run.NewJudge(run.Oracle{})
			require.NoError(t, err)
			outcome, _ := judge.Outcome(&res)
			require.Equal(t, run.HarnessError, outcome)
			require.Nil(t, res.Evidence.Chaos)
		})
	}
}

func TestAStrategyThatSpoilsEveryAttemptIsGivenUp(t *testing.T) {
	s := reporting(t, chaos.PCT, nil, tracerEnded())
	for range mostFaults - 1 {
		s.Run(attempt(), nil)
	}
	require.Empty(t, s.mixer.dropped)
	s.Run(attempt(), nil)
	require.Equal(t, []string{chaos.PCT}, s.mixer.dropped)
	require.Len(t, s.notices, 1)
}

func TestAReportThatIsNoFileIsNotFollowed(t *testing.T) {
	for name, plant := range map[string]func(path string) error{
		"link":   func(path string) error { return os.Symlink("/etc/passwd", path) },
		"fifo":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			s := reporting(t, chaos.Hold, nil, tracerEnded())
			s.inner = inner(func(a run.Attempt, _ *run.Control) run.Result {
				require.NoError(t, plant(a.Wrap[3]))
				return tracerEnded()
			})
			require.Contains(t, s.Run(attempt(), nil).Ending.Harness, "left no report")
		})
	}
}

func TestAnOldReportOfTheSlotIsNeverTaken(t *testing.T) {
	s := reporting(t, chaos.Hold, encoded(t, chaos.Report{Status: exited(1), Chaos: run.Chaos{Stops: 1}}), tracerEnded())
	require.Equal(t, 1, s.Run(attempt(), nil).Ending.Code)
	s.inner = inner(func(run.Attempt, *run.Control) run.Result { return tracerEnded() }) // this tracer dies
	require.Contains(t, s.Run(attempt(), nil).Ending.Harness, "it died")
}

func TestATimeOutForTheHoldsAloneIsNoFailure(t *testing.T) {
	timedOut := func(wall, stop, held, tracing time.Duration) run.Result {
		ended := tracerEnded()
		ended.Wall = wall
		ended.Ending = run.Ending{TimedOut: true, StopTook: stop}
		return reporting(t, chaos.Hold, encoded(t, chaos.Report{Lengthened: held, Tracing: tracing, Chaos: run.Chaos{Made: 2, Stops: 9, Held: held.Microseconds()}}), ended).
			Run(attempt(), run.NewControl(run.Orders{Timeout: 10 * time.Second}))
	}
	judge, err := run.NewJudge(run.Oracle{})
	require.NoError(t, err)

	excused := timedOut(11400*time.Millisecond, 100*time.Millisecond, 1400*time.Millisecond, 0)
	outcome, cause := judge.Outcome(&excused)
	require.Equal(t, run.HarnessError, outcome)
	require.Contains(t, cause, "holds took 1.4s, and without that it had run 9.9s of 10s")

	slow := timedOut(11400*time.Millisecond, 100*time.Millisecond, 200*time.Millisecond, 3*time.Second)
	outcome, cause = judge.Outcome(&slow)
	require.Equal(t, run.HarnessError, outcome)
	require.Contains(t, cause, "holds took 200ms, tracing up to 3s, and without that it had run 8.1s of 10s")

	hung := timedOut(11400*time.Millisecond, 100*time.Millisecond, 200*time.Millisecond, 300*time.Millisecond)
	outcome, cause = judge.Outcome(&hung)
	require.Equal(t, run.Timeout, outcome)
	require.Equal(t, "ran past its time-out, under hold: 2 holds, 200ms in all", cause)
}

func TestWhatCannotBeHeldRanPlainAndIsSaidOnce(t *testing.T) {
	s := reporting(t, chaos.Hold, encoded(t, chaos.Report{Status: exited(0), Unsupported: "it is a setuid program"}), tracerEnded())
	for range mostRefusals + 2 {
		res := s.Run(attempt(), nil)
		require.Nil(t, res.Evidence.Chaos, "it counts as what it was: plain")
		require.Empty(t, res.Ending.Harness)
		require.Contains(t, res.Evidence.Signals, run.SigRunDelay)
	}
	require.Equal(t, Traced(), s.mixer.dropped)
	require.Len(t, s.notices, 2)

	half := reporting(t, chaos.Hold, encoded(t, chaos.Report{Unsupported: "from the exec on", Chaos: run.Chaos{Stops: 40, Made: 2}}), tracerEnded())
	res := half.Run(attempt(), nil)
	require.Equal(t, "from the exec on", res.Evidence.Chaos.Unsupported, "held for a while: not plain")
}

func TestWhatCouldNotBeStarted(t *testing.T) {
	start := func(errno syscall.Errno) run.Ending {
		return reporting(t, chaos.Hold, encoded(t, chaos.Report{NotRun: true, StartErrno: int(errno)}), tracerEnded()).Run(attempt(), nil).Ending
	}
	require.ErrorIs(t, start(syscall.ENOENT).StartError, syscall.ENOENT)
	require.NotEmpty(t, start(syscall.EMFILE).Machine)
	require.NotEmpty(t, start(syscall.ETXTBSY).Harness)
}

func TestStoppedAttemptsNeedNoReport(t *testing.T) {
	ended := tracerEnded()
	ended.Ending.Stopped = true
	require.Empty(t, reporting(t, chaos.Hold, nil, ended).Run(attempt(), nil).Ending.Harness)
}

func TestTraceTimesCountFromTheAttemptsStart(t *testing.T) {
	ended := tracerEnded()
	ended.Started = time.Now().Add(-time.Second)
	var now unix.Timespec
	require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	began := now.Nano() - (900 * time.Millisecond).Nanoseconds()
	s := reporting(t, chaos.Hold, encoded(t, chaos.Report{Began: began, Chaos: run.Chaos{Stops: 1},
		Threads: []run.Thread{{TID: 5, Parent: -1, Created: 0, FirstRun: run.NotSeen, Exited: run.NotSeen}},
		Points:  []run.Point{{At: 50 * time.Millisecond, Source: "forged", Name: "clone.exit"}}, Dropped: 3}), ended)
	trace := s.Run(attempt(), nil).Evidence.Trace
	require.InDelta(t, 150, trace.Points[0].At.Milliseconds(), 80, "0.1 s after the start, and 50 ms")
	require.Equal(t, run.FromTracer, trace.Points[0].Source)
	require.Equal(t, run.NotSeen, trace.Threads[0].Exited)
	require.EqualValues(t, 3, trace.Dropped[run.FromTracer])
}

// TestADisturbedAttemptIsNoNewVariantForItsTracer: what the scheduler saw of the wrapper makes no order of the test's.
func TestADisturbedAttemptIsNoNewVariantForItsTracer(t *testing.T) {
	for _, strategy := range []string{chaos.Hold, mix.Pin} {
		ended := tracerEnded()
		ended.Evidence.Variant = "of the tracer"
		ended.Evidence.Trace = &run.Trace{Threads: []run.Thread{{TID: 1, Parent: -1}},
			Points: []run.Point{{Source: run.FromSched, Name: "first_run"}, {Source: run.FromOutput, Name: "begin"}}}
		res := reporting(t, strategy, encoded(t, chaos.Report{Chaos: run.Chaos{Stops: 1}}), ended).Run(attempt(), nil)
		require.Empty(t, res.Evidence.Variant)
		require.NotEmpty(t, res.Evidence.NotCollected[run.NoVariant])
		require.Len(t, res.Evidence.Trace.Points, 1)

		ended.Evidence.Trace = &run.Trace{Points: []run.Point{{Source: run.FromOutput, Name: "begin"}}}
		res = reporting(t, strategy, encoded(t, chaos.Report{Chaos: run.Chaos{Stops: 1}}), ended).Run(attempt(), nil)
		require.Equal(t, "of the tracer", res.Evidence.Variant, "an order of markers alone is the test's own")
	}
}

func TestATimeOutWithAnUnfinishedReportIsTheTests(t *testing.T) {
	killed := tracerEnded()
	killed.Wall = 40 * time.Second
	killed.Ending = run.Ending{TimedOut: true, StopTook: 20 * time.Second, Signal: int(syscall.SIGKILL), SignalName: "SIGKILL"}
	report := chaos.Report{Unfinished: true, Usage: run.Usage{User: 30 * time.Millisecond}, Chaos: run.Chaos{Made: 2, Stops: 5}}
	res := reporting(t, chaos.Hold, encoded(t, report), killed).Run(attempt(), nil)
	require.Empty(t, res.Ending.Harness)
	require.Equal(t, killed.Ending, res.Ending)
	require.Equal(t, 30*time.Millisecond, res.Usage.User)
	require.EqualValues(t, 2, res.Evidence.Chaos.Made)

	report.Lengthened = 11 * time.Second
	res = reporting(t, chaos.Hold, encoded(t, report), killed).Run(attempt(), nil)
	require.Contains(t, res.Ending.Harness, "for heisen alone")

	for name, spoil := range map[string]func(*run.Ending){
		"its tracer failed":              func(e *run.Ending) { e.Signal, e.Code = 0, 1 },
		"it was killed by somebody else": func(e *run.Ending) { e.TimedOut = false },
	} {
		other := killed
		spoil(&other.Ending)
		res = reporting(t, chaos.Hold, encoded(t, report), other).Run(attempt(), nil)
		require.Contains(t, res.Ending.Harness, "left no report", name)
	}
	report.Unsupported, report.Lengthened, report.Chaos = "no ptrace", 0, run.Chaos{}
	res = reporting(t, chaos.Hold, encoded(t, report), killed).Run(attempt(), nil)
	require.Empty(t, res.Ending.Harness)
	require.True(t, res.Ending.TimedOut)
	require.Equal(t, int(syscall.SIGKILL), res.Ending.Signal)
}

func TestPlainAttemptsAreLeftAlone(t *testing.T) {
	s := reporting(t, mix.Plain, nil, tracerEnded())
	res := s.Run(attempt(), nil)
	require.Equal(t, attempt(), s.seen)
	require.Equal(t, 10*time.Second, s.timeout)
	require.Nil(t, res.Evidence.Chaos)
}

func TestMachineSide(t *testing.T) {
	hogs := map[string]int64{mix.Load: 400_000, mix.Weak: 300_000} // of 0.4 s: half of two CPUs, three quarters of one
	for strategy, timeout := range map[string]time.Duration{mix.Pin: 21300 * time.Millisecond, mix.Load: 21300 * time.Millisecond, mix.Weak: 81300 * time.Millisecond} {
		s := reporting(t, strategy, nil, tracerEnded())
		res := s.Run(attempt(), nil)
		require.Equal(t, &run.Chaos{Strategy: strategy, Tracer: hogs[strategy]}, res.Evidence.Chaos)
		require.Equal(t, []string{"/heisen", ConfineCommand}, s.seen.Wrap[:2])
		require.Len(t, s.seen.Wrap, 4)
		require.Equal(t, timeout, s.timeout, strategy)
		require.NotContains(t, res.Evidence.Signals, run.SigRunDelay)
	}
}

func TestConfiningThatFailsIsNotTheTests(t *testing.T) {
	s := reporting(t, mix.Pin, nil, tracerEnded())
	refuse := func(errno syscall.Errno) run.Ending {
		s.inner = inner(func(a run.Attempt, _ *run.Control) run.Result {
			_ = writeRefusal(a.Wrap[2], errno, errors.New("no such luck"))
			ended := tracerEnded()
			ended.Ending.Code = 1
			return ended
		})
		return s.Run(attempt(), nil).Ending
	}
	require.Contains(t, refuse(0).Harness, "no such luck")
	require.Equal(t, []string{mix.Pin}, s.mixer.dropped)
	require.ErrorIs(t, refuse(syscall.EACCES).StartError, syscall.EACCES)
	s.inner = inner(func(a run.Attempt, _ *run.Control) run.Result {
		require.NoError(t, os.WriteFile(a.Wrap[2], []byte("\x00 nonsense"), 0o600))
		return tracerEnded()
	})
	require.NotEmpty(t, s.Run(attempt(), nil).Ending.Harness)
}

// counter is hogs that know whether they compute.
type counter struct{ computing, starts int }

func (c *counter) Pause(on bool) {
	c.computing = 1
	if on {
		c.computing = 0
	}
}
func (c *counter) Close() error { return nil }

func TestHogsComputeOnlyBesideTheirAttempts(t *testing.T) {
	hogs := map[int]*counter{0: {}, 1: {}}
	hall := NewHall([]int{0, 1, 2, 3, 4, 5}, func(cpu, n int) (Hogs, error) {
		require.Equal(t, 3, n)
		hogs[cpu].starts++
		return hogs[cpu], nil
	})
	require.Len(t, hall.CPUs(), mostCrowded)
	first, err := hall.Enter([]int{0}, 3)
	require.NoError(t, err)
	second, err := hall.Enter([]int{0, 1}, 3)
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, []int{hogs[0].computing, hogs[1].computing})
	first()
	require.Equal(t, 1, hogs[0].computing, "the other still wants it")
	second()
	require.Equal(t, []int{0, 0}, []int{hogs[0].computing, hogs[1].computing})
	again, err := hall.Enter([]int{0}, 3)
	require.NoError(t, err)
	again()
	require.Equal(t, 1, hogs[0].starts)
	require.NoError(t, hall.Close())
}

func TestHogsThatCannotStartLeaveTheAttemptPlain(t *testing.T) {
	s := reporting(t, mix.Load, nil, tracerEnded())
	s.cfg.Crowd = NewHall([]int{0}, func(int, int) (Hogs, error) { return nil, errors.New("no memory") })
	res := s.Run(attempt(), nil)
	require.Nil(t, res.Evidence.Chaos)
	require.Empty(t, s.seen.Wrap)
	require.Equal(t, []string{mix.Load}, s.mixer.dropped)
	require.Len(t, s.notices, 1)
}

func TestAFullDiskIsTheMachinesFault(t *testing.T) {
	s := reporting(t, chaos.Hold, nil, tracerEnded())
	s.cfg.Dir = filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(s.cfg.Dir, nil, 0o600))
	require.NotEmpty(t, s.Run(attempt(), nil).Ending.Harness)
	require.NotEmpty(t, notRun(syscall.ENOSPC).Ending.Machine)
}

func FuzzReadReport(f *testing.F) {
	f.Add([]byte(`{"version":1,"made":[{"thread":"0","kind":"x","n":1}]}`))
	f.Add([]byte(`{"version":1,"threads":[{"parent":0}],"points":[{"thread":0,"fields":["a"]}]}`))
	plan := chaos.Plan{MaxPoints: 10, MaxDecisions: 10}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "report")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		r, err := readReport(path, &plan)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(r.Made), 10)
		require.GreaterOrEqual(t, r.Lengthened, time.Duration(0))
		for _, p := range r.Points {
			require.Less(t, p.Thread, len(r.Threads))
		}
	})
}
