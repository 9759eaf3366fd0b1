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

// looking is a test whose rate fell by just the ratio, read after every attempt: the most evidence that it stayed above, and
// the most that it fell below. The baseline is of a number of attempts at which expected failures are expected or, with
// byFailures, ended by that many failures.
func looking(r *rand.Rand, rate, ratio float64, expected int64, byFailures bool) (stayed, fell float64) {
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
	stayed, fell = math.Inf(-1), math.Inf(-1)
	for most := int64(float64(4*expected+30) / (rate * ratio)); ; {
		// Between failures the evidence of a fall only grows, and the other only shrinks.
		next := a.After + gap(rate*ratio)
		a.After = min(next-1, most)
		fell = max(fell, stats.FellBelow([]stats.Arms{a}, ratio))
		if next > most {
			return stayed, fell
		}
		a.After, a.AfterFailed = next, a.AfterFailed+1
		stayed = max(stayed, stats.StayedAbove([]stats.Arms{a}, ratio))
	}
}

// TestErrorsWhileOneLooks plays baselines of few and many failures, and counts how often a rate that fell by just the ratio is
// said to have stayed above it, and how often to have fallen below.
func TestErrorsWhileOneLooks(t *testing.T) {
	campaigns := 600
	if os.Getenv("HEISEN_SLOW_TESTS") == "1" {
		campaigns = 20_000
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d campaigns each; wrong at 10, 1 and 0.1 %%: stayed above, fell below", seed, campaigns)
	for _, ratio := range []float64{0.1, 0.5} {
		for _, rate := range []float64{0.5, 0.03} {
			for _, expected := range []int64{1, 2, 3, 5, 10, 20, 30, 100} {
				for _, byFailures := range []bool{false, true} {
					r := rand.New(rand.NewPCG(seed, 1))
					alphas := [3]float64{0.1, 0.01, 0.001}
					var wrong [2][3]int
					for range campaigns {
						stayed, fell := looking(r, rate, ratio, expected, byFailures)
						for i, alpha := range alphas {
							for side, most := range []float64{stayed, fell} {
								if most >= -math.Log(alpha) {
									wrong[side][i]++
								}
							}
						}
					}
					t.Logf("ratio %g, rate %g, %d failures (end of the baseline: %v): %v", ratio, rate, expected, byFailures, wrong)
					for i, alpha := range alphas {
						mean := alpha * float64(campaigns)
						most := mean + 4*math.Sqrt(mean) + 2
						require.LessOrEqual(t, float64(max(wrong[0][i], wrong[1][i])), most, "seed %d, alpha %g", seed, alpha)
					}
				}
			}
		}
	}
}
