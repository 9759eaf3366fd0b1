package stress

import (
	"iter"

	"heisen/stress/tally"
)

// maxRetries is how often an attempt that ended by no doing of the test's is run again.
const maxRetries = 3

// turn is one execution to come.
type turn struct {
	seq int64
	try int
}

// queue gives out the executions to come: retries first, then the numbers that are not finished.
type queue struct {
	again []turn
	next  func() (int64, bool)
	stop  func()
	ahead *turn
	most  int64
	tries func(seq int64) int
}

// newQueue begins with what the tally says is missing; no number above most is given out (0: no bound).
func newQueue(t *tally.Tally, most int64) *queue {
	q := &queue{most: most, tries: t.Tries}
	q.next, q.stop = iter.Pull(t.Missing())
	return q
}

// retry puts an execution in front of all that are new.
func (q *queue) retry(t turn) { q.again = append(q.again, t) }

// put gives back an execution of a new attempt that is not wanted yet: retries go before it.
func (q *queue) put(t turn) { q.ahead = &t }

// take gives out the next execution; false when none is left.
func (q *queue) take() (turn, bool) {
	if len(q.again) > 0 {
		t := q.again[0]
		q.again = q.again[1:]
		return t, true
	}
	if q.ahead == nil {
		seq, ok := q.next()
		if !ok {
			return turn{}, false
		}
		q.ahead = &turn{seq: seq, try: q.tries(seq) + 1}
	}
	if q.most > 0 && q.ahead.seq > q.most {
		return turn{}, false
	}
	t := *q.ahead
	q.ahead = nil
	return t, true
}
