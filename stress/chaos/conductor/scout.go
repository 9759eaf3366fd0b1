package conductor

import (
	"math/rand/v2"
	"slices"
	"sync"

	"heisen/stress/chaos"
	"heisen/stress/chaos/code"
)

// scout draws the breakpoints of attempts at one program, and learns from each which places threads come by at all, and
// which several do: races are at those. It is safe for concurrent use.
type scout struct {
	program *code.Program
	named   map[string]int // sites by name

	mu      sync.Mutex
	untried []int
	reached []int // by one thread in each attempt so far
	shared  []int // by several threads of one attempt
}

// Shares of breakpoints that are drawn from the places that several threads were seen at, and from those that one was; the
// rest are places not tried yet, while there are any.
const (
	fromShared  = 0.3
	fromReached = 0.3
	// mostDraws bounds how often is drawn for each place, to get different ones: a program may have fewer than are wanted.
	mostDraws = 4
)

// counts are how many places are watched in an attempt, alike often: which is best is the program's matter. Of four small
// programs two failed the more often the more there were, one at 16 and one at 8 (docs/chaos.md).
var counts = [...]int{chaos.DebugRegisters, 8, 16, chaos.MostBreakpoints}

func newScout(p *code.Program, seed uint64) *scout {
	s := &scout{program: p, named: make(map[string]int, len(p.Sites)), untried: rand.New(rand.NewPCG(seed, 0)).Perm(len(p.Sites))}
	for i, site := range p.Sites {
		s.named[site.String()] = i
	}
	return s
}

// arrange draws the breakpoints of a plan.
func (s *scout) arrange(plan *chaos.Plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	draw := rand.New(rand.NewPCG(plan.Seed, 1))
	var drawn []int
	most := counts[draw.IntN(len(counts))]
	for range mostDraws * most {
		if i := s.one(draw); !slices.Contains(drawn, i) {
			drawn = append(drawn, i)
		}
		if len(drawn) == most {
			break
		}
	}
	s.aim(plan)
	for _, i := range drawn {
		site := s.program.Sites[i]
		plan.Breakpoints = append(plan.Breakpoints, chaos.Breakpoint{Site: s.program.Describe(site), Offset: site.Offset})
	}
}

// one draws one place.
func (s *scout) one(draw *rand.Rand) int {
	from := draw.Float64()
	switch {
	case from < fromShared && len(s.shared) > 0:
		return s.shared[draw.IntN(len(s.shared))]
	case from < fromShared+fromReached && len(s.reached) > 0:
		return s.reached[draw.IntN(len(s.reached))]
	case len(s.untried) > 0:
		i := s.untried[0]
		s.untried = s.untried[1:]
		return i
	}
	return draw.IntN(len(s.program.Sites))
}

func (s *scout) aim(plan *chaos.Plan) {
	plan.Program, plan.TrapsUnblocked = s.program.Path, s.program.IsGo
}

// learn takes in which breakpoints of a plan were reached.
func (s *scout) learn(plan *chaos.Plan, report *chaos.Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, r := range report.Reached {
		i, ok := s.named[code.Bare(plan.Breakpoints[n].Site)]
		if !ok || r.Threads == 0 || slices.Contains(s.shared, i) {
			continue
		}
		at := slices.Index(s.reached, i)
		switch {
		case r.Threads > 1:
			s.shared = append(s.shared, i)
			if at >= 0 {
				s.reached = slices.Delete(s.reached, at, at+1)
			}
		case at < 0:
			s.reached = append(s.reached, i)
		}
	}
}

// translate finds the breakpoints of a recorded plan in this program, which may be another build of the one that it was
// recorded with: the same place by name, else the nearest one in the same function. lost are those that have none.
func (s *scout) translate(plan *chaos.Plan) (lost []string) {
	s.aim(plan)
	kept := make([]chaos.Breakpoint, 0, len(plan.Breakpoints))
	for _, b := range plan.Breakpoints {
		i, ok := s.named[code.Bare(b.Site)]
		if !ok {
			i, ok = s.nearest(b.Site)
		}
		if !ok {
			lost = append(lost, b.Site)
			continue
		}
		b.Offset = s.program.Sites[i].Offset
		kept = append(kept, b)
	}
	plan.Breakpoints = kept
	return lost
}

// nearest is the place of the same function whose distance from its start is nearest.
func (s *scout) nearest(name string) (best int, ok bool) {
	want, err := code.ParseSite(code.Bare(name))
	if err != nil {
		return 0, false
	}
	off := func(i int) uint64 {
		d := s.program.Sites[i].Delta
		return max(d, want.Delta) - min(d, want.Delta)
	}
	for i, site := range s.program.Sites {
		if site.Symbol == want.Symbol && (!ok || off(i) < off(best)) {
			best, ok = i, true
		}
	}
	return best, ok
}
