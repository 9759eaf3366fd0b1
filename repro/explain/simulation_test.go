package explain

import (
	"math/rand/v2"
	"testing"

	"heisen/repro/minimize"
)

// Four orders that decide nothing are tested against one count of the plan: how often does one seem to decide?
func TestOrdersThatDecideNothingSeldomSeemTo(t *testing.T) {
	const trials, promised = 1000, 0.02
	for i, rate := range []float64{0.3, 0.5, 0.7, 0.9, 1} {
		seed := uint64(i) + 71
		r := rand.New(rand.NewPCG(seed, 0))
		draw := func() (t minimize.Tally) {
			for range each {
				t.Attempts++
				if r.Float64() < rate {
					t.Reproduced++
				}
			}
			return t
		}
		wrong := 0
		for range trials {
			forced, seems := draw(), false
			for range mostRivals {
				seems = seems || apart(draw(), forced)
			}
			if seems {
				wrong++
			}
		}
		if share := float64(wrong) / trials; share > promised {
			t.Errorf("rate %v, seed %d: %.3f of %d trials state a cause, promised are at most %v", rate, seed, share, trials, promised)
		} else {
			t.Logf("rate %v, seed %d: %.4f", rate, seed, share)
		}
	}
}
