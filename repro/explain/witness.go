package explain

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"heisen/repro/dump"
	"heisen/repro/minimize"
	"heisen/repro/replay"
	"heisen/stress/chaos"
	"heisen/stress/chaos/conductor"
)

// sacrifices is how many replays are given up at the most for one look at the program.
const sacrifices = 3

// Witness is where the program's threads were at the deciding moment.
type Witness struct {
	// At says which moment that was.
	At string `json:"at,omitempty"`
	// Stacks are those of the threads, of held ones first; Why says in one line why there are none.
	Stacks []chaos.Stack `json:"stacks,omitempty"`
	Why    string        `json:"why,omitempty"`
}

// Look gives up replays for the program's own stacks at the moment that decides: when the event comes that must not come
// first, or, where no order is shown, when the first hold is over and the thread is about to go on. Such a replay never
// counts as one.
func Look(ctx context.Context, lab Lab, r *minimize.Result, c *Cause) (Witness, error) {
	order := lab.OrderOf(r.Candidate)
	if order.Plan == nil || len(order.Plan.Decisions) == 0 {
		return Witness{Why: "no thread is held, so there is no moment to take stacks at"}, nil
	}
	at, words := order.Plan.Decisions[0].Address, "just before the held thread goes on"
	if c.Shown {
		at, words = c.Event, "when the other thread comes to its "+point(c.Event)
		order.Plan = lengthened(order.Plan)
	}
	var w Witness
	for range sacrifices {
		answers, err := lab.Run(ctx, r.Candidate, lab.Sacrifice(order, at), 1)
		if err != nil {
			return w, err
		}
		if w = read(answers); len(w.Stacks) > 0 {
			w.At = words
			return w, nil
		}
	}
	return w, nil
}

// surely is a hold in which the other thread comes to its event even where everything takes long.
const surely = 250 * time.Millisecond

// lengthened is a plan whose holds last until the event has come: such a replay is given up for what is seen then.
func lengthened(plan *chaos.Plan) *chaos.Plan {
	longer := *plan
	longer.Decisions = slices.Clone(plan.Decisions)
	for i := range longer.Decisions {
		longer.Decisions[i].Hold = max(longer.Decisions[i].Hold, surely)
	}
	longer = replay.Fitted(longer)
	return &longer
}

// read takes what there is from a replay that was given up.
func read(answers []replay.Answer) Witness {
	if len(answers) == 0 {
		return Witness{Why: "no replay was made for them"}
	}
	a := answers[0]
	var record conductor.Record
	if len(a.Record) == 0 || json.Unmarshal(a.Record, &record) != nil {
		return Witness{Why: fmt.Sprintf("the replay that was given up for them ended with %q and told nothing", a.Finished.Outcome)}
	}
	w := Witness{Stacks: record.Threads, Why: record.NoStacks}
	if record.Asked {
		w.Stacks = dump.Parse(a.Output)
	}
	switch {
	case len(w.Stacks) > 0:
		w.Why = ""
	case record.Asked:
		w.Why = "the program was asked for its stacks, and printed none"
	case w.Why == "":
		w.Why = "what held the thread takes none"
	}
	return w
}
