package tracer

import (
	"fmt"

	"heisen/stress/chaos"
)

// replay makes the decisions of a plan, each at its address, and no others.
type replay struct {
	passive
	decisions map[spot]act
}

// spot is an address without what is counted from it.
type spot struct {
	thread string
	point  point
	n      int64
	site   string
}

func newReplay(decisions []chaos.Decision) (*replay, error) {
	r := &replay{decisions: map[spot]act{}}
	for _, d := range decisions {
		p, ok := pointNamed(d.Kind)
		if !ok {
			return nil, fmt.Errorf("replay plan: no kind of point is called %q: replay with the heisen that recorded it", d.Kind)
		}
		r.decisions[spot{d.Thread, p, d.N, d.Site}] = act{hold: d.Hold, steps: d.Steps, cpu: d.CPU}
	}
	return r, nil
}

func (r *replay) at(t *task, p point, n int64) act {
	return r.decisions[spot{t.last.thread, p, n, t.last.site}]
}

// until is the last time at which something is decided there.
func (r *replay) until(t *task, site string) (last int64) {
	for s := range r.decisions {
		if s.site == site && (s.thread == t.path || s.thread == chaos.AnyThread) {
			last = max(last, s.n)
		}
	}
	return last
}

func (r *replay) drawn() string {
	return fmt.Sprintf("%d decisions, replayed", len(r.decisions))
}
