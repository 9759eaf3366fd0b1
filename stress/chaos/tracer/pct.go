package tracer

import (
	"fmt"
	"time"

	"heisen/stress/chaos"
)

// pct runs one thread at a time, the one with the highest priority, priorities being random and changed at a few random
// points (Burckhardt, Kothari, Musuvathi, Nagarakatte 2010: a bug that needs d ordered events is found with
// probability at least 1/(n k^(d-1)), n threads, k points). It is for deep orderings, in which three things must come in
// one order. A change happens at a sync point or some instructions after it, with a probability instead of by a count,
// since how many points there will be is not known. A thread that waits in the kernel gives way at once, one that
// cannot be known to wait after a while.
type pct struct {
	unwatched
	seed   source
	c      controls
	now    func() time.Duration
	change float64
	deep   bool // changes happen some instructions after the point

	current *task
	ranks   map[*task]float64 // priorities that were changed: all below 0, later ones lower
	lowest  float64
	waits   map[*task]bool // in a call that may block
	moved   time.Duration  // when the current one was last seen to come on
}

// patience is how long the current thread may run without coming to a point before it is taken to spin.
const (
	pctLook     = 5 * time.Millisecond
	pctPatience = 20 * time.Millisecond
)

func newPCT(p *chaos.Plan, c controls, now func() time.Duration) *pct {
	s := source(p.Seed).of("pct")
	return &pct{seed: s.of("priorities"), c: c, now: now, change: []float64{0.02, 0.1, 0.3}[s.of("change").below(3)],
		deep: s.of("deep").chance(0.7), ranks: map[*task]float64{}, waits: map[*task]bool{}}
}

// rank is a thread's priority, in [0, 1) at first.
func (s *pct) rank(t *task) float64 {
	if r, ok := s.ranks[t]; ok {
		return r
	}
	return s.seed.with(t.hash).unit()
}

// demote puts a thread below all others.
func (s *pct) demote(t *task) {
	s.lowest--
	s.ranks[t] = s.lowest
}

func (s *pct) at(t *task, p point, n int64) act {
	s.moved = s.now()
	delete(s.waits, t)
	if s.c.spent() {
		return act{} // nobody can be kept from running, and to interrupt those who do would only cost time
	}
	if here := s.seed.with(t.hash).with(uint64(p)).with(uint64(n)); here.of("change").chance(s.change) {
		if s.deep && p.runsOn() && s.current == t {
			s.demote(t)
			return act{steps: int64(here.of("steps").logUniform(1, mostSteps/10)), park: true}
		}
		s.demote(t)
	}
	best := s.best(t)
	switch {
	case best != t:
		if s.current == t || s.current == nil {
			s.give(best)
		}
		return act{park: true}
	case p.kind().mayBlock() && p.edge() == entry:
		s.waits[t] = true
		if s.current == t || s.current == nil {
			s.give(s.best(nil))
		}
		return act{}
	}
	if s.current != nil && s.current != t && !s.waits[s.current] {
		s.c.interrupt(s.current, act{park: true})
	}
	s.current = t
	return act{}
}

// best is the thread with the highest priority of those that could run: the parked ones, the current one, and t.
func (s *pct) best(t *task) *task {
	best := t
	for _, o := range s.c.living() {
		able := o == s.current && o.state == running && !s.waits[o] || o.held != nil && o.held.park
		if able && o != t && (best == nil || s.rank(o) > s.rank(best)) {
			best = o
		}
	}
	return best
}

// give makes a thread, or nobody, the current one.
func (s *pct) give(t *task) {
	s.current = t
	if t != nil {
		s.c.release(t)
	}
}

// gone is a thread that ended, or was parked on its way.
func (s *pct) gone(t *task) {
	delete(s.waits, t)
	if t.held == nil {
		delete(s.ranks, t)
	}
	if s.current == t || s.current == nil {
		s.current = nil
		s.give(s.best(nil))
	}
}

func (s *pct) tick(now time.Duration) time.Duration {
	t := s.current
	if s.c.spent() {
		return now + pctLook
	}
	switch {
	case t == nil:
		s.give(s.best(nil))
	case t.state != running || now-s.moved < pctLook || t.steps != nil:
	case asleep(t):
		s.waits[t] = true
		s.give(s.best(nil))
	case now-s.moved >= pctPatience:
		s.demote(t)
		if next := s.best(nil); next != nil && next != t {
			s.c.interrupt(t, act{park: true})
			s.give(next)
		}
		s.moved = now
	}
	return now + pctLook
}

func (s *pct) drawn() string {
	where := "at sync points"
	if s.deep {
		where = "up to 2000 instructions after sync points"
	}
	return fmt.Sprintf("one thread at a time, %.0f %% of points change a priority, %s", 100*s.change, where)
}
