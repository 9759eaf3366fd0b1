package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/stats"
)

func TestUnseenOfKnownCounts(t *testing.T) {
	share, in := stats.Unseen(0, 0, 0, 1)
	require.Equal(t, 1.0, share)
	require.Equal(t, stats.Interval{Low: 0, High: 1}, in)

	share, in = stats.Unseen(1000, 0, 0, 1)
	require.Zero(t, share)
	require.Zero(t, in.Low)
	require.InDelta(t, 1-math.Pow(0.025, 1.0/1000), in.High, 1e-9, "nothing new in 1,000 is not never")

	share, in = stats.Unseen(100, 100, 0, 1)
	require.Equal(t, 1.0, share)
	require.Equal(t, 1.0, in.High)

	_, all := stats.Unseen(100_000, 20_000, 5_000, 1)
	_, few := stats.Unseen(100_000, 20_000, 5_000, 64)
	require.Greater(t, few.High-few.Low, 2*(all.High-all.Low), "watching one kind in 64 costs certainty")
	require.Panics(t, func() { stats.Unseen(-1, 0, 0, 1) })
}

// Planted distributions of kinds. The truth is the probability of all kinds that were not drawn.
func TestUnseenHoldsTheTruth(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 7))
	for _, c := range []struct {
		name   string
		kinds  int
		weight func(i int) float64
	}{
		{"even, 20 kinds", 20, func(int) float64 { return 1 }},
		{"even, 1000 kinds", 1000, func(int) float64 { return 1 }},
		{"Zipf, 5000 kinds", 5000, func(i int) float64 { return 1 / float64(i+1) }},
		{"geometric", 60, func(i int) float64 { return math.Pow(0.6, float64(i)) }},
		{"one common, 300 rare", 301, func(i int) float64 {
			if i == 0 {
				return 0.95
			}
			return 0.05 / 300
		}},
		{"steep", 2000, func(i int) float64 { return math.Pow(float64(i+1), -1.7) }},
	} {
		for _, n := range []int{50, 400, 3000} {
			for _, scale := range []int{1, 4} {
				if scale > 1 && n < 3000 {
					continue // kinds are only left out where there are thousands
				}
				const trials = 400
				held := 0
				for range trials {
					held += unseenTrial(rng, c.kinds, c.weight, n, scale)
				}
				t.Logf("%s, n %d, scale %d: held in %d of %d", c.name, n, scale, held, trials)
				require.GreaterOrEqual(t, float64(held)/trials, 0.90, "%s, n %d, scale %d, seed %d", c.name, n, scale, seed)
			}
		}
	}
}

func unseenTrial(rng *rand.Rand, kinds int, weight func(int) float64, n, scale int) int {
	cumulative, total := make([]float64, kinds), 0.0
	for i := range cumulative {
		total += weight(i)
		cumulative[i] = total
	}
	counts := make([]int, kinds)
	for range n {
		x, low, high := rng.Float64()*total, 0, kinds-1
		for low < high {
			if mid := (low + high) / 2; cumulative[mid] < x {
				low = mid + 1
			} else {
				high = mid
			}
		}
		counts[low]++
	}
	var once, twice int64
	truth := 0.0
	for i, k := range counts {
		watched := rng.IntN(scale) == 0
		switch {
		case k == 0:
			truth += weight(i) / total
		case k == 1 && watched:
			once++
		case k == 2 && watched:
			twice++
		}
	}
	_, in := stats.Unseen(int64(n), once*int64(scale), twice*int64(scale), float64(scale))
	if in.Low <= truth && truth <= in.High {
		return 1
	}
	return 0
}
