package explain

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/repro/minimize"
	"heisen/repro/replay"
	"heisen/stress/chaos"
	"heisen/stress/chaos/conductor"
	"heisen/stress/run"
)

// scene is a lab in which each attempt leaves a record, and an output; asked are the addresses it was asked about.
type scene struct {
	program
	records []conductor.Record
	output  string
	asked   []chaos.Address
	holds   []time.Duration
}

func (s *scene) Run(_ context.Context, _ minimize.Candidate, o replay.Order, n int) ([]replay.Answer, error) {
	a := replay.Answer{Order: o, Finished: run.Finished{Outcome: run.Skip}, Output: []byte(s.output)}
	if len(s.asked) < len(s.records) {
		a.Record, _ = json.Marshal(s.records[len(s.asked)])
	}
	s.asked = append(s.asked, *o.Plan.Stacks)
	s.holds = append(s.holds, o.Plan.Decisions[0].Hold)
	return []replay.Answer{a}, nil
}

func TestLookTakesStacksAtTheMomentThatDecides(t *testing.T) {
	stacks := []chaos.Stack{{Thread: "0", Held: true, Frames: []string{"main at t.py:5"}}}
	late := conductor.Record{NoStacks: "no thread came to that point while one was held"}
	there := conductor.Record{Threads: stacks}
	for name, c := range map[string]struct {
		lab   scene
		cause Cause
		asked []chaos.Address
		want  Witness
	}{
		"the event that decides, at the second try": {scene{records: []conductor.Record{late, there}}, Cause{Shown: true, Event: sets},
			[]chaos.Address{sets, sets}, Witness{At: "when the other thread comes to its event.set.entry no. 1 at t.py:9", Stacks: stacks}},
		"no order is shown": {scene{records: []conductor.Record{there}}, Cause{}, []chaos.Address{mainWaits},
			Witness{At: "just before the held thread goes on", Stacks: stacks}},
		"the moment never comes": {scene{records: []conductor.Record{late, late, late}}, Cause{Shown: true, Event: sets},
			[]chaos.Address{sets, sets, sets}, Witness{Why: late.NoStacks}},
		"it prints them": {scene{records: []conductor.Record{{Asked: true}}, output: "goroutine 1 [running]:\nmain.main()\n\t/a.go:3 +0x1\n"}, Cause{},
			[]chaos.Address{mainWaits}, Witness{At: "just before the held thread goes on",
				Stacks: []chaos.Stack{{Name: "goroutine 1 [running]", Frames: []string{"main.main at /a.go:3"}}}}},
		"it prints none": {scene{records: []conductor.Record{{Asked: true}, {Asked: true}, {Asked: true}}}, Cause{},
			[]chaos.Address{mainWaits, mainWaits, mainWaits}, Witness{Why: "the program was asked for its stacks, and printed none"}},
		"a runtime that takes none": {scene{records: []conductor.Record{{}, {}, {}}}, Cause{},
			[]chaos.Address{mainWaits, mainWaits, mainWaits}, Witness{Why: "what held the thread takes none"}},
		"nothing is told": {scene{}, Cause{}, []chaos.Address{mainWaits, mainWaits, mainWaits},
			Witness{Why: `the replay that was given up for them ended with "skip" and told nothing`}},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := Look(context.Background(), &c.lab, minimal(), &c.cause)
			require.NoError(t, err)
			require.Equal(t, c.want, w)
			require.Equal(t, c.asked, c.lab.asked)
			for _, hold := range c.lab.holds {
				// The other thread must come while this one is held; just before a hold is over is when it is over.
				require.Equal(t, c.cause.Shown, hold >= surely)
			}
		})
	}
	w, err := Look(context.Background(), &scene{}, &minimize.Result{Candidate: minimize.Candidate{}}, &Cause{})
	require.NoError(t, err)
	require.Equal(t, Witness{Why: "no thread is held, so there is no moment to take stacks at"}, w)
}
