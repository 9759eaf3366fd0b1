package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	moremath "github.com/aclements/go-moremath/stats"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"heisen/stress/stats"
)

func ranksOf(t require.TestingT, strata ...stats.Stratum) stats.Ranks {
	r, ok := stats.VanElteren(strata)
	require.True(t, ok)
	return r
}

func repeat(values ...float64) (list []float64) { // value, count, value, count, ...
	for i := 0; i < len(values); i += 2 {
		for range int(values[i+1]) {
			list = append(list, values[i])
		}
	}
	return list
}

func TestRankTestPublishedValues(t *testing.T) {
	t.Run("SAS/STAT example 47.1: arthritis, 59 patients with many ties", func(t *testing.T) {
		r := ranksOf(t, stats.Stratum{
			X: repeat(5, 5, 4, 11, 3, 5, 2, 1, 1, 5), Y: repeat(5, 2, 4, 4, 3, 7, 2, 7, 1, 12)})
		// Rank sum 999, expected 810, standard deviation 63.972744.
		require.InDelta(t, (999.0-27*28/2)/(27*32), r.AUC, 1e-12)
		require.InDelta(t, math.Erfc(189/63.972744/math.Sqrt2), r.P, 1e-8)
		require.False(t, r.Exact)
	})
	t.Run("R wilcox.test: permeability of placental membranes, exact", func(t *testing.T) {
		r := ranksOf(t, stats.Stratum{
			X: []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46},
			Y: []float64{1.15, 0.88, 0.90, 0.74, 1.21}})
		require.InDelta(t, 35.0/50, r.AUC, 1e-12) // W = 35, one-sided p = 0.1272
		require.True(t, r.Exact)
		require.InDelta(t, 2*0.1272, r.P, 1e-4)
	})
	t.Run("matched pairs are the sign test", func(t *testing.T) {
		strata := make([]stats.Stratum, 8)
		for i := range strata {
			strata[i] = stats.Stratum{X: []float64{float64(i + 1)}, Y: []float64{float64(i)}}
		}
		strata[7] = stats.Stratum{X: []float64{0}, Y: []float64{1}}
		r := ranksOf(t, strata...)
		require.True(t, r.Exact)
		require.InDelta(t, 2*9.0/256, r.P, 1e-12) // at least 7 of 8 heads, both sides
		require.InDelta(t, 7.0/8, r.AUC, 1e-12)
	})
	t.Run("pairs beyond the exact limit are McNemar's test", func(t *testing.T) {
		strata := make([]stats.Stratum, 40)
		for i := range strata {
			strata[i] = stats.Stratum{X: []float64{1}, Y: []float64{0}}
			if i < 12 {
				strata[i] = stats.Stratum{X: []float64{0}, Y: []float64{1}}
			}
		}
		r := ranksOf(t, strata...)
		require.False(t, r.Exact)
		require.InDelta(t, math.Erfc((28-12)/math.Sqrt(40)/math.Sqrt2), r.P, 1e-12)
	})
}

func TestNothingToCompare(t *testing.T) {
	_, ok := stats.VanElteren(nil)
	require.False(t, ok)
	_, ok = stats.VanElteren([]stats.Stratum{{X: []float64{1}}, {Y: []float64{2}}})
	require.False(t, ok, "a stratum of one group")
	for _, n := range []int{1, 3, 40} {
		r := ranksOf(t, stats.Stratum{X: repeat(7, float64(n)), Y: repeat(7, float64(n))})
		require.Equal(t, 0.5, r.AUC)
		require.Equal(t, 1.0, r.P, "all %d values are equal", n)
	}
}

// small draws strata with few different values, so that there are ties.
func small(t *rapid.T, maxStrata, maxSide int) []stats.Stratum {
	side := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 5), func(i int) float64 { return float64(i) }), 1, maxSide)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) stats.Stratum {
		return stats.Stratum{X: side.Draw(t, "x"), Y: side.Draw(t, "y")}
	}), 1, maxStrata).Draw(t, "strata")
}

// statistic is van Elteren's by its definition.
func statistic(s stats.Stratum) float64 {
	var sum float64
	all := append(append([]float64(nil), s.X...), s.Y...)
	for _, x := range s.X {
		rank := 0.5
		for _, v := range all {
			switch {
			case v < x:
				rank++
			case v == x:
				rank += 0.5
			}
		}
		sum += rank
	}
	return sum / float64(len(all)+1)
}

// everyStatistic lists the statistic of every way to choose X within each stratum.
func everyStatistic(strata []stats.Stratum) []float64 {
	sums := []float64{0}
	for _, s := range strata {
		all := append(append([]float64(nil), s.X...), s.Y...)
		var next []float64
		for mask := range 1 << len(all) {
			var split stats.Stratum
			for i, v := range all {
				if mask>>i&1 == 1 {
					split.X = append(split.X, v)
				} else {
					split.Y = append(split.Y, v)
				}
			}
			if len(split.X) != len(s.X) {
				continue
			}
			for _, sum := range sums {
				next = append(next, sum+statistic(split))
			}
		}
		sums = next
	}
	return sums
}

func TestExactPIsThatOfEveryPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		strata := small(t, 2, 4)
		r := ranksOf(t, strata...)
		require.True(t, r.Exact)
		observed := 0.0
		for _, s := range strata {
			observed += statistic(s)
		}
		var low, high float64
		every := everyStatistic(strata)
		for _, s := range every {
			if s <= observed+1e-9 {
				low++
			}
			if s >= observed-1e-9 {
				high++
			}
		}
		require.InDelta(t, min(1, 2*min(low, high)/float64(len(every))), r.P, 1e-9)
	})
}

func TestOneStratumIsMannWhitney(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Map(rapid.IntRange(0, 30), func(i int) float64 { return float64(i) })
		s := stats.Stratum{X: rapid.SliceOfN(value, 26, 60).Draw(t, "x"), Y: rapid.SliceOfN(value, 26, 60).Draw(t, "y")}
		r := ranksOf(t, s)
		u, err := moremath.MannWhitneyUTest(s.X, s.Y, moremath.LocationDiffers)
		if err != nil {
			return // all values are equal
		}
		nx, ny := float64(len(s.X)), float64(len(s.Y))
		require.InDelta(t, u.U/(nx*ny), r.AUC, 1e-12)
		// That one corrects for continuity by half a step of U: the p-values lie as far apart as that moves them.
		z := math.Sqrt2 * math.Erfinv(1-r.P)
		require.LessOrEqual(t, r.P, u.P+1e-12)
		require.InDelta(t, z, math.Sqrt2*math.Erfinv(1-u.P), 1.1/math.Sqrt(nx*ny*(nx+ny+1)/12)+0.02)
	})
}

// TestRankTestKeepsItsLevel draws alike groups, with ties and unequal strata.
func TestRankTestKeepsItsLevel(t *testing.T) {
	const seed, campaigns = 11, 4000
	r, small := rand.New(rand.NewPCG(seed, 0)), 0
	for range campaigns {
		strata := make([]stats.Stratum, 12)
		for i := range strata {
			level := 10 * r.Float64()
			draw := func(n int) (list []float64) {
				for range n {
					list = append(list, level+math.Round(4*r.ExpFloat64()))
				}
				return list
			}
			strata[i] = stats.Stratum{X: draw(1 + r.IntN(3)), Y: draw(2 + r.IntN(7))}
		}
		if res, _ := stats.VanElteren(strata); res.P <= 0.05 {
			small++
		}
	}
	t.Logf("seed %d: p <= 0.05 in %d of %d", seed, small, campaigns)
	require.InDelta(t, 0.05, float64(small)/campaigns, 0.015)
}

// TestAUCIntervalHoldsTheTruth measures how often AUC plus 1.645 SE lies above the true AUC, where all of
// X is greater by a shift, and where half of X is far greater and the rest like Y.
func TestAUCIntervalHoldsTheTruth(t *testing.T) {
	const seed, campaigns = 12, 2000
	worlds := map[string]struct {
		x     func(r *rand.Rand) float64
		truth float64
	}{
		"shift":   {func(r *rand.Rand) float64 { return r.NormFloat64() + 0.7825 }, 0.71},
		"mixture": {func(r *rand.Rand) float64 { return r.NormFloat64() + float64(10*r.IntN(2)) }, 0.75},
	}
	for name, w := range worlds {
		r, held := rand.New(rand.NewPCG(seed, 0)), 0
		for range campaigns {
			strata := make([]stats.Stratum, 20)
			for i := range strata {
				for range 8 {
					strata[i].Y = append(strata[i].Y, r.NormFloat64())
				}
				strata[i].X = append(strata[i].X, w.x(r))
			}
			if res, _ := stats.VanElteren(strata); res.AUC+1.645*res.SE >= w.truth {
				held++
			}
		}
		t.Logf("%s, seed %d: held in %d of %d", name, seed, held, campaigns)
		require.GreaterOrEqual(t, float64(held)/campaigns, 0.93)
	}
}

func TestHolm(t *testing.T) {
	// R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
	require.InDeltaSlice(t, []float64{0.03, 0.06, 0.06, 0.02}, stats.Holm([]float64{0.01, 0.04, 0.03, 0.005}), 1e-12)
	require.Equal(t, []float64{1, 1}, stats.Holm([]float64{0.9, 0.8}))
	require.Empty(t, stats.Holm(nil))
}

func TestNoetherSize(t *testing.T) {
	// Noether's own formula for two equal groups, two-sided 5 %, power 80 %, P = 0.7: N = 66 in all.
	require.InDelta(t, 33, stats.NoetherSize(0.7, 0.5, 0.05, 0.8), 0.5)
	require.True(t, math.IsInf(stats.NoetherSize(0.5, 0.5, 0.05, 0.8), 1))
	require.Greater(t, stats.NoetherSize(0.71, 0.1, 0.01, 0.8), stats.NoetherSize(0.9, 0.1, 0.01, 0.8))
}

func TestNoetherSizeIsEnough(t *testing.T) {
	const seed, campaigns = 13, 1000
	n := int(stats.NoetherSize(0.71, 1.0/9, 0.01, 0.8))
	r, found := rand.New(rand.NewPCG(seed, 0)), 0
	for range campaigns {
		strata := make([]stats.Stratum, n)
		for i := range strata {
			strata[i].X = []float64{r.NormFloat64() + 0.7825}
			for range 8 {
				strata[i].Y = append(strata[i].Y, r.NormFloat64())
			}
		}
		if res, _ := stats.VanElteren(strata); res.P <= 0.01 {
			found++
		}
	}
	t.Logf("seed %d: found in %d of %d with %d failures each", seed, found, campaigns, n)
	require.InDelta(t, 0.8, float64(found)/campaigns, 0.1)
}
