package explain

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"heisen/repro/minimize"
	"heisen/repro/replay"
	"heisen/stress/chaos"
	"heisen/stress/stats"
)

const (
	// mostRivals bounds the orders that are tested.
	mostRivals = 4
	// confidence is that of the intervals that are told.
	confidence = 0.95
)

// Lab runs attempts; replay.Trier is one.
type Lab interface {
	OrderOf(c minimize.Candidate) replay.Order
	Run(ctx context.Context, c minimize.Candidate, o replay.Order, n int) ([]replay.Answer, error)
	Count(answers []replay.Answer) minimize.Tally
	// Sacrifice is an order of the same kind that is given up for the stacks of all threads at an address.
	Sacrifice(o replay.Order, at chaos.Address) replay.Order
}

// Cause is what was shown, or what was tried.
type Cause struct {
	// Shown tells that an order of two events was tested in both directions.
	Shown bool
	// Held is the hold that forces it, and Event what then happens first.
	Held      chaos.Made
	Event     chaos.Address
	EventName string
	// Forced are attempts of the minimised plan, Removed those without its holds, Forbidden those in which the
	// event's thread was held too, beyond the first hold.
	Forced, Removed, Forbidden minimize.Tally
	// Tried says of every order that was tested and did not decide what came of it; Why is why no more were.
	Tried []string
	Why   string
}

// Explain looks for the order that decides what is left of a plan.
func Explain(ctx context.Context, lab Lab, r *minimize.Result) (*Cause, error) {
	c := &Cause{}
	switch {
	case !r.Confirmed:
		c.Why = fmt.Sprintf("minimising ended with %q: %s", r.Verdict, r.Reason)
		return c, nil
	case len(r.Candidate.Holds) == 0:
		c.Why = "no hold is needed, so no order was forced"
		return c, nil
	}
	bare := r.Candidate
	bare.Holds = nil
	forced, removed := &side{candidate: r.Candidate, order: lab.OrderOf(r.Candidate)}, &side{candidate: bare, order: lab.OrderOf(bare)}
	needed, err := fewer(ctx, lab, removed, forced)
	if err != nil {
		return nil, err
	}
	if c.Forced, c.Removed = forced.Tally, removed.Tally; !needed {
		c.Why = "the failure came as often without the holds in these attempts"
		return c, nil
	}
	found := forced.rivals(lab)
	if len(found) == 0 {
		if forced, err = c.prolong(ctx, lab, forced, removed); err != nil {
			return nil, err
		}
		found = forced.rivals(lab)
	}
	if len(found) == 0 {
		c.Why = "no event of another thread was recorded while a thread was held"
	}
	for _, rival := range found[:min(len(found), mostRivals)] {
		shown, err := c.test(ctx, lab, forced, rival)
		if err != nil || shown {
			return c, err
		}
	}
	return c, nil
}

// prolong gives every hold that is short enough time for other threads to be seen in it: a stop of some microseconds is
// enough to lose a race, and shows nobody who won it. The side that it returns is the given one where longer holds do not do.
func (c *Cause) prolong(ctx context.Context, lab Lab, forced, removed *side) (*side, error) {
	const enough = 5 * time.Millisecond
	longer := forced.candidate
	longer.Holds = slices.Clone(longer.Holds)
	for i := range longer.Holds {
		longer.Holds[i].Length = max(longer.Holds[i].Length, enough)
	}
	if slices.Equal(longer.Holds, forced.candidate.Holds) {
		return forced, nil
	}
	prolonged := &side{candidate: longer, order: lab.OrderOf(longer)}
	needed, err := fewer(ctx, lab, removed, prolonged)
	if err != nil || !needed {
		return forced, err
	}
	c.Forced, c.Removed = prolonged.Tally, removed.Tally
	return prolonged, nil
}

func failing(lab Lab, answers []replay.Answer) (some []replay.Answer) {
	for _, a := range answers {
		if lab.Count([]replay.Answer{a}).Reproduced > 0 {
			some = append(some, a)
		}
	}
	return some
}

// test forbids one order: the same plan, and the event's thread held at its event until well after the first hold.
func (c *Cause) test(ctx context.Context, lab Lab, forced *side, r rival) (bool, error) {
	order := forced.order
	plan := *order.Plan
	const beyond = 3 // times the hold: the held thread needs time to go on as well
	plan.Decisions = append(plan.Decisions[:len(plan.Decisions):len(plan.Decisions)],
		chaos.Decision{Address: r.event, Hold: beyond*r.held.Held + 10*time.Millisecond})
	plan = replay.Fitted(plan)
	order.Plan = &plan
	forbidden := &side{candidate: forced.candidate, order: order}
	decides, err := fewer(ctx, lab, forbidden, forced)
	if err != nil {
		return false, err
	}
	if c.Forced, c.Forbidden = forced.Tally, forbidden.Tally; decides {
		c.Shown, c.Held, c.Event, c.EventName = true, r.held, r.event, r.name
		return true, nil
	}
	c.Tried = append(c.Tried, fmt.Sprintf("with %s held at its %s too it failed %s", thread(r.event.Thread, r.name), point(r.event), share(c.Forbidden)))
	return false, nil
}

// String says it in words.
func (c *Cause) String() string {
	if !c.Shown {
		words := append([]string{}, c.Tried...)
		if c.Why != "" {
			words = append(words, c.Why)
		}
		text := "cause not shown: " + strings.Join(words, "; ")
		if c.Forced.Attempts > 0 {
			text += fmt.Sprintf(" (the plan failed %s, without its holds %s)", share(c.Forced), share(c.Removed))
		}
		return text
	}
	does := "comes to"
	if leaves(c.Event) {
		does = "goes on from"
	}
	return fmt.Sprintf("it fails if %s %s its %s before %s goes on from its %s: with that thread held there for %v it failed %s, "+
		"without the hold %s, and with the other thread held too, so that it came later, %s",
		thread(c.Event.Thread, c.EventName), does, point(c.Event), thread(c.Held.Thread, c.Held.Name), point(c.Held.Address),
		c.Held.Held.Round(100*time.Microsecond), share(c.Forced), share(c.Removed), share(c.Forbidden))
}

func thread(path, name string) string {
	if path == chaos.AnyThread {
		return fmt.Sprintf("whichever thread it is (%q)", name)
	}
	by := ""
	if i := strings.LastIndexByte(path, '.'); i > 0 {
		by = ", created by " + path[:i]
	}
	return fmt.Sprintf("thread %s (%q%s)", path, name, by)
}

func point(a chaos.Address) string {
	if a.Kind == chaos.AtInstruction {
		return fmt.Sprintf("visit no. %d to %s", a.N, a.Site)
	}
	text := fmt.Sprintf("%s no. %d", a.Kind, a.N)
	if a.Site != "" && a.Site != "-" {
		text += " at " + a.Site
	}
	return text
}

func share(t minimize.Tally) string {
	in := stats.ClopperPearson(t.Reproduced, t.Attempts, confidence)
	return fmt.Sprintf("%d of %d (%.0f–%.0f %%)", t.Reproduced, t.Attempts, 100*in.Low, 100*in.High)
}
