package minimize_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/repro/minimize"
)

// world is a program with a planted cause: it fails at rate if every needed hold is there and long enough, and
// every needed condition too; otherwise at the rate noise, with the same signature. Independently it may fail in
// another way, which is the more likely the more needed holds are there: the most misleading kind.
type world struct {
	r       *rand.Rand
	needs   map[int]time.Duration
	needed  []string
	rate    float64
	noise   float64
	mislead float64
	// helps are factors of the rate where a condition is missing.
	helps map[string]float64
	// surer is added to the rate for holds twice as long as in the plan.
	surer  float64
	ran    int
	stopAt int // Try fails from then on; 0 for never
}

var errCut = errors.New("cut off")

func (w *world) Try(_ context.Context, c minimize.Candidate, n int) (got []minimize.Outcome, err error) {
	if w.stopAt > 0 && w.ran >= w.stopAt {
		return nil, errCut
	}
	for range n {
		w.ran++
		got = append(got, w.one(c))
	}
	return got, nil
}

func (w *world) one(c minimize.Candidate) minimize.Outcome {
	there, rate := 0, w.rate
	for _, h := range c.Holds {
		if least, ok := w.needs[h.ID]; ok && h.Length >= least {
			there++
			if h.Length >= 2*planned {
				rate += w.surer
			}
		}
	}
	complete := there == len(w.needs)
	for _, name := range w.needed {
		complete = complete && slices.Contains(c.Conditions, name)
	}
	for name, factor := range w.helps {
		if !slices.Contains(c.Conditions, name) {
			rate *= factor
		}
	}
	if !complete {
		rate = w.noise
	}
	switch {
	case w.r.Float64() < w.mislead*float64(there)/float64(max(len(w.needs), 1)):
		return minimize.OtherFailure
	case w.r.Float64() < rate:
		return minimize.Reproduced
	}
	return minimize.Passed
}

const planned = 20 * time.Millisecond

// plant makes a world with so many needed holds among n, each needed from 2 ms on.
func plant(r *rand.Rand, needs, n int, rate float64) (*world, minimize.Candidate) {
	w := &world{r: r, needs: map[int]time.Duration{}, rate: rate}
	for _, id := range r.Perm(n)[:needs] {
		w.needs[id] = 2 * time.Millisecond
	}
	var plan minimize.Candidate
	for id := range n {
		plan.Holds = append(plan.Holds, minimize.Hold{ID: id, Length: planned})
	}
	return w, plan
}

func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func ids(c minimize.Candidate) (list []int) {
	for _, h := range c.Holds {
		list = append(list, h.ID)
	}
	slices.Sort(list)
	return list
}

func (w *world) exact(c minimize.Candidate) bool {
	return len(c.Holds) == len(w.needs) && !slices.ContainsFunc(ids(c), func(id int) bool { return w.needs[id] == 0 })
}

func run(t *testing.T, w *world, plan minimize.Candidate, o minimize.Options, s *minimize.State) minimize.Result {
	t.Helper()
	got, err := minimize.Run(context.Background(), plan, w, o, s)
	require.NoError(t, err)
	return got
}
