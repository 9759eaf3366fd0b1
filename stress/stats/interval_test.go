package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"heisen/stress/stats"
)

func TestClopperPearsonPublishedValues(t *testing.T) {
	cases := []struct {
		name       string
		k, n       int64
		confidence float64
		low, high  float64
		relative   float64
	}{
		// Printed by R's binom.test, which computes this interval.
		{"R 9 of 24", 9, 24, 0.95, 0.1879929, 0.5940636, 1e-6},
		{"R 682 of 925 (Mendel's peas, from its help page)", 682, 925, 0.95, 0.7076683, 0.7654066, 1e-6},
		{"R 1 of 1497 at 90 %", 1, 1497, 0.90, 3.426347e-05, 3.164954e-03, 1e-6},
		// The closed forms where nothing or everything failed.
		{"0 of 10", 0, 10, 0.95, 0, 1 - math.Pow(0.025, 0.1), 1e-9},
		{"10 of 10", 10, 10, 0.95, math.Pow(0.025, 0.1), 1, 1e-9},
		{"0 of ten million", 0, 1e7, 0.95, 0, -math.Expm1(math.Log(0.025) / 1e7), 1e-7},
		// At n = 10^7 a handful of failures is Poisson: the limits that F. Garwood tabulated
		// (Biometrika 28, 1936), divided by n.
		{"1 of ten million", 1, 1e7, 0.95, 0.0253178e-7, 5.571643e-7, 2e-6},
		{"3 of ten million", 3, 1e7, 0.95, 0.618672e-7, 8.767273e-7, 2e-6},
		{"10 of ten million", 10, 1e7, 0.95, 4.795389e-7, 18.39036e-7, 2e-6},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := stats.ClopperPearson(c.k, c.n, c.confidence)
			require.InDelta(t, c.low, in.Low, c.relative*max(c.low, 1e-300))
			require.InDelta(t, c.high, in.High, c.relative*c.high)
		})
	}
}

func TestNoTrialsSayNothing(t *testing.T) {
	require.Equal(t, stats.Interval{Low: 0, High: 1}, stats.ClopperPearson(0, 0, stats.Confidence))
}

func TestImpossibleCountsPanic(t *testing.T) {
	for _, c := range []struct {
		k, n       int64
		confidence float64
	}{{-1, 5, 0.95}, {6, 5, 0.95}, {1, 5, 0}, {1, 5, 1}, {1, 5, math.NaN()}} {
		require.Panics(t, func() { stats.ClopperPearson(c.k, c.n, c.confidence) }, fmt.Sprint(c))
	}
}

// The interval's defining property: at each limit, the tail beyond what was seen has half of what the
// confidence leaves.
func TestClopperPearsonInvertsTheBinomialTest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 10_000_000).Draw(t, "n")
		k := rapid.Int64Range(0, min(n, 60)).Draw(t, "k")
		if rapid.Bool().Draw(t, "mirror") {
			k = n - k
		}
		in := stats.ClopperPearson(k, n, stats.Confidence)
		mirrored := stats.ClopperPearson(n-k, n, stats.Confidence)
		share := float64(k) / float64(n)
		require.True(t, 0 <= in.Low && in.Low <= share && share <= in.High && in.High <= 1, "%+v", in)
		require.InDelta(t, 1-in.High, mirrored.Low, 1e-8)
		if k > 0 && k <= 60 {
			require.InEpsilon(t, 0.025, 1-below(k, n, in.Low), 1e-4, "low end %v", in.Low)
		}
		if k < n && k <= 60 {
			require.InEpsilon(t, 0.025, below(k+1, n, in.High), 1e-4, "high end %v", in.High)
		}
	})
}

// below is P(X < k) for X binomial, by summing the terms: slow, and shares no code with the beta function.
func below(k, n int64, p float64) float64 {
	term, sum := float64(n)*math.Log1p(-p), 0.0
	for i := range k {
		sum += math.Exp(term)
		term += math.Log(float64(n-i)) - math.Log(float64(i+1)) + math.Log(p) - math.Log1p(-p)
	}
	return sum
}

// Planted proportions: the share of experiments whose interval holds the truth is at least what is
// promised. Four standard errors are allowed, so that a sound program fails here once in 30,000 runs.
func TestCoverageIsAtLeastNominal(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	const experiments = 4000
	slack := 4 * math.Sqrt(stats.Confidence*(1-stats.Confidence)/experiments)
	for _, planted := range []struct {
		p float64
		n int64
	}{{0.5, 20}, {0.1, 50}, {0.01, 600}, {0.001, 5000}, {0.0001, 5000}, {0.99, 100}} {
		draw := distuv.Binomial{N: float64(planted.n), P: planted.p, Src: rand.NewPCG(seed, uint64(planted.n))}
		held := 0
		for range experiments {
			in := stats.ClopperPearson(int64(draw.Rand()), planted.n, stats.Confidence)
			if in.Low <= planted.p && planted.p <= in.High {
				held++
			}
		}
		coverage := float64(held) / experiments
		require.GreaterOrEqual(t, coverage, stats.Confidence-slack, "seed %d, planted %+v", seed, planted)
	}
}
