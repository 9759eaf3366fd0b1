package stress_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress"
	"heisen/stress/run"
)

var (
	passes = run.Ending{}
	fails  = run.Ending{Code: 1}
	killed = run.Ending{Signal: int(syscall.SIGKILL), SignalName: "SIGKILL"}
)

func TestEveryAttemptFinishesOnceInOrderOfSteps(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(takes(time.Second, passes))
		ended, err := r.engine(t, spec(10, run.Stop{Runs: 100})).Run()
		require.NoError(t, err)
		require.Equal(t, run.ReasonRuns, ended.Reason)
		require.Equal(t, upTo(100), r.seqs())
		require.Equal(t, 10, r.mostLive, "it runs as wide as asked, and no wider")
		require.Empty(t, r.inUse, "every slot went back")

		at := map[string]int{}
		for i, s := range r.steps {
			at[fmt.Sprint(s.what, s.seq)] = i
		}
		for _, seq := range upTo(100) {
			ran, archived := at[fmt.Sprint("ran", seq)], at[fmt.Sprint("archived", seq)]
			require.Less(t, ran, archived)
			require.Less(t, archived, at[fmt.Sprint("recorded", seq)])
		}
		releasedAfterRecord(t, r.steps)
	})
}

// releasedAfterRecord checks that no slot goes back before the record of the attempt that held it.
func releasedAfterRecord(t *testing.T, steps []step) {
	t.Helper()
	held := map[int]string{}
	for _, s := range steps {
		if s.what == "released" {
			require.Equal(t, "recorded", held[s.slot], "slot %d", s.slot)
		}
		held[s.slot] = s.what
	}
}

func TestFault12KilledFromOutsideIsRetriedThreeTimesThenCountedApart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		tries := map[int64]int{}
		r := newRig(nil)
		r.play = func(a run.Attempt, ctl *run.Control) run.Result {
			r.sync(func() { tries[a.Seq]++ })
			switch {
			case a.Seq == 2, a.Seq == 5 && a.Try <= 2:
				return takes(time.Second, killed)(a, ctl)
			}
			return takes(time.Second, passes)(a, ctl)
		}
		_, err := r.engine(t, spec(1, run.Stop{Runs: 6})).Run()
		require.NoError(t, err)
		require.Equal(t, map[int64]int{1: 1, 2: 4, 3: 1, 4: 1, 5: 3, 6: 1}, tries)
		require.Equal(t, upTo(6), r.seqs())
		for _, fin := range r.finished() {
			want := run.Pass
			if fin.Seq == 2 {
				want = run.Killed
			}
			require.Equal(t, want, fin.Outcome, "attempt %d", fin.Seq)
		}
		require.Len(t, emitted[run.Retried](r), 5)
	})
}

// TestFault12Control plays the same with a signal that is not told from a crash: there is no second try, and the
// test is blamed.
func TestFault12Control(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(takes(time.Second, run.Ending{Signal: int(syscall.SIGSEGV), SignalName: "SIGSEGV"}))
		_, err := r.engine(t, spec(1, run.Stop{Runs: 2})).Run()
		require.NoError(t, err)
		require.Empty(t, emitted[run.Retried](r))
		for _, fin := range r.finished() {
			require.Equal(t, run.Crash, fin.Outcome)
			require.Equal(t, 1, fin.Try)
		}
		require.Equal(t, upTo(2), r.seqs())
	})
}

func TestStraysAreOnRecord(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(takes(time.Second, passes))
		left := run.Strays{Count: 2, Last: run.Leak{PID: 7, Command: "sleep 9"}}
		r.strays = func() run.Strays { return left }
		ended, err := r.engine(t, spec(1, run.Stop{Runs: 2})).Run()
		require.NoError(t, err)
		require.Equal(t, &left, ended.Strays)
		require.Equal(t, &left, emitted[run.Ended](r)[0].Strays)
	})
}

func TestStopRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		stop   run.Stop
		reason run.StopReason
		check  func(t *testing.T, r *rig, ended run.Ended)
	}{
		{"failures", run.Stop{Failures: 3}, run.ReasonFailures, func(t *testing.T, r *rig, ended run.Ended) {
			require.Equal(t, upTo(15), r.seqs()[:15], "every fifth attempt fails: the third failure is attempt 15")
			require.LessOrEqual(t, len(r.seqs()), 16)
		}},
		{"time", run.Stop{For: 10*time.Second + 500*time.Millisecond}, run.ReasonTime, func(t *testing.T, r *rig, ended run.Ended) {
			require.Len(t, r.seqs(), 22, "two a second, and those under way at the end finish")
			require.Zero(t, ended.Cancelled)
		}},
		{"runs before time", run.Stop{Runs: 4, For: time.Hour}, run.ReasonRuns, func(t *testing.T, r *rig, ended run.Ended) {
			require.Equal(t, upTo(4), r.seqs())
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(nil)
				r.play = func(a run.Attempt, ctl *run.Control) run.Result {
					if a.Seq%5 == 0 {
						return takes(time.Second, fails)(a, ctl)
					}
					return takes(time.Second, passes)(a, ctl)
				}
				ended, err := r.engine(t, spec(2, c.stop)).Run()
				require.NoError(t, err)
				require.Equal(t, c.reason, ended.Reason)
				c.check(t, r, ended)
			})
		})
	}
}

func TestInterruptOnceLetsAttemptsFinishWithinTheGrace(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(nil)
		r.play = func(a run.Attempt, ctl *run.Control) run.Result {
			if a.Seq == 1 {
				return takes(3*time.Second, passes)(a, ctl) // within the grace of 5 s
			}
			return takes(time.Hour, passes)(a, ctl)
		}
		e := r.engine(t, spec(4, run.Stop{}))
		time.AfterFunc(time.Second, e.Interrupt)
		begun := time.Now()
		ended, err := e.Run()
		require.NoError(t, err)
		require.Equal(t, run.ReasonInterrupted, ended.Reason)
		require.Equal(t, []int64{1}, r.seqs(), "what finished counts, what was stopped does not")
		require.EqualValues(t, 3, ended.Cancelled)
		require.InDelta(t, 6, time.Since(begun).Seconds(), 0.2)
	})
}

func TestInterruptTwiceStopsAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(takes(time.Hour, passes))
		e := r.engine(t, spec(4, run.Stop{}))
		time.AfterFunc(time.Second, e.Interrupt)
		time.AfterFunc(2*time.Second, e.Interrupt)
		begun := time.Now()
		ended, err := e.Run()
		require.NoError(t, err)
		require.EqualValues(t, 4, ended.Cancelled)
		require.Empty(t, r.seqs())
		require.InDelta(t, 2, time.Since(begun).Seconds(), 0.2)
	})
}

func TestACommandThatCannotStartEndsTheCampaign(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(func(run.Attempt, *run.Control) run.Result {
			return run.Result{Started: time.Now(), Ending: run.Ending{StartError: errors.New("start x: no such file")}}
		})
		ended, err := r.engine(t, spec(1, run.Stop{Runs: 100})).Run()
		require.NoError(t, err)
		require.Equal(t, run.ReasonStart, ended.Reason)
		require.Less(t, len(r.finished()), 5, "at once: only what was under way already")
		require.Equal(t, run.StartFailed, r.finished()[0].Outcome)
	})
}

func TestFault17AMachineOutOfResourcesLosesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(nil)
		r.play = func(a run.Attempt, ctl *run.Control) run.Result {
			if a.Running > 20 {
				return run.Result{Ending: run.Ending{Machine: "out of file descriptors"}}
			}
			return takes(time.Second, passes)(a, ctl)
		}
		ended, err := r.engine(t, spec(200, run.Stop{Runs: 500})).Run()
		require.NoError(t, err)
		require.Equal(t, run.ReasonRuns, ended.Reason)
		require.Equal(t, upTo(500), r.seqs())
		for _, fin := range r.finished() {
			require.Equal(t, 1, fin.Try, "a start that failed is no try")
		}
		require.NotEmpty(t, emitted[run.MachineFault](r))
	})
}

func TestAMachineThatStaysOutOfResourcesEndsTheCampaign(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(func(run.Attempt, *run.Control) run.Result {
			return run.Result{Ending: run.Ending{Machine: "out of processes"}}
		})
		ended, err := r.engine(t, spec(4, run.Stop{Runs: 5})).Run()
		require.NoError(t, err)
		require.Equal(t, run.ReasonMachine, ended.Reason)
		require.Empty(t, r.finished())
	})
}

func TestAutomaticTimeoutIsSettledAndReachesWhatRunsAlready(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var seen []time.Duration
		r := newRig(nil)
		r.play = func(a run.Attempt, ctl *run.Control) run.Result {
			if a.Seq > 1 {
				return takes(3*time.Second, passes)(a, ctl)
			}
			for { // the first attempt hangs until its time-out, whatever that becomes
				orders, changed := ctl.Watch()
				r.sync(func() { seen = append(seen, orders.Timeout) })
				select {
				case <-changed:
				case <-time.After(orders.Timeout):
					return run.Result{Started: time.Now(), Ending: run.Ending{TimedOut: true}}
				}
			}
		}
		_, err := r.engine(t, spec(10, run.Stop{Runs: 120})).Run()
		require.NoError(t, err)
		require.Equal(t, 10*time.Minute, seen[0])
		require.InDelta(t, 60, seen[1].Seconds(), 1, "20 times the p99 of 3 s")
		set := emitted[run.TimeoutSet](r)
		require.NotEmpty(t, set)
		require.GreaterOrEqual(t, set[0].Passes, int64(run.AutoTimeoutPasses))
	})
}

func TestASlowAttemptIsNamedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(nil)
		r.play = func(a run.Attempt, ctl *run.Control) run.Result {
			if a.Seq == 30 {
				return takes(time.Minute, passes)(a, ctl)
			}
			return takes(time.Second, passes)(a, ctl)
		}
		_, err := r.engine(t, spec(2, run.Stop{Runs: 60})).Run()
		require.NoError(t, err)
		slow := emitted[run.Slow](r)
		require.Len(t, slow, 1)
		require.EqualValues(t, 30, slow[0].Attempt.Seq)
		require.GreaterOrEqual(t, slow[0].Running, 10*time.Second)
	})
}

func TestPauseStopsClocksAndOrders(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(takes(time.Second, passes))
		e := r.engine(t, spec(1, run.Stop{For: 10 * time.Second}))
		go func() {
			time.Sleep(5*time.Second + 500*time.Millisecond)
			e.Pause()
			p, ok := e.Progress()
			require.True(t, ok)
			require.True(t, p.Paused)
			time.Sleep(time.Hour)
			before := p.Elapsed
			p, _ = e.Progress()
			require.Equal(t, before, p.Elapsed, "a paused campaign's clock stands still")
			e.Resume()
		}()
		ended, err := e.Run()
		require.NoError(t, err)
		require.Equal(t, run.ReasonTime, ended.Reason)
		require.InDelta(t, 10.5, ended.Elapsed.Seconds(), 0.6)
		require.Len(t, emitted[run.Paused](r), 1)
		require.Len(t, emitted[run.Resumed](r), 1)
	})
}

func TestRampUpDoublesWhatRuns(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		most := map[int]int{}
		r := newRig(nil)
		begun := time.Now()
		r.play = func(a run.Attempt, ctl *run.Control) run.Result {
			at := int(time.Since(begun) / (100 * time.Millisecond))
			r.sync(func() { most[at] = max(most[at], a.Running) })
			return takes(time.Minute, passes)(a, ctl)
		}
		s := spec(300, run.Stop{Runs: 300})
		s.Ramp = true
		_, err := r.engine(t, s).Run()
		require.NoError(t, err)
		require.Equal(t, 2, most[0])
		for at, running := range most {
			require.LessOrEqual(t, running, 2<<min(at, 10), "after %d00 ms", at)
		}
		require.Greater(t, len(most), 5, "it takes several steps")
		require.Equal(t, 300, r.mostLive)
	})
}

func TestProgressShowsWhatIsRunning(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(takes(10*time.Second, fails))
		e := r.engine(t, spec(3, run.Stop{Runs: 6}))
		go func() {
			time.Sleep(15 * time.Second)
			p, ok := e.Progress()
			require.True(t, ok)
			require.Len(t, p.Running, 3)
			require.EqualValues(t, 4, p.Running[0].Attempt.Seq)
			require.Equal(t, 5*time.Second, p.Running[0].For)
			require.EqualValues(t, 3, p.Tally.Counts().Failures())
			require.EqualValues(t, 3, p.SessionDone)
		}()
		_, err := e.Run()
		require.NoError(t, err)
		_, ok := e.Progress()
		require.False(t, ok, "after the end there is nobody to ask")
		synctest.Wait()
	})
}

// TestAnAnswerEndsTheCampaign: what is asked for is told to the sinks first, and attempts under way are not waited for.
func TestAnAnswerEndsTheCampaign(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(nil)
		r.play = func(a run.Attempt, ctl *run.Control) run.Result {
			if a.Seq == 3 {
				return takes(time.Hour, passes)(a, ctl)
			}
			return takes(time.Second, passes)(a, ctl)
		}
		e := r.engine(t, spec(2, run.Stop{Runs: 100}), func(cfg *stress.Config) {
			cfg.Answered = func() bool { return len(emitted[run.Finished](r)) >= 5 }
		})
		begun := time.Now()
		ended, err := e.Run()
		require.NoError(t, err)
		require.Equal(t, run.ReasonDecided, ended.Reason)
		require.Equal(t, []int64{1, 2, 4, 5, 6}, r.seqs())
		require.InDelta(t, 1.5, ended.Cancelled, 0.5, "the one that hangs, and one that was started while the fifth was recorded")
		require.Less(t, time.Since(begun), time.Minute)
	})
}

// TestAttemptsAreAssigned: what an attempt is given is in force before anybody hears of it, on every try.
func TestAttemptsAreAssigned(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		killed := run.Ending{Signal: int(syscall.SIGKILL), SignalName: "SIGKILL"}
		other := &run.Command{Args: []string{"other"}}
		r := newRig(func(a run.Attempt, ctl *run.Control) run.Result {
			require.Equal(t, other, a.Instead)
			require.EqualValues(t, 1000+a.Seq, a.Seed)
			if a.Seq == 2 && a.Try == 1 {
				return takes(time.Second, killed)(a, ctl)
			}
			return takes(time.Second, passes)(a, ctl)
		})
		_, err := r.engine(t, spec(1, run.Stop{Runs: 3}), func(cfg *stress.Config) {
			cfg.Assign = func(a *run.Attempt) { a.Instead, a.Seed = other, uint64(1000+a.Seq) }
		}).Run()
		require.NoError(t, err)
		require.Len(t, emitted[run.Started](r), 4)
		for _, s := range emitted[run.Started](r) {
			require.EqualValues(t, 1000+s.Attempt.Seq, s.Attempt.Seed)
		}
		for _, fin := range r.finished() {
			require.EqualValues(t, 1000+fin.Seq, fin.Seed)
		}
	})
}
