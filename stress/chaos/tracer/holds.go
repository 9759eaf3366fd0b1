package tracer

import (
	"container/heap"
	"time"

	"heisen/stress/chaos"
	"heisen/stress/run"
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
//
// No part of an attempt may get much longer than all of it: a test-suite that sleeps for a minute has budget enough to
// hold one of its tests beyond every time-out. So no more than the burst is owed at once, and what is owed goes with the
// time in which nothing is held, run.BudgetFactor times as fast. A longer hold needs that nothing is owed.
type budget struct {
	limit time.Duration
	burst time.Duration // 0 for no bound
	spent time.Duration
	owed  time.Duration // at until
	until time.Duration // the end of the last stretch that is paid for
}

func newBudget(p *chaos.Plan) budget {
	b := budget{limit: p.Budget, burst: p.Burst}
	if p.Replay {
		b.burst = 0
	}
	return b
}

// take pays for a hold from now on and tells whether there was enough for it.
func (b *budget) take(now, long time.Duration) bool {
	more := now + long - max(now, b.until)
	if more <= 0 {
		return true
	}
	owed := b.owes(now)
	if b.spent+more > b.limit || b.burst > 0 && owed > 0 && owed+more > b.burst {
		return false
	}
	b.pay(owed, more, now+long)
	return true
}

// charge pays afterwards for what was held, whether there was enough or not.
func (b *budget) charge(from, to time.Duration) {
	if more := to - max(from, b.until); more > 0 {
		b.pay(b.owes(from), more, to)
	}
}

func (b *budget) pay(owed, more, until time.Duration) {
	b.spent, b.owed, b.until = b.spent+more, owed+more, until
}

// owes is what is owed now.
func (b *budget) owes(now time.Duration) time.Duration {
	return max(b.owed-run.BudgetFactor*max(now-b.until, 0), 0)
}

// refund gives back what was paid for a time that is not held: no other hold lasts beyond now.
func (b *budget) refund(now time.Duration, others queue) {
	end := now
	for _, h := range others {
		end = max(end, h.until)
	}
	if more := b.until - end; more > 0 {
		b.pay(max(b.owed-more, 0)+more, -more, end)
	}
}

// left is what remains now.
func (b *budget) left(now time.Duration) time.Duration {
	left := b.limit - b.spent
	if b.burst > 0 {
		left = min(left, b.burst-b.owes(now))
	}
	return max(left, 0)
}
