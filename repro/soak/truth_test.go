package soak_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	"heisen/repro/soak"
)

const (
	failedBefore = 30  // expected failures of the baseline
	patience     = 300 // expected failures at the old rate until a campaign gives up
)

// played is what became of simulated campaigns of one true factor.
type played struct {
	verdicts map[soak.Verdict]int
	attempts float64 // mean, undecided campaigns with all they had
}

// still is PERTURBED of a failure that became rarer and came again, byFactor of one that was shown to be rarer by the factor.
const (
	still    = soak.Verdict("still there")
	byFactor = soak.Verdict("still there, rarer by the factor")
)

// play runs a campaign to its first verdict, looked at after every attempt. Between failures the evidence for a rate
// that fell only grows, so the first attempt at which it suffices is found by bisection; that for one that did not
// is greatest at a failure.
func play(r *rand.Rand, before, after float64) (soak.Verdict, int64) {
	n0 := int64(failedBefore / before)
	b := soak.Baseline{Target: []string{"old"}, Plans: map[string]soak.Count{"p": {Attempts: n0,
		Failures: int64(distuv.Binomial{N: float64(n0), P: before, Src: r}.Rand())}}}
	at := func(n, k int64) soak.Verdict { return soak.Decide(b, "p", n, k) }
	most := int64(patience / before)
	for n, k := int64(0), int64(0); ; {
		clean := most - n
		if after > 0 {
			clean = min(clean, int64(math.Log(1-r.Float64())/math.Log1p(-after)))
		}
		if at(n+clean, k) != soak.CannotTell {
			low, high := n, n+clean
			for high-low > 1 {
				if mid := (low + high) / 2; at(mid, k) != soak.CannotTell {
					high = mid
				} else {
					low = mid
				}
			}
			return kindOf(b, high, k), high
		}
		if n+clean >= most {
			return soak.CannotTell, most
		}
		n, k = n+clean+1, k+1
		if at(n, k) != soak.CannotTell {
			return kindOf(b, n, k), n
		}
	}
}

// kindOf is the verdict, with what PERTURBED says beside.
func kindOf(b soak.Baseline, n, k int64) soak.Verdict {
	v := soak.Decide(b, "p", n, k)
	switch {
	case v != soak.Perturbed:
		return v
	case soak.Rarer(b, "p", n, k):
		return byFactor
	case soak.Stayed(b, "p", n, k):
		return v
	}
	return still
}

// TestTruth plays campaigns of known truth: base rates and factors as docs/statistics.md lists them.
func TestTruth(t *testing.T) {
	campaigns := 150
	if os.Getenv("HEISEN_SLOW_TESTS") == "1" {
		campaigns = 2000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d campaigns each, %d failures expected before, at most %d expected at the old rate after", seed, campaigns, failedBefore, patience)
	for _, before := range []float64{0.3, 0.03, 0.003} {
		for i, factor := range []float64{1, 3, 10, 100, math.Inf(1)} {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			p := played{verdicts: map[soak.Verdict]int{}}
			for range campaigns {
				v, n := play(r, before, before/factor)
				p.verdicts[v]++
				p.attempts += float64(n) / float64(campaigns)
			}
			best := known(before, factor)
			t.Logf("| %g %% | %s | %d | %d | %d | %d | %d | %d | %.0f | %s | %s | %s | %s |", 100*before, factorText(factor), p.verdicts[soak.Fixed], p.verdicts[byFactor], p.verdicts[still], p.verdicts[soak.NotFixed],
				p.verdicts[soak.Perturbed], p.verdicts[soak.CannotTell], p.attempts, orDash(fixedSize(before/10, before/factor)),
				orDash(wald(before/10, before/factor)), orDash(best), times(p.attempts/best))
			// Four standard errors over the 1 % promised, so that sound code fails here once in 30,000 runs.
			most := int(0.01*float64(campaigns) + 4*math.Sqrt(0.01*float64(campaigns)) + 1)
			if factor <= 10 {
				require.LessOrEqual(t, p.verdicts[soak.Fixed]+p.verdicts[byFactor], most, "seed %d", seed)
			}
			if factor >= 10 {
				require.LessOrEqual(t, p.verdicts[soak.NotFixed]+p.verdicts[soak.Perturbed], most, "seed %d", seed)
			}
			if factor == 1 {
				require.LessOrEqual(t, p.verdicts[soak.Perturbed]+p.verdicts[still], most, "seed %d", seed)
				require.Greater(t, p.verdicts[soak.NotFixed], campaigns*95/100, "seed %d", seed)
			}
			if math.IsInf(factor, 1) {
				require.Greater(t, p.verdicts[soak.Fixed], campaigns*95/100, "seed %d", seed)
			}
		}
	}
}

// wald is the mean number of attempts of the sequential test that is the best there is where both rates are
// known: 1 % errors, start at the true rate p, the other one boundary (Wald's approximation, no overshoot).
func wald(boundary, p float64) float64 {
	enough := math.Log(99)
	switch {
	case p == 0:
		return math.Ceil(math.Log(100) / -math.Log1p(-boundary))
	case p == boundary:
		return math.NaN()
	}
	drift := p*math.Log(p/boundary) + (1-p)*math.Log((1-p)/(1-boundary))
	return (0.99*enough - 0.01*enough) / drift
}

// known is the mean number of attempts after the change that a sequential test needs which knows by how much the rate
// fell, but not the rates: it has a baseline of failedBefore failures to go by, as heisen does. It is the likelihood
// ratio of that alternative against the hypothesis that fits best, the one whose evidence grows most (P. Grünwald, R. de
// Heide and W. Koolen 2024), tuned to end when it does; Poisson counts, no overshoot.
func known(before, factor float64) float64 {
	tau := 10 / factor
	if tau == 1 {
		return math.NaN()
	}
	gain := func(x float64) float64 {
		theta := (1 + x) / (1 + x*tau)
		if tau == 0 {
			return math.Log(theta)
		}
		return math.Log(theta) + tau*x*math.Log(tau*theta)
	}
	low, high := 0.0, 100.0
	for range 100 {
		if mid := (low + high) / 2; gain(mid)*failedBefore < math.Log(100) {
			low = mid
		} else {
			high = mid
		}
	}
	return math.Ceil(high * failedBefore / (before / 10))
}

// fixedSize is the least number of attempts with which the one-sided binomial test of boundary at 1 % has 99 %
// power at the true rate p, the rate before known.
func fixedSize(boundary, p float64) float64 {
	if p == boundary {
		return math.NaN()
	}
	for n := math.Ceil(0.5 / boundary); ; n = math.Ceil(n * 1.02) {
		null, truth := distuv.Binomial{N: n, P: boundary}, distuv.Binomial{N: n, P: p}
		k := 0.0
		if p < boundary {
			for null.CDF(k) <= 0.01 {
				k++
			}
			if k > 0 && (p == 0 || truth.CDF(k-1) >= 0.99) {
				return n
			}
			continue
		}
		for 1-null.CDF(k-1) > 0.01 {
			k++
		}
		if 1-truth.CDF(k-1) >= 0.99 {
			return n
		}
	}
}

func factorText(f float64) string {
	if math.IsInf(f, 1) {
		return "gone"
	}
	return fmt.Sprint(f)
}

func orDash(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.0f", v)
}

func times(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.2f", v)
}
