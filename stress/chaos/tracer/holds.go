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
	limit time.Duration
	spent time.Duration
	until time.Duration // the end of the last stretch that is paid for
}

// take pays for a hold from now on and tells whether there was enough for it.
func (b *budget) take(now, long time.Duration) bool {
	more := now + long - max(now, b.until)
	if more <= 0 {
		return true
	}
	if b.spent+more > b.limit {
		return false
	}
	b.spent += more
	b.until = now + long
	return true
}

// charge pays afterwards for a hold whose end was not known.
func (b *budget) charge(from, to time.Duration) {
	if more := to - max(from, b.until); more > 0 {
		b.spent += more
		b.until = to
	}
}

// refund gives back what was paid for a time that is not held: no other hold lasts beyond now.
func (b *budget) refund(now time.Duration, others queue) {
	end := now
	for _, h := range others {
		end = max(end, h.until)
	}
	if end < b.until {
		b.spent -= b.until - end
		b.until = end
	}
}

// exhaust leaves nothing: time was used that there was not.
func (b *budget) exhaust() { b.spent = max(b.spent, b.limit) }

// left is what remains.
func (b *budget) left() time.Duration { return max(b.limit-b.spent, 0) }
