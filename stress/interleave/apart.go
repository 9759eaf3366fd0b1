package interleave

import (
	"time"

	"heisen/stress/run"
)

// Parting is where the orders of two attempts part, by the clock of each: for a picture of both.
type Parting struct {
	// Event and Number are as in Divergence: the passing attempt's event, and its place from 1; empty and 0
	// where both have the same order.
	Event  string
	Number int
	// Pass is when that event came in the passing attempt, Fail when the failing one did something else in its
	// place; since the start of each, run.NotSeen where it did nothing more.
	Pass, Fail time.Duration
	// Alike is the share of events that both have in the same order.
	Alike float64
}

// Apart sets one attempt against another. It describes, and tests nothing.
func Apart(pass, fail Form) Parting {
	c := comparison{passes: []*Observed{{Form: pass}}, fails: []*Observed{{Failed: true, Form: fail}}}
	c.sideBySide()
	p := Parting{Event: c.d.Event, Number: c.d.Number, Pass: run.NotSeen, Fail: run.NotSeen, Alike: 1}
	for _, s := range c.rest {
		if s.a >= 0 && p.Pass == run.NotSeen {
			p.Pass = c.pass.Events[s.a].At
		}
		if s.b >= 0 && p.Fail == run.NotSeen {
			p.Fail = c.fail.Events[s.b].At
		}
	}
	if all := len(c.pass.Events) + len(c.fail.Events); all > 0 {
		common := all - len(c.d.Columns) // a row of both stands for two events
		p.Alike = 2 * float64(common) / float64(all)
	}
	return p
}
