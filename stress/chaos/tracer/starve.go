package tracer

import (
	"fmt"
	"time"

	"heisen/stress/chaos"
)

// starve takes the CPU from one or a few threads for intervals of 1 ms up to the longest, whatever they are doing, as
// a machine does that has more to run than CPUs. It is for tests that take for granted that something happens within
// a time: fixed sleeps, time-outs, the one who is always quick enough. An interval begins when its thread has used
// a drawn amount of CPU time since a sync point, so that it can be anywhere; its length is log-uniform, since some
// deadlines are a millisecond and some a second away (rr's chaos mode draws so); half of the attempts leave out the
// long ones, which are dear. A thread that had a long one runs for as long before the next (debt.go).
type starve struct {
	passive
	seed    source
	victims float64
	rest    float64 // how likely a victim is left alone at a point
	longest time.Duration
	turn    map[uint64]uint64 // intervals drawn so far, by the thread's hash
}

const (
	// shortestStarve is the shortest interval, from rr.
	shortestStarve = time.Millisecond
	// briefStarve is the longest interval of attempts that leave out the long ones.
	briefStarve = 200 * time.Millisecond
)

func newStarve(p *chaos.Plan) *starve {
	s := source(p.Seed).of("starve")
	longest := max(p.MaxStarve, shortestStarve)
	if s.of("brief").chance(0.5) {
		longest = min(longest, briefStarve)
	}
	return &starve{seed: s.of("intervals"), victims: []float64{0.15, 0.3, 0.6}[s.of("victims").below(3)],
		rest: []float64{0, 0.5, 0.9}[s.of("rest").below(3)], longest: longest,
		turn: map[uint64]uint64{}}
}

func (s *starve) at(t *task, p point, n int64) act {
	thread := s.seed.with(t.hash)
	if !thread.of("victim").chance(s.victims) {
		return act{}
	}
	if thread.with(uint64(p)).with(uint64(n)).of("rest").chance(s.rest) {
		return act{}
	}
	turn := thread.of("interval").with(s.turn[t.hash])
	s.turn[t.hash]++
	a := act{hold: turn.of("long").between(shortestStarve, s.longest)}
	if turn.of("where").chance(0.5) {
		a.cpu = turn.of("cpu").between(10*time.Microsecond, 20*time.Millisecond)
	}
	return a
}

func (s *starve) drawn() string {
	return fmt.Sprintf("%.0f %% of threads, at %.0f %% of points or some CPU time later, up to %s", 100*s.victims, 100*(1-s.rest), s.longest)
}
