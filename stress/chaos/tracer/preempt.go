package tracer

import (
	"fmt"
	"time"

	"heisen/stress/chaos"
)

// preempt takes the CPU from a thread between two instructions, for races that make no system call: an update that is
// not atomic, a flag tested without the lock. Where is drawn as a number of single instructions after a sync point,
// log-uniform since windows are found at all distances; that is an exact address without hardware counters. For
// windows that are further away it is an amount of CPU time, which a replay comes only near to.
type preempt struct {
	passive
	seed    source
	victims float64
	likely  float64
	far     float64 // share of preemptions by CPU time
	longest time.Duration
}

// mostSteps bounds a walk: what 20,000 steps take is already worth many holds.
const mostSteps = 20_000

func newPreempt(p *chaos.Plan) *preempt {
	s := source(p.Seed).of("preempt")
	return &preempt{seed: s.of("points"), victims: []float64{0.25, 0.5, 1}[s.of("victims").below(3)],
		likely: []float64{0.05, 0.2, 0.5, 1}[s.of("likely").below(4)], far: []float64{0, 0, 0.3}[s.of("far").below(3)],
		longest: s.of("longest").between(p.MaxHold/20, p.MaxHold)}
}

func (s *preempt) at(t *task, p point, n int64) act {
	if !p.runsOn() {
		return act{}
	}
	thread := s.seed.with(t.hash)
	here := thread.with(uint64(p)).with(uint64(n))
	if !thread.of("victim").chance(s.victims) || !here.chance(s.likely) {
		return act{}
	}
	a := act{hold: here.of("long").between(s.longest/4, s.longest)}
	if here.of("far").chance(s.far) {
		a.cpu = here.of("cpu").between(50*time.Microsecond, 50*time.Millisecond)
	} else {
		a.steps = int64(here.of("steps").logUniform(1, mostSteps+1))
	}
	return a
}

// runsOn tells whether a thread goes on with code of its own after the point.
func (p point) runsOn() bool {
	switch p.kind() {
	case threadStart, signalled, breakpoint:
		return true
	case exit:
		return false
	}
	return p.edge() == leave
}

func (s *preempt) drawn() string {
	return fmt.Sprintf("%.0f %% of threads, after %.0f %% of points, 1 to %d instructions later (%.0f %%: some CPU time), up to %s",
		100*s.victims, 100*s.likely, mostSteps, 100*s.far, s.longest.Round(time.Microsecond))
}
