package tracer

import (
	"time"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

// debt is time that was taken and goes again as time passes. Two bounds are kept by it.
//
// One is a thread's: in the long run it runs for half of the time beside what is done to it. No scheduler keeps one thread
// from running again and again while others run, and a test may give two seconds to something that takes none: without
// a bound of this kind correct programs ran into time-outs of their own (CPython's tests of barriers).
//
// The other is an attempt's: no part of it may get much longer than all of it. A test-suite that sleeps for a minute has
// budget enough to hold one of its tests beyond every time-out.
type debt struct {
	owed  time.Duration
	since time.Duration // when owed was that much
}

// terms are those of a debt: how much may be owed at once, and how many times as fast it goes as it came. The zero value
// bounds nothing.
type terms struct {
	most time.Duration
	rate float64
}

// Strategies that are about which thread comes first, not about long delays, and come to all threads over and over, keep to
// less in the long run; pct also at once, since it holds all threads but one. With what the others may spend they kept the
// four threads of a test whose fifth sleeps for a second beyond the half second that each of them then waits (CPython's
// test_timeout of barriers): pct in one attempt of ten, preempt in one of thirty. What a test of some milliseconds gets is
// the same: with 200 ms at once preempt failed fewer attempts of small racy programs.
const (
	orderRate = 0.5
	pctBurst  = 150 * time.Millisecond // less than half of any second is held then
)

// termsOf are those of a thread and of an attempt under a plan. A replay has none: it makes the holds that were made.
func termsOf(p *chaos.Plan) (thread, attempt terms) {
	if p.Replay {
		return terms{}, terms{}
	}
	attempt = terms{most: p.Burst, rate: run.BudgetFactor}
	switch p.Strategy {
	case chaos.PCT:
		attempt = terms{most: min(p.Burst, pctBurst), rate: orderRate}
	case chaos.Preempt:
		attempt.rate = orderRate
	}
	return terms{most: p.MaxDelay, rate: 1}, attempt
}

// at is what is owed now.
func (d *debt) at(now time.Duration, by terms) time.Duration {
	return max(d.owed-time.Duration(by.rate*float64(max(now-d.since, 0))), 0)
}

// add puts a stretch of time on the debt.
func (d *debt) add(from, to time.Duration, by terms) {
	d.owed, d.since = d.at(from, by)+to-from, to
}

// allow tells whether so much more may be owed. What is longer than may be owed at once needs that nothing is.
func (d *debt) allow(now, long time.Duration, by terms) bool {
	owed := d.at(now, by)
	return by.most == 0 || owed == 0 || owed+long <= by.most
}

// room is how much more may be owed now, and no more than so much.
func (d *debt) room(now, limit time.Duration, by terms) time.Duration {
	if by.most > 0 {
		limit = min(limit, by.most-d.at(now, by))
	}
	return max(limit, 0)
}
