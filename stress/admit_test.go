package stress_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// Attempts start only while they are wanted; a retried one goes before new ones that are not wanted yet.
func TestOnlyWantedAttemptsAreMade(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		wanted := int64(0)
		r := newRig(nil)
		r.play = func(a run.Attempt, ctl *run.Control) run.Result {
			if a.Seq == 2 && a.Try == 1 {
				return takes(time.Second, killed)(a, ctl)
			}
			return takes(2*time.Second, passes)(a, ctl)
		}
		e := r.engineWith(t, spec(3, run.Stop{}), func(seq int64) bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return seq <= wanted
		})
		want := func(n int64) {
			r.sync(func() { wanted = n })
			require.True(t, e.Nudge())
		}
		ended := make(chan run.Ended)
		go func() {
			end, err := e.Run()
			require.NoError(t, err)
			ended <- end
		}()
		time.Sleep(time.Minute)
		require.Empty(t, r.seqs(), "nobody wants any")
		want(2)
		time.Sleep(time.Minute)
		require.Equal(t, upTo(2), r.seqs())
		want(7)
		synctest.Wait()
		e.Finish()
		require.Equal(t, run.ReasonRuns, (<-ended).Reason)
		require.Equal(t, upTo(5), r.seqs(), "the three that ran went on to their end")
		require.False(t, e.Nudge(), "the session is over")
	})
}
