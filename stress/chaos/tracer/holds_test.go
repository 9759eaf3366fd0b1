package tracer

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

var burst = terms{most: time.Second, rate: run.BudgetFactor}

// However many holds are wanted, of however many threads, no stretch of an attempt is lengthened by more than its terms say:
// what may be owed at once and so many times what is left of it without them.
func TestNoPartIsLengthenedByMoreThanTheWhole(t *testing.T) {
	_, pct := termsOf(&chaos.Plan{Strategy: chaos.PCT, Burst: time.Second})
	for name, by := range map[string]terms{"burst": burst, "pct": pct} {
		t.Run(name, func(t *testing.T) { keepsTo(t, by) })
	}
}

func keepsTo(t *testing.T, by terms) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		b := budget{limit: time.Hour, terms: by}
		type stretch struct{ from, to time.Duration }
		var held []stretch
		for now := time.Duration(0); now < 20*time.Second; now += time.Duration(r.IntN(int(20 * time.Millisecond))) {
			if long := time.Duration(r.IntN(int(50 * time.Millisecond))); b.take(now, long) {
				held = append(held, stretch{now, now + long})
			}
		}
		for i := range held {
			from, total := held[i].from, time.Duration(0)
			for end, at := from, i; at < len(held); at++ {
				total += max(held[at].to-max(held[at].from, end), 0)
				end = max(end, held[at].to)
				if most := by.most + time.Duration(by.rate*float64(end-from-total)) + 50*time.Millisecond; total > most {
					require.Fail(t, "more is held than may be", "seed %d: %v from %v to %v, at most %v", seed, total, from, end, most)
				}
			}
		}
		share := by.rate / (1 + by.rate)
		require.Greater(t, b.spent.Seconds(), 0.8*share*20, "seed %d: much of it is held", seed)
	}
}

// A long hold is made where nothing is owed, and what is refunded is not owed.
func TestALongHoldNeedsAClearAccount(t *testing.T) {
	b := budget{limit: time.Minute, terms: burst}
	require.True(t, b.take(0, 1500*time.Millisecond))
	require.False(t, b.take(1500*time.Millisecond, time.Millisecond))
	require.Zero(t, b.left(1500*time.Millisecond))
	require.True(t, b.take(1900*time.Millisecond, 700*time.Millisecond), "0.4 s at three times: 0.3 s are owed")
	require.False(t, b.take(2600*time.Millisecond, 1500*time.Millisecond))
	b.refund(1900*time.Millisecond, nil)
	require.Equal(t, 1500*time.Millisecond, b.spent)
	require.Equal(t, 700*time.Millisecond, b.left(1900*time.Millisecond))
	require.True(t, b.take(2*time.Second, 1500*time.Millisecond))
	require.True(t, (&budget{limit: time.Minute}).take(0, time.Minute), "without a burst only the whole counts")
}

// Where all threads are kept from running over and over, less of the time is held: under pct less than half of any second.
func TestOrdersAreSoughtAtLessThanTheBudget(t *testing.T) {
	_, others := termsOf(&chaos.Plan{Strategy: chaos.Hold, Burst: time.Second})
	require.Equal(t, burst, others)
	_, pct := termsOf(&chaos.Plan{Strategy: chaos.PCT, Burst: time.Second})
	require.Less(t, (pct.most.Seconds()+pct.rate)/(1+pct.rate), 0.5)
	_, preempt := termsOf(&chaos.Plan{Strategy: chaos.Preempt, Burst: time.Second})
	require.Equal(t, terms{most: time.Second, rate: orderRate}, preempt, "a short test gets as much as under the others")
	_, short := termsOf(&chaos.Plan{Strategy: chaos.PCT, Burst: time.Millisecond})
	require.Equal(t, time.Millisecond, short.most, "no more than the attempt's budget allows")
	_, none := termsOf(&chaos.Plan{Strategy: chaos.PCT, Burst: time.Second, Replay: true})
	require.Zero(t, none)
}
