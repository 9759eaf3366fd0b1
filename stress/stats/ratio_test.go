package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"heisen/stress/stats"
)

var decided = math.Log(100)

// What the test promises is that the e-value expects at most 1 under the hypothesis. Here the expectation is summed
// up over every count: of failures before in n0 attempts, and of failures after in n1.
func TestEvidenceExpectsAtMostOne(t *testing.T) {
	for _, n0 := range []int64{1, 5, 30, 100} {
		for _, n1 := range []int64{10, 400} {
			for _, before := range []float64{0.001, 0.02, 0.1, 0.5, 0.95} {
				for _, ratio := range []float64{0.1, 1} {
					require.LessOrEqual(t, expected(n0, n1, before, ratio*before, func(a stats.Arms) float64 {
						return stats.FellBelow([]stats.Arms{a}, ratio)
					}), 1+1e-6, "fell: %d %d %v %v", n0, n1, before, ratio)
					require.LessOrEqual(t, expected(n0, n1, before, ratio*before, func(a stats.Arms) float64 {
						return stats.StayedAbove([]stats.Arms{a}, ratio)
					}), 1+1e-6, "stayed: %d %d %v %v", n0, n1, before, ratio)
				}
			}
		}
	}
}

func expected(n0, n1 int64, before, after float64, evidence func(stats.Arms) float64) (sum float64) {
	pick := func(n int64, p float64) (from, to int64, of distuv.Binomial) {
		mean, sd := float64(n)*p, math.Sqrt(float64(n)*p*(1-p))
		return max(0, int64(mean-9*sd-5)), min(n, int64(mean+9*sd+9)), distuv.Binomial{N: float64(n), P: p}
	}
	from0, to0, b0 := pick(n0, before)
	from1, to1, b1 := pick(n1, after)
	for k0 := from0; k0 <= to0; k0++ {
		for k1 := from1; k1 <= to1; k1++ {
			a := stats.Arms{Before: n0, BeforeFailed: k0, After: n1, AfterFailed: k1}
			sum += b0.Prob(float64(k0)) * b1.Prob(float64(k1)) * math.Exp(evidence(a))
		}
	}
	return sum
}

// The exact test for a fixed size, conditional on all failures, is passed by a clean run as soon as
// (1 + n1/(10 n0))^k0 >= 100. Looking all the time may cost at most a third more.
func TestCleanRunCostsLittleMoreThanAFixedSize(t *testing.T) {
	for _, k0 := range []int64{6, 10, 20, 50, 200, 1000} {
		n0 := 100 * k0
		fixed := 10 * float64(n0) * (math.Exp(decided/float64(k0)) - 1)
		n1 := least(func(n1 int64) bool {
			return stats.FellBelow([]stats.Arms{{Before: n0, BeforeFailed: k0, After: n1}}, 0.1) >= decided
		})
		t.Logf("%d of %d failed before: clean %d, fixed size %.0f: %.2f times", k0, n0, n1, fixed, float64(n1)/fixed)
		require.Less(t, float64(n1)/fixed, 1.5)
		require.Greater(t, float64(n1)/fixed, 1.0, "sooner than the exact test would be wrong")
	}
}

// A test that fails as often as before is found out after about ten failures, whatever the size of the baseline: the
// alternatives must cover small and large ones.
func TestNothingChangedShowsSoon(t *testing.T) {
	for _, k0 := range []int64{5, 20, 100, 500, 2000} {
		k1 := least(func(k1 int64) bool {
			return stats.StayedAbove([]stats.Arms{{Before: 50 * k0, BeforeFailed: k0, After: 50 * k1, AfterFailed: k1}}, 0.1) >= decided
		})
		t.Logf("%d failed before: %d failures after", k0, k1)
		require.LessOrEqual(t, k1, int64(12), "Wald's test of known rates wants 3.5")
	}
}

func least(yes func(int64) bool) int64 {
	high := int64(1)
	for !yes(high) {
		high *= 2
	}
	low := high / 2
	for high-low > 1 {
		if mid := (low + high) / 2; yes(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

func TestNothingSeenProvesNothing(t *testing.T) {
	for name, strata := range map[string][]stats.Arms{
		"nothing at all": nil, "nothing after": {{Before: 50, BeforeFailed: 20}},
		"never failed before": {{Before: 500, After: 100_000}}, "no attempts before": {{After: 100_000, AfterFailed: 50}},
		"all failed, both": {{Before: 100, BeforeFailed: 100, After: 1000, AfterFailed: 1000}},
	} {
		require.Less(t, stats.FellBelow(strata, 0.1), decided, name)
	}
	require.Less(t, stats.StayedAbove(nil, 0.1), decided)
	require.Less(t, stats.StayedAbove([]stats.Arms{{AfterFailed: 5, After: 500}}, 0.1), decided, "no baseline")
	require.Greater(t, stats.StayedAbove([]stats.Arms{{Before: 100, BeforeFailed: 100, After: 20, AfterFailed: 20}}, 0.1), decided)
	require.Greater(t, stats.FellBelow([]stats.Arms{{Before: 100, BeforeFailed: 100, After: 100}}, 0.1), decided)
}

// Plans with rates of their own are as much evidence together as one plan where the attempts are spread alike, and
// never proof where one plan alone was skipped afterwards.
func TestStrataAddUp(t *testing.T) {
	one := []stats.Arms{{Before: 300, BeforeFailed: 30, After: 3000}}
	three := []stats.Arms{{Before: 100, BeforeFailed: 21, After: 1000}, {Before: 100, BeforeFailed: 8, After: 1000},
		{Before: 100, BeforeFailed: 1, After: 1000}}
	require.InDelta(t, stats.FellBelow(one, 0.1), stats.FellBelow(three, 0.1), 0.3)
	// Simpson's paradox: only the plan that hardly ever failed is run again, at its old rate.
	skipped := []stats.Arms{{Before: 100, BeforeFailed: 60}, {Before: 900, BeforeFailed: 9, After: 2000, AfterFailed: 20}}
	pooled := []stats.Arms{{Before: 1000, BeforeFailed: 69, After: 2000, AfterFailed: 20}}
	require.Less(t, stats.FellBelow(skipped, 1), 0.0)
	require.Greater(t, stats.FellBelow(pooled, 1), decided, "pooling would have been fooled")
}

// Somebody looks after every attempt and stops as soon as the test says what is not so. Between failures evidence of
// a fall only grows, and evidence against one is greatest at a failure, so looking there is looking always.
func TestRatioErrorsWhileOneLooks(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	const campaigns = 500
	for _, rate := range []float64{0.3, 0.03, 0.003} {
		r, fell, stayed := rand.New(rand.NewPCG(seed, 2)), 0, 0
		for range campaigns {
			mostStayed, mostFell := looking(r, rate, 0.1, 30, false)
			if mostFell >= decided {
				fell++
			}
			if mostStayed >= decided {
				stayed++
			}
		}
		t.Logf("seed %d, rate %v, fell exactly ten times: below in %d, above in %d of %d", seed, rate, fell, stayed, campaigns)
		require.LessOrEqual(t, fell, 5+4*3, "seed %d", seed)
		require.LessOrEqual(t, stayed, 5+4*3, "seed %d", seed)
	}
}

// Whatever two attempts of a pair have to do with each other, a pair is no winning bet under the hypothesis.
func TestPairIsNoWinningBet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ratio := rapid.Float64Range(0.01, 1).Draw(t, "ratio")
		before := rapid.Float64Range(0, 1).Draw(t, "before")
		least := max(0, before+ratio*before-1)
		both := least + rapid.Float64Range(0, 1).Draw(t, "both")*max(0, ratio*before-least)
		worth := func(evidence func(stats.Pairs) float64) float64 {
			return both*math.Exp(evidence(stats.Pairs{Both: 1})) + (before-both)*math.Exp(evidence(stats.Pairs{OnlyBefore: 1})) +
				(ratio*before-both)*math.Exp(evidence(stats.Pairs{OnlyAfter: 1})) + (1 - before - ratio*before + both)
		}
		require.InDelta(t, 1, worth(func(p stats.Pairs) float64 { return p.FellBelow(ratio) }), 1e-9)
		require.InDelta(t, 1, worth(func(p stats.Pairs) float64 { return p.StayedAbove(ratio) }), 1e-9)
	})
}

func TestPairsClosedForms(t *testing.T) {
	require.InDelta(t, 0, stats.Pairs{}.FellBelow(0.1), 1e-12)
	require.InDelta(t, 0, stats.Pairs{}.StayedAbove(0.1), 1e-12)
	mix := 0.5*math.Pow(1.1, 60) + 0.3*math.Pow(1.08, 60) + 0.2*math.Pow(1.04, 60)
	require.InDelta(t, math.Log(mix), stats.Pairs{OnlyBefore: 60}.FellBelow(0.1), 1e-9)
	require.Less(t, stats.Pairs{OnlyBefore: 51}.FellBelow(0.1), decided)
	require.Greater(t, stats.Pairs{OnlyBefore: 56}.FellBelow(0.1), decided)
	require.Greater(t, stats.Pairs{OnlyBefore: 8}.FellBelow(1), decided, "rarer at all: 0.5 * 2^8 and more")
	require.Greater(t, stats.Pairs{OnlyBefore: 5, OnlyAfter: 5}.StayedAbove(0.1), decided)
	var p stats.Pairs
	for _, pair := range [][2]bool{{true, true}, {true, false}, {false, true}, {false, false}, {true, false}} {
		p.Add(pair[0], pair[1])
	}
	require.Equal(t, stats.Pairs{OnlyBefore: 2, OnlyAfter: 1, Both: 1}, p)
}

func TestSPRT(t *testing.T) {
	// By hand: hits weigh log 3, misses log(7/9).
	test := stats.SPRT{Low: 0.1, High: 0.3, Error: 0.01}
	require.Equal(t, stats.Open, test.Decide(4, 4), "3^4 is below 100")
	require.Equal(t, stats.Higher, test.Decide(5, 5))
	require.Equal(t, stats.Open, test.Decide(0, 18), "(9/7)^18 is below 100")
	require.Equal(t, stats.Lower, test.Decide(0, 19))
	require.Equal(t, stats.Open, test.Decide(0, 0))
	for _, bad := range []stats.SPRT{{Low: 0, High: 0.5, Error: 0.1}, {Low: 0.5, High: 0.5, Error: 0.1}, {Low: 0.1, High: 1, Error: 0.1}, {Low: 0.1, High: 0.2}} {
		require.Panics(t, func() { bad.Decide(1, 2) })
	}
	require.Panics(t, func() { test.Decide(3, 2) })

	seed := uint64(time.Now().UnixNano())
	r, wrong := rand.New(rand.NewPCG(seed, 3)), map[float64]int{}
	const tests = 4000
	for range tests {
		for rate, want := range map[float64]stats.Answer{0.1: stats.Lower, 0.3: stats.Higher} {
			var hits, trials int64
			got := stats.Open
			for got == stats.Open {
				trials++
				if r.Float64() < rate {
					hits++
				}
				got = test.Decide(hits, trials)
			}
			if got != want {
				wrong[rate]++
			}
		}
	}
	t.Logf("seed %d: wrong at the low rate %d, at the high %d of %d", seed, wrong[0.1], wrong[0.3], tests)
	require.LessOrEqual(t, max(wrong[0.1], wrong[0.3]), 40+4*6, "seed %d", seed)
}

func TestMannKendall(t *testing.T) {
	// S = 8 and variance 50/3 by hand: z = 7 / sqrt(50/3).
	trend := stats.MannKendall([]float64{1, 2, 4, 3, 5})
	require.InDelta(t, 0.8, trend.Tau, 1e-12)
	require.InDelta(t, math.Erfc(7/math.Sqrt(2*50.0/3)), trend.P, 1e-12)
	require.InDelta(t, 1, trend.Slope, 1e-12)
	// One pair of equals takes 1 off the variance.
	tied := stats.MannKendall([]float64{1, 2, 2, 3})
	require.InDelta(t, math.Erfc(4/math.Sqrt(2*(4*3*13-2*1*9)/18.0)), tied.P, 1e-12)
	require.Equal(t, stats.Trend{P: 1}, stats.MannKendall([]float64{1, 2}))
	require.Equal(t, 1.0, stats.MannKendall([]float64{7, 7, 7, 7, 7}).P)
	require.Negative(t, stats.MannKendall([]float64{9, 8, 6, 5, 1, 0}).Slope)
}
