package tracer

import (
	"container/heap"
	"time"
)

// queue is the holds in progress, the next to end first.
type queue []*held

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].until < q[j].until }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].order, q[j].order = i, j
}

// Push and Pop are for container/heap.
func (q *queue) Push(x any) {
	h := x.(*held)
	h.order = len(*q)
	*q = append(*q, h)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	h := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return h
}

func (q *queue) add(h *held)    { heap.Push(q, h) }
func (q *queue) remove(h *held) { heap.Remove(q, h.order) }

// next is when the first hold ends, 0 for none.
func (q queue) next() time.Duration {
	if len(q) == 0 {
		return 0
	}
	return q[0].until
}

// budget is how much longer an attempt may get. What counts is the time in which at least one thread is held:
// holds that overlap lengthen it no more than the longest of them.
type budget struct {
	limit  time.Duration
	spent  time.Duration
	recent debt // of what was spent; it reaches to the end of the last stretch that is paid for
	terms  terms
}

// take pays for a hold from now on and tells whether there was enough for it.
func (b *budget) take(now, long time.Duration) bool {
	more := now + long - max(now, b.recent.since)
	if more > 0 && (b.spent+more > b.limit || !b.recent.allow(now, more, b.terms)) {
		return false
	}
	b.charge(now, now+long)
	return true
}

// charge pays for what is held, whether there is enough or not.
func (b *budget) charge(from, to time.Duration) {
	if from = max(from, b.recent.since); to > from {
		b.spent += to - from
		b.recent.add(from, to, b.terms)
	}
}

// refund gives back what was paid for a time that is not held: no other hold lasts beyond now.
func (b *budget) refund(now time.Duration, others queue) {
	end := now
	for _, h := range others {
		end = max(end, h.until)
	}
	if more := b.recent.since - end; more > 0 {
		b.spent -= more
		b.recent = debt{owed: max(b.recent.owed-more, 0), since: end}
	}
}

// left is what remains now.
func (b *budget) left(now time.Duration) time.Duration {
	return b.recent.room(now, b.limit-b.spent, b.terms)
}
