package replay

import (
	"context"
	"slices"
	"strings"
	"time"

	"heisen/repro/minimize"
	"heisen/stress/chaos"
	"heisen/stress/mix"
	"heisen/stress/run"
)

// Names of conditions beside settings of a plan and variables, which are NAME=.
const (
	CondLoad  = "load"
	CondWidth = "width"
	CondSeed  = "seed"
)

// drawnOnly are settings that only say how decisions are drawn: a replay does not look at them.
var drawnOnly = []string{"rate", "max", "kinds", "trace", "told"}

// Trier tries candidates of minimising in attempts that a Desk has made.
type Trier struct {
	Desk   *Desk
	Recipe *Recipe
	// Command is what the session runs, with the variables that are set for it.
	Command run.Command
	// Width is how many attempts run at once; 1 without the condition.
	Width int
	// Load has the machine kept busy, or not; nil where there is no load.
	Load func(on bool)
	// Environ is heisen's own environment: a variable that is the same there is no condition.
	Environ []string
	// Seen is told every judged answer; nil for nobody.
	Seen func(minimize.Candidate, Answer)
}

// Whole is the candidate that is the recorded plan under all recorded conditions.
func (t *Trier) Whole() minimize.Candidate {
	var c minimize.Candidate
	if plan := t.Recipe.Plan; plan != nil {
		for i, d := range plan.Decisions {
			c.Holds = append(c.Holds, minimize.Hold{ID: i, Length: d.Hold})
		}
		if mix.MachineSide(plan.Strategy) {
			c.Conditions = append(c.Conditions, plan.Strategy)
		}
		for name := range plan.Settings {
			if !slices.Contains(drawnOnly, name) {
				c.Conditions = append(c.Conditions, name)
			}
		}
	}
	if t.Load != nil {
		c.Conditions = append(c.Conditions, CondLoad)
	}
	if t.Width > 1 {
		c.Conditions = append(c.Conditions, CondWidth)
	}
	for _, entry := range t.Command.Env {
		name, _, _ := strings.Cut(entry, "=")
		if !slices.Contains(t.Environ, entry) && !slices.Contains(c.Conditions, name+"=") {
			c.Conditions = append(c.Conditions, name+"=")
		}
	}
	c.Conditions = append(c.Conditions, CondSeed)
	slices.Sort(c.Conditions)
	return c
}

// PlanOf is the plan of a candidate; nil where nothing is done to the schedule.
func (t *Trier) PlanOf(c minimize.Candidate) *chaos.Plan {
	if t.Recipe.Plan == nil || mix.MachineSide(t.Recipe.Plan.Strategy) && !slices.Contains(c.Conditions, t.Recipe.Plan.Strategy) {
		return nil
	}
	plan := *t.Recipe.Plan
	plan.Decisions = nil
	for _, h := range c.Holds {
		d := t.Recipe.Plan.Decisions[h.ID]
		d.Hold = h.Length
		plan.Decisions = append(plan.Decisions, d)
	}
	plan.Settings = map[string]string{}
	for name, value := range t.Recipe.Plan.Settings {
		if slices.Contains(drawnOnly, name) || slices.Contains(c.Conditions, name) {
			plan.Settings[name] = value
		}
	}
	fitted := Fitted(plan)
	return &fitted
}

// OrderOf is an attempt of a candidate.
func (t *Trier) OrderOf(c minimize.Candidate) Order {
	o := Order{Replay: true, Plan: t.PlanOf(c)}
	if slices.Contains(c.Conditions, CondSeed) {
		o.Seed = t.Recipe.Seed
	}
	less := t.Command
	less.Env = slices.DeleteFunc(slices.Clone(less.Env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return !slices.Contains(t.Environ, entry) && !slices.Contains(c.Conditions, name+"=")
	})
	if len(less.Env) < len(t.Command.Env) {
		o.Command = &less
	}
	return o
}

// answering is more than a program, or a debugger in its place, has for its stacks.
const answering = 5 * time.Second

// Sacrifice is an order that is given up for the stacks of all threads at an address. Python is asked to print its own
// where nothing of heisen's is inside it: its fault handler knows how, and needs a variable.
func (t *Trier) Sacrifice(o Order, at chaos.Address) Order {
	plan := *o.Plan
	plan.Stacks = &at
	plan.Budget += answering // a thread is kept there meanwhile
	o.Plan = &plan
	command := t.Command
	if o.Command != nil {
		command = *o.Command
	}
	command.Env = append(slices.Clone(command.Env), "PYTHONFAULTHANDLER=1")
	o.Command = &command
	return o
}

// Try is minimize.Trier's.
func (t *Trier) Try(ctx context.Context, c minimize.Candidate, n int) ([]minimize.Outcome, error) {
	answers, err := t.Run(ctx, c, t.OrderOf(c), n)
	if err != nil {
		return nil, err
	}
	var outcomes []minimize.Outcome
	for _, a := range answers {
		if a.Judged() {
			outcomes = append(outcomes, t.Recipe.Outcome(&a))
		}
	}
	return outcomes, nil
}

// Run makes n attempts of one order under a candidate's conditions of the machine.
func (t *Trier) Run(ctx context.Context, c minimize.Candidate, o Order, n int) ([]Answer, error) {
	if t.Load != nil {
		t.Load(slices.Contains(c.Conditions, CondLoad))
		defer t.Load(true)
	}
	atOnce := t.Width
	if !slices.Contains(c.Conditions, CondWidth) {
		atOnce = 1
	}
	return t.Desk.Try(ctx, slices.Repeat([]Order{o}, n), atOnce, func(a Answer) {
		if t.Seen != nil && a.Judged() {
			t.Seen(c, a)
		}
	})
}

// Count adds answers up.
func (t *Trier) Count(answers []Answer) (tally minimize.Tally) {
	for _, a := range answers {
		if !a.Judged() {
			continue
		}
		tally.Attempts++
		switch t.Recipe.Outcome(&a) {
		case minimize.Reproduced:
			tally.Reproduced++
		case minimize.OtherFailure:
			tally.Other++
		}
	}
	return tally
}

// Hold is one hold that is left of a plan, with the lengths from which it works.
type Hold struct {
	chaos.Decision
	FailsFrom time.Duration `json:"fails_from_ns,omitempty"`
	NotAt     time.Duration `json:"not_at_ns,omitempty"`
}

// HoldsOf lists what is left of the plan.
func (t *Trier) HoldsOf(r *minimize.Result) []Hold {
	var holds []Hold
	for _, h := range r.Candidate.Holds {
		d := t.Recipe.Plan.Decisions[h.ID]
		d.Hold = h.Length
		one := Hold{Decision: d}
		for _, b := range r.Lengths {
			if b.ID == h.ID {
				one.FailsFrom, one.NotAt = b.FailsFrom, b.NotAt
			}
		}
		holds = append(holds, one)
	}
	return holds
}
