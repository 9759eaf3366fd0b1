package tracer

import (
	"fmt"
	"time"

	"heisen/stress/chaos"
)

// breakpointStrategy holds threads at some instructions of the program's own, drawn for the attempt: just after they
// have read or written memory that others share, or have come back from a call. It is for races that make no system call: an update
// that is not atomic, a flag tested outside its lock, locks taken in two orders, a value used before it is there. Single steps (see
// preempt) come to such places by chance; a breakpoint waits there, at full speed.
type breakpointStrategy struct {
	passive
	seed    source
	victims float64
	late    bool  // threads are held from some later time on that they come to a place
	most    int64 // holds of one thread at one place, or of any
	any     bool  // threads are not told apart: see chaos.AnyThread
	longest time.Duration
	sites   []chaos.Breakpoint
}

// anyTimes is how many visits of any thread stand for one of each.
const anyTimes = 4

// latestTime is from the how manyth time on a thread is held at the latest.
const latestTime = 32

func newBreakpointStrategy(p *chaos.Plan) *breakpointStrategy {
	s := source(p.Seed).of("breakpoint")
	b := &breakpointStrategy{seed: s.of("points"), sites: p.Breakpoints, victims: []float64{0.4, 0.7, 1}[s.of("victims").below(3)],
		any: p.TrapsUnblocked, late: s.of("late").chance(0.25), most: []int64{1, 1, 2, 8}[s.of("most").below(4)],
		longest: s.of("longest").between(p.MaxHold/20, p.MaxHold)}
	if b.any {
		b.most *= anyTimes
	}
	return b
}

func (s *breakpointStrategy) until(t *task, site string) int64 {
	if !s.any && !s.thread(t).of(site).of("victim").chance(s.victims) {
		return 0
	}
	return s.from(t, site) + s.most - 1
}

// thread is what is drawn for a thread, or for all of them.
func (s *breakpointStrategy) thread(t *task) source {
	if s.any {
		return s.seed
	}
	return s.seed.with(t.hash)
}

// from is the first time at which a thread is held at a place.
func (s *breakpointStrategy) from(t *task, site string) int64 {
	if !s.late {
		return 1
	}
	return int64(s.thread(t).of(site).of("from").logUniform(1, latestTime+1))
}

func (s *breakpointStrategy) at(t *task, p point, n int64) act {
	if p.kind() != breakpoint || n < s.from(t, t.last.site) || n > s.until(t, t.last.site) {
		return act{}
	}
	here := s.thread(t).of(t.last.site).with(uint64(n))
	if s.any && !here.of("victim").chance(s.victims) {
		return act{}
	}
	return act{hold: here.of("long").between(s.longest/8, s.longest)}
}

func (s *breakpointStrategy) drawn() string {
	from := "the first"
	if s.late {
		from = fmt.Sprintf("the first to %dth", latestTime)
	}
	who := "threads"
	if s.any {
		who = "visits"
	}
	text := fmt.Sprintf("%.0f %% of %s at each place, from %s time they come there, %d times each, up to %s, at", 100*s.victims, who, from, s.most,
		s.longest.Round(time.Microsecond))
	if len(s.sites) > chaos.DebugRegisters {
		return fmt.Sprintf("%s %d places", text, len(s.sites)) // the plan names them
	}
	for _, b := range s.sites {
		text += " " + b.Site
	}
	return text
}
