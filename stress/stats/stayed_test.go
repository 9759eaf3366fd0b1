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

// highest is the most evidence that a test shows whose rate fell by just the ratio, read after every attempt. The baseline is
// of a number of attempts at which expected failures are expected or, with byFailures, ended by that many failures.
func highest(r *rand.Rand, rate, ratio float64, expected int64, byFailures bool) float64 {
	gap := func(p float64) int64 { return 1 + int64(math.Log(1-r.Float64())/math.Log1p(-p)) }
	var a stats.Arms
	n0 := int64(float64(expected) / rate)
	for {
		next := a.Before + gap(rate)
		if !byFailures && next > n0 {
			a.Before = n0
			break
		}
		a.Before, a.BeforeFailed = next, a.BeforeFailed+1
		if byFailures && a.BeforeFailed == expected {
			break
		}
	}
	// Between failures the evidence only falls.
	best := math.Inf(-1)
	for most := int64(float64(4*expected+30) / (rate * ratio)); ; {
		a.After += gap(rate * ratio)
		if a.After > most {
			return best
		}
		a.AfterFailed++
		best = max(best, stats.StayedAbove([]stats.Arms{a}, ratio))
	}
}

// TestStayedAboveErrorsWhileOneLooks plays baselines of few and many failures, and counts how often a rate that fell by just
// the ratio is said to have stayed above it.
func TestStayedAboveErrorsWhileOneLooks(t *testing.T) {
	campaigns := 1000
	if os.Getenv("HEISEN_SLOW_TESTS") == "1" {
		campaigns = 20_000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d campaigns each", seed, campaigns)
	for _, ratio := range []float64{0.1, 0.5} {
		for _, rate := range []float64{0.5, 0.03} {
			for _, expected := range []int64{1, 2, 3, 5, 10, 20, 30, 100} {
				for _, byFailures := range []bool{false, true} {
					r := rand.New(rand.NewPCG(seed, 1))
					var wrong [3]int
					alphas := [3]float64{0.1, 0.01, 0.001}
					for range campaigns {
						most := highest(r, rate, ratio, expected, byFailures)
						for i, alpha := range alphas {
							if most >= -math.Log(alpha) {
								wrong[i]++
							}
						}
					}
					t.Logf("ratio %g, rate %g, %d failures (end of the baseline: %v): %v", ratio, rate, expected, byFailures, wrong)
					for i, alpha := range alphas {
						mean := alpha * float64(campaigns)
						require.LessOrEqual(t, float64(wrong[i]), mean+4*math.Sqrt(mean)+2, "seed %d, alpha %g", seed, alpha)
					}
				}
			}
		}
	}
}
