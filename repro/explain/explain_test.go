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

// program plays a test of three threads. Main waits at 10 ms; "0.1" sets at 11 ms and "0.2" logs at 12 ms, each later if
// it is held. Main goes on at once, or after its hold. It fails if main goes on after what decides: "0.1", "0.2" or no one.
type program struct {
	decides string
	traced  bool
	cost    time.Duration // what a hold takes beside its own length
	n       int
}

var (
	mainWaits = chaos.Address{Thread: "0", Kind: "event.wait.entry", Site: "t.py:5", N: 1}
	sets      = chaos.Address{Thread: "0.1", Kind: "event.set.entry", Site: "t.py:9", N: 1}
	logs      = chaos.Address{Thread: "0.2", Kind: "lock.acquire.entry", Site: "t.py:20", N: 1}
)

func (p *program) OrderOf(c minimize.Candidate) replay.Order {
	plan := &chaos.Plan{Strategy: "python", Replay: true}
	for _, h := range c.Holds {
		plan.Decisions = append(plan.Decisions, chaos.Decision{Address: mainWaits, Hold: h.Length})
	}
	return replay.Order{Replay: true, Plan: plan}
}

func (p *program) Run(_ context.Context, _ minimize.Candidate, o replay.Order, n int) ([]replay.Answer, error) {
	var answers []replay.Answer
	for range n {
		p.n++
		answers = append(answers, p.once(o))
	}
	return answers, nil
}

func (p *program) once(o replay.Order) replay.Answer {
	reach := map[string]time.Duration{"0": 10 * time.Millisecond, "0.1": 11 * time.Millisecond, "0.2": 12 * time.Millisecond}
	on := map[string]time.Duration{"0": 10 * time.Millisecond, "0.1": 11 * time.Millisecond, "0.2": 12 * time.Millisecond}
	var record conductor.Record
	for _, d := range o.Plan.Decisions {
		on[d.Thread] += d.Hold + p.cost
		record.Made = append(record.Made, chaos.Made{Decision: d, Held: d.Hold, TID: map[string]int{"0": 7, "0.1": 8, "0.2": 9}[d.Thread], Name: "n" + d.Thread})
	}
	a := replay.Answer{Order: o, Finished: run.Finished{Outcome: run.Pass, Chaos: &run.Chaos{}}}
	if (p.decides == "" && on["0"] > reach["0"] || p.decides != "" && on["0"] > on[p.decides]) && p.n%10 != 0 {
		a.Finished.Outcome = run.Fail
	}
	a.Record, _ = json.Marshal(record)
	if p.traced {
		a.Trace = &run.Trace{Threads: []run.Thread{{TID: 7, Parent: -1}, {TID: 8, Parent: 0, Name: "setter"}, {TID: 9, Parent: 0, Name: "logger"}}}
		for i, at := range []chaos.Address{mainWaits, sets, logs} {
			a.Trace.Points = append(a.Trace.Points, run.Point{At: reach[at.Thread], Thread: i, Source: run.FromRuntime, Name: at.Kind, Fields: []string{at.Site}})
		}
	}
	return a
}

func (p *program) Count(answers []replay.Answer) (t minimize.Tally) {
	for _, a := range answers {
		t.Attempts++
		if a.Finished.Outcome == run.Fail {
			t.Reproduced++
		}
	}
	return t
}

func minimal() *minimize.Result {
	return &minimize.Result{Verdict: minimize.Minimal, Confirmed: true, Candidate: minimize.Candidate{Holds: []minimize.Hold{{ID: 0, Length: 20 * time.Millisecond}}}}
}

func TestTheOrderThatDecidesIsFoundAndTestedInBothDirections(t *testing.T) {
	for decides, event := range map[string]chaos.Address{"0.1": sets, "0.2": logs} {
		p := &program{decides: decides, traced: true}
		c, err := Explain(context.Background(), p, minimal())
		require.NoError(t, err)
		require.True(t, c.Shown, c.String())
		require.Equal(t, event, c.Event)
		require.Equal(t, mainWaits, c.Held.Address)
		require.Equal(t, []int64{11, 0, 0}, []int64{c.Forced.Reproduced, c.Removed.Reproduced, c.Forbidden.Reproduced})
	}
	c, err := Explain(context.Background(), &program{decides: "0.1", traced: true}, minimal())
	require.NoError(t, err)
	require.Equal(t, `it fails if thread 0.1 ("setter", created by 0) comes to its event.set.entry no. 1 at t.py:9 before thread 0 ("n0") goes on from its `+
		`event.wait.entry no. 1 at t.py:5: with that thread held there for 20ms it failed 11 of 12 (62–100 %), without the hold 0 of 12 (0–26 %), `+
		`and with the other thread held too, so that it came later, 0 of 12 (0–26 %)`, c.String())
}

// A hold that makes a test fail whatever others do is no order of events, however often others acted meanwhile.
func TestNoCauseIsStatedThatWasNotShown(t *testing.T) {
	c, err := Explain(context.Background(), &program{traced: true}, minimal())
	require.NoError(t, err)
	require.False(t, c.Shown)
	require.Len(t, c.Tried, 2)
	require.Contains(t, c.String(), `cause not shown: with thread 0.1 ("setter", created by 0) held at its event.set.entry no. 1 at t.py:9 too it failed 11 of 12`)

	for name, x := range map[string]struct {
		result *minimize.Result
		lab    *program
		want   string
	}{
		"no trace":     {minimal(), &program{decides: "0.1"}, "no event of another thread was recorded"},
		"not minimal":  {&minimize.Result{Verdict: minimize.OutOfBudget, Reason: "stopped"}, &program{}, "out of budget"},
		"no hold":      {&minimize.Result{Verdict: minimize.Minimal, Confirmed: true}, &program{}, "no hold is needed"},
		"never fails":  {minimal(), &program{decides: "none"}, "as often without"},
		"always fails": {minimal(), &program{decides: "0.1", traced: true, n: 1}, ""},
	} {
		if x.want == "" {
			continue
		}
		if x.lab.decides == "none" {
			x.result.Candidate.Holds[0].Length = 0
		}
		c, err := Explain(context.Background(), x.lab, x.result)
		require.NoError(t, err)
		require.False(t, c.Shown, name)
		require.Contains(t, c.String(), x.want, name)
	}
}

// A breakpoint's address has its place in the program, and what others did meanwhile are sync points without one.
func TestAHoldAtABreakpointHasItsGap(t *testing.T) {
	held := chaos.Address{Thread: "0.1", Kind: chaos.AtInstruction, Site: "one+0x15 (abba.c:6)", N: 1}
	trace := &run.Trace{Threads: []run.Thread{{TID: 7, Parent: -1}, {TID: 8, Parent: 0}, {TID: 9, Parent: 0}}, Points: []run.Point{
		{At: 1, Thread: 0, Source: run.FromTracer, Name: "clone.exit"},
		{At: 2, Thread: 1, Source: run.FromTracer, Name: chaos.AtInstruction, Fields: []string{"one+0x0 (abba.c:6)"}},
		{At: 3, Thread: 1, Source: run.FromTracer, Name: chaos.AtInstruction, Fields: []string{held.Site}},
		{At: 5, Thread: 2, Source: run.FromTracer, Name: "thread.start"},
		{At: 9, Thread: 2, Source: run.FromTracer, Name: "futex.wait.entry", Fields: []string{"0x1"}},
	}}
	found := gaps([]chaos.Made{{Decision: chaos.Decision{Address: held, Hold: 4}, TID: 8, Held: 4}}, trace)
	require.Len(t, found, 1)
	require.Equal(t, chaos.Address{Thread: "0.2", Kind: "thread.start", N: 1}, found[0].event)
	require.Equal(t, "visit no. 1 to one+0x15 (abba.c:6)", point(found[0].held.Address))
}

// In a Go program the third visit of all is the one that was held, whichever thread made it.
func TestAHoldOfWhicheverThreadHasItsGap(t *testing.T) {
	held := chaos.Address{Thread: chaos.AnyThread, Kind: chaos.AtInstruction, Site: "main.work+0x15 (main.go:6)", N: 2}
	at := func(when time.Duration, thread int) run.Point {
		return run.Point{At: when, Thread: thread, Source: run.FromTracer, Name: chaos.AtInstruction, Fields: []string{held.Site}}
	}
	trace := &run.Trace{Threads: []run.Thread{{TID: 7, Parent: -1}, {TID: 8, Parent: 0}, {TID: 9, Parent: 0}}, Points: []run.Point{
		at(1, 1), at(3, 2), {At: 4, Thread: 1, Source: run.FromTracer, Name: "futex.wait.entry"}, at(5, 0), at(9, 1),
	}}
	found := gaps([]chaos.Made{{Decision: chaos.Decision{Address: held, Hold: 4}, TID: 9, Held: 4}}, trace)
	require.Len(t, found, 2)
	require.Equal(t, chaos.Address{Thread: "0.1", Kind: "futex.wait.entry", N: 1}, found[0].event)
	require.Equal(t, chaos.Address{Thread: chaos.AnyThread, Kind: chaos.AtInstruction, Site: held.Site, N: 3}, found[1].event)
	require.Equal(t, `whichever thread it is ("worker")`, thread(found[1].event.Thread, "worker"))
}

// A stop of a microsecond makes it fail, and nothing is seen to happen meanwhile.
func TestAHoldTooShortToSeeWhoWonIsProlonged(t *testing.T) {
	brief := minimal()
	brief.Candidate.Holds[0].Length = time.Microsecond
	c, err := Explain(t.Context(), &program{decides: "0.1", traced: true, cost: 2 * time.Millisecond}, brief)
	require.NoError(t, err)
	require.True(t, c.Shown, c.String())
	require.Equal(t, sets, c.Event)
	require.Equal(t, 5*time.Millisecond, c.Held.Held)
	require.NotZero(t, c.Forced.Reproduced)
	require.Zero(t, c.Removed.Reproduced)
	require.Equal(t, time.Microsecond, brief.Candidate.Holds[0].Length, "what minimising found stays as it is")
}

// Threads that cannot be addressed for certain are no rivals.
func TestPathsThatContradictWhatWasHeldAreNotUsed(t *testing.T) {
	trace := &run.Trace{Threads: []run.Thread{{TID: 7, Parent: -1}, {TID: 8, Parent: 0}}, Points: []run.Point{{Thread: 1, Source: run.FromRuntime}}}
	require.Equal(t, []string{"0", "0.1"}, pathsOf([]chaos.Made{{TID: 8, Decision: chaos.Decision{Address: chaos.Address{Thread: "0.1"}}}}, trace))
	require.Equal(t, []string{"", ""}, pathsOf([]chaos.Made{{TID: 8, Decision: chaos.Decision{Address: chaos.Address{Thread: "0.2"}}}}, trace))
}

// A shell's children before the program began are not numbered by its runtime.
func TestPathsCountOnlyThreadsThatWereTold(t *testing.T) {
	trace := &run.Trace{Threads: []run.Thread{{TID: 7, Parent: -1}, {TID: 5, Parent: 0}, {TID: 8, Parent: 0}},
		Points: []run.Point{{Thread: 1, Source: run.FromSched}, {Thread: 2, Source: run.FromRuntime}}}
	require.Equal(t, []string{"0", "", "0.1"}, pathsOf([]chaos.Made{{TID: 8, Decision: chaos.Decision{Address: chaos.Address{Thread: "0.1"}}}}, trace))
}

// Sacrifice is the program's: it tells where its threads are at the address.
func (p *program) Sacrifice(o replay.Order, at chaos.Address) replay.Order {
	plan := *o.Plan
	plan.Stacks = &at
	o.Plan = &plan
	return o
}
