package explain

import (
	"context"
	"math/rand/v2"
	"testing"

	"heisen/repro/minimize"
	"heisen/repro/replay"
	"heisen/stress/chaos"
	"heisen/stress/run"
)

// coin is a lab in which every attempt fails with the same probability.
type coin struct {
	rate float64
	r    *rand.Rand
}

func (c *coin) OrderOf(minimize.Candidate) replay.Order                { return replay.Order{} }
func (c *coin) Sacrifice(o replay.Order, _ chaos.Address) replay.Order { return o }

func (c *coin) Run(_ context.Context, _ minimize.Candidate, _ replay.Order, n int) ([]replay.Answer, error) {
	answers := make([]replay.Answer, n)
	for i := range answers {
		answers[i].Finished.Outcome = run.Pass
		if c.r.Float64() < c.rate {
			answers[i].Finished.Outcome = run.Fail
		}
	}
	return answers, nil
}

func (c *coin) Count(answers []replay.Answer) minimize.Tally { return (&program{}).Count(answers) }

// Four orders that decide nothing are tested against one count of the plan: how often does one seem to decide?
func TestOrdersThatDecideNothingSeldomSeemTo(t *testing.T) {
	const trials, promised = 1000, 0.02
	for i, rate := range []float64{0.3, 0.5, 0.7, 0.9, 1} {
		seed := uint64(i) + 71
		r := rand.New(rand.NewPCG(seed, 0))
		coin := &coin{rate: rate, r: r}
		wrong := 0
		for range trials {
			forced, seems := &side{}, false
			for range mostRivals {
				decides, err := fewer(context.Background(), coin, &side{}, forced)
				if err != nil {
					t.Fatal(err)
				}
				seems = seems || decides
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
