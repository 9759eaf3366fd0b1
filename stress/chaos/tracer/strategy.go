package tracer

import (
	"fmt"
	"time"

	"heisen/stress/chaos"
)

// act is what a strategy wants done to a thread at a point. The zero value lets it go on.
type act struct {
	// hold keeps the thread from running for so long.
	hold time.Duration
	// steps lets it run so many instructions first, cpu so much CPU time of its own.
	steps int64
	cpu   time.Duration
	// park keeps it until the strategy lets it go, or the longest starve interval is over.
	park bool
}

// strategy draws decisions. It is asked at every point, in the tracer's one thread, and must be a pure function
// of the seed and the address where it can: only then can what it did be done again. The mechanism keeps the
// bounds (chaos.Plan) and tells what was really done in the report.
type strategy interface {
	// at is asked when a thread has come to a point, for the n-th time.
	at(t *task, p point, n int64) act
	// until is how often a new thread is to stop at a breakpoint, 0 for never: every stop is a small delay of its own.
	until(t *task, site string) int64
	// tick is called when the time it gave before has come, and first when the test begins; it gives the next,
	// 0 for none.
	tick(now time.Duration) time.Duration
	// gone tells that a thread has ended, or was parked where it was not asked about it.
	gone(t *task)
	// drawn says in words what was drawn for the whole attempt.
	drawn() string
}

// controls is what a strategy may do to threads between points. The mechanism implements it.
type controls interface {
	// now is the time since the attempt began.
	now() time.Duration
	// spent tells that no thread may be held now.
	spent() bool
	// living are the threads that are there, in the order of their creation.
	living() []*task
	// interrupt stops a thread as soon as it can be, wherever it is, and does this to it. A thread that waits in
	// the kernel is stopped when it comes out.
	interrupt(t *task, a act)
	// release lets a parked thread go on.
	release(t *task)
}

// passive is the part of a strategy that acts at points only.
type passive struct{ unwatched }

// unwatched is the part of a strategy that sets no breakpoints.
type unwatched struct{}

func (unwatched) until(*task, string) int64 { return 0 }

func (passive) tick(time.Duration) time.Duration { return 0 }
func (passive) gone(*task)                       {}

// none holds nothing.
type none struct{ passive }

func (none) at(*task, point, int64) act { return act{} }
func (none) drawn() string              { return "" }

// newStrategy finds what a plan names.
func newStrategy(p *chaos.Plan, c controls) (strategy, error) {
	if p.Replay {
		return newReplay(p.Decisions)
	}
	switch p.Strategy {
	case chaos.None:
		return none{}, nil
	case chaos.Hold:
		return newHold(p), nil
	case chaos.Starve:
		return newStarve(p), nil
	case chaos.Preempt:
		return newPreempt(p), nil
	case chaos.PCT:
		return newPCT(p, c, c.now), nil
	case chaos.AtBreakpoints:
		return newBreakpointStrategy(p), nil
	}
	return nil, fmt.Errorf("carry out plan: no strategy is called %q: this heisen knows none, hold, starve, preempt, pct and breakpoint", p.Strategy)
}
