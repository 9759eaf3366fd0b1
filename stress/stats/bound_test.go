package stats_test

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/stats"
)

// The sentence a clean soak ends with, by hand: 1 - 0.01^(1/5210) and (1 - 0.0001)^5210.
func TestCleanRunBoundsTheRate(t *testing.T) {
	require.InDelta(t, 0.000883520, stats.UpperBound(0, 5210, 0.99), 1e-9)
	require.InDelta(t, 0.593911, stats.PassChance(0.0001, 5210), 1e-6)
	require.InDelta(t, 1-math.Pow(0.05, 1.0/59), stats.UpperBound(0, 59, 0.95), 1e-12)
	require.Equal(t, 1.0, stats.UpperBound(0, 0, 0.99))
	require.Equal(t, 1.0, stats.UpperBound(7, 7, 0.99))
	require.Equal(t, stats.ClopperPearson(3, 5000, 0.98).High, stats.UpperBound(3, 5000, 0.99))
	require.Equal(t, 1.0, stats.PassChance(0.5, 0))
	require.Equal(t, 1.0, stats.PassChance(0, 1e9))
	require.Equal(t, 0.0, stats.PassChance(1, 3))
}

// B(1/2, n+1/2) / B(1/2, 1/2) is (1/2)(3/4)(5/6)... with n factors, which gives the ends in closed form.
func TestConfidenceSequenceClosedForms(t *testing.T) {
	ratio := 1.0
	for n := int64(1); n <= 2000; n++ {
		ratio *= (2*float64(n) - 1) / (2 * float64(n))
		high := 1 - math.Pow(0.01*ratio, 1/float64(n))
		clean := stats.ConfidenceSequence(0, n, 0.99)
		require.Equal(t, 0.0, clean.Low)
		require.InEpsilon(t, high, clean.High, 1e-9)
		broken := stats.ConfidenceSequence(n, n, 0.99)
		require.InEpsilon(t, 1-high, broken.Low, 1e-7)
		require.Equal(t, 1.0, broken.High)
	}
	require.Equal(t, stats.Interval{Low: 0, High: 1}, stats.ConfidenceSequence(0, 0, 0.99))
	require.Panics(t, func() { stats.ConfidenceSequence(2, 1, 0.99) })
}

// A reader who looks after every attempt ever sees an interval that misses the truth in at most 1 % of campaigns,
// where the interval for a fixed number of attempts is seen to miss it many times as often.
func TestConfidenceSequenceHoldsWhileOneLooks(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	campaigns, attempts := 200, int64(400)
	if os.Getenv("HEISEN_SLOW_TESTS") == "1" {
		campaigns, attempts = 1000, 1000
	}
	for _, rate := range []float64{0.3, 0.03, 0.003} {
		r, missed, fixed := rand.New(rand.NewPCG(seed, 1)), 0, 0
		for range campaigns {
			var k int64
			out, fixedOut := false, false
			for n := int64(1); n <= attempts; n++ {
				if r.Float64() < rate {
					k++
				} else if n&(n-1) != 0 {
					continue // the upper end can only be left at a pass, and is looked at there at every power of 2
				}
				out = out || !holds(stats.ConfidenceSequence(k, n, 0.99), rate)
				fixedOut = fixedOut || !holds(stats.ClopperPearson(k, n, 0.99), rate)
			}
			if out {
				missed++
			}
			if fixedOut {
				fixed++
			}
		}
		t.Logf("seed %d, rate %v: %d of %d ever missed; %d with an interval for a fixed size", seed, rate, missed, campaigns, fixed)
		require.LessOrEqual(t, missed, campaigns/100+4*int(math.Sqrt(float64(campaigns)/100)), "seed %d, rate %v", seed, rate)
		require.GreaterOrEqual(t, fixed, missed)
	}
}

func holds(in stats.Interval, p float64) bool { return in.Low <= p && p <= in.High }

// While nothing fails the bound may be read at any moment.
func TestCleanBoundHoldsWhileOneLooks(t *testing.T) {
	for _, rate := range []float64{0.3, 0.01, 0.0007} {
		n := int64(1)
		for stats.UpperBound(0, n, 0.99) >= rate {
			n++
		}
		require.LessOrEqual(t, stats.PassChance(rate, n), 0.01, "the first bound that is too low needs this luck")
		require.Greater(t, stats.PassChance(rate, n-1), 0.01)
	}
}
