package stress_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

var errCrash = errors.New("the disk is gone")

// TestFault31ACrashBetweenAnyTwoStepsLosesNothing stops the world before the n-th step of a campaign, for
// every n, and resumes from what the journal holds: each attempt is there once, and whatever the journal
// calls finished was archived before.
func TestFault31ACrashBetweenAnyTwoStepsLosesNothing(t *testing.T) {
	for n := 1; n < 45; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(takes(time.Second, fails))
				count := 0
				r.fault = func(s step) error {
					if count++; count >= n {
						return errCrash
					}
					return nil
				}
				_, err := r.engine(t, spec(3, run.Stop{Runs: 8})).Run()
				crashed := err != nil
				for _, fin := range r.finished() {
					require.Contains(t, r.steps, step{"archived", fin.Seq, fin.Try, fin.Slot})
				}
				require.LessOrEqual(t, len(emitted[run.Finished](r)), len(r.finished()), "nothing is announced that is not on disk")
				r.fault = nil
				_, err = r.engine(t, spec(3, run.Stop{Runs: 8})).Run()
				require.NoError(t, err)
				require.Equal(t, upTo(8), r.seqs())
				if n < 20 {
					require.True(t, crashed, "the crash did not happen: this test tested nothing")
				}
			})
		})
	}
}

func TestAFailingJournalEndsTheCampaign(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(takes(time.Second, passes))
		r.fault = func(s step) error {
			if s.what == "recorded" && s.seq == 7 {
				return errCrash
			}
			return nil
		}
		ended, err := r.engine(t, spec(2, run.Stop{Runs: 100})).Run()
		require.ErrorIs(t, err, errCrash)
		require.Equal(t, run.ReasonError, ended.Reason)
		require.NotContains(t, r.seqs(), int64(7))
		for _, fin := range emitted[run.Finished](r) {
			require.NotEqual(t, int64(7), fin.Seq)
		}
	})
}

func TestFault36AFullDiskPausesTheCampaign(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(takes(time.Second, passes))
		begun := time.Now()
		r.fault = func(s step) error {
			full := time.Since(begun) > 5*time.Second && time.Since(begun) < 65*time.Second
			if full && (s.what == "recorded" || s.what == "archived") {
				return fmt.Errorf("append: %w", syscall.ENOSPC)
			}
			return nil
		}
		_, err := r.engine(t, spec(4, run.Stop{Runs: 100})).Run()
		require.NoError(t, err)
		require.Equal(t, upTo(100), r.seqs())
		require.NotEmpty(t, emitted[run.MachineFault](r))
		started := 0
		for _, s := range emitted[run.Started](r) {
			if since := s.At.Sub(begun); since > 8*time.Second && since < 60*time.Second {
				started++
			}
		}
		require.Zero(t, started, "nothing is started that could not be recorded")
	})
}

func TestADiskThatStaysFullEndsTheCampaign(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(takes(time.Second, passes))
		r.fault = func(s step) error {
			if s.seq > 3 && s.what == "recorded" {
				return syscall.ENOSPC
			}
			return nil
		}
		ended, err := r.engine(t, spec(1, run.Stop{Runs: 100})).Run()
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.Equal(t, run.ReasonMachine, ended.Reason)
		require.Equal(t, upTo(3), r.seqs())
	})
}

func TestResumeRunsWhatIsMissingAndNothingElse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(nil)
		r.play = func(a run.Attempt, ctl *run.Control) run.Result {
			if a.Seq%2 == 0 {
				return takes(time.Hour, passes)(a, ctl)
			}
			return takes(time.Second, passes)(a, ctl)
		}
		e := r.engine(t, spec(6, run.Stop{Runs: 20}))
		time.AfterFunc(4*time.Second, e.Interrupt)
		_, err := e.Run()
		require.NoError(t, err)
		first := r.seqs()
		require.NotEqual(t, upTo(20), first)

		ran := map[int64]int{}
		r.play = func(a run.Attempt, ctl *run.Control) run.Result {
			r.sync(func() { ran[a.Seq]++ })
			return takes(time.Second, passes)(a, ctl)
		}
		_, err = r.engine(t, spec(6, run.Stop{Runs: 20})).Run()
		require.NoError(t, err)
		require.Equal(t, upTo(20), r.seqs())
		require.Len(t, ran, 20-len(first))
		for _, seq := range first {
			require.NotContains(t, ran, seq)
		}
	})
}

// TestFault18ClockJumps has the wall clock leap forth and back between attempts. Durations come from the
// monotonic clock and stay right; only the times of day follow the leaps.
func TestFault18ClockJumps(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(nil)
		var byTheClock []time.Duration // the control: what subtracting times of day would have said
		r.play = func(a run.Attempt, ctl *run.Control) run.Result {
			res := takes(2*time.Second, passes)(a, ctl)
			leap := time.Hour
			if a.Seq%2 == 0 {
				leap = -time.Hour
			}
			res.Started = res.Started.Round(0).Add(leap)
			byTheClock = append(byTheClock, time.Now().Round(0).Sub(res.Started))
			return res
		}
		ended, err := r.engine(t, spec(1, run.Stop{Runs: 5})).Run()
		require.NoError(t, err)
		require.InDelta(t, 10, ended.Elapsed.Seconds(), 0.5)
		for _, fin := range r.finished() {
			require.EqualValues(t, 2_000_000, fin.Wall)
		}
		require.Len(t, byTheClock, 5)
		for _, wrong := range byTheClock {
			require.Greater(t, (wrong - 2*time.Second).Abs(), 59*time.Minute)
		}
		slow := emitted[run.Slow](r)
		require.Empty(t, slow)
	})
}
