package replay

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/repro/minimize"
	"heisen/stress/chaos"
	"heisen/stress/run"
)

// planted is a failure that takes the 5th of 12 holds for 6 ms or more, the switch interval and CI=1; everything
// else it has is not needed. ran counts attempts of each width.
func planted(t *testing.T) (*Trier, *[]run.Attempt) {
	t.Helper()
	plan := &chaos.Plan{Version: chaos.PlanVersion, Strategy: "python", Replay: true, Settings: map[string]string{"switch": "1e-6", "gc": "20", "rate": "0.5"}}
	for n := range int64(12) {
		plan.Decisions = append(plan.Decisions, chaos.Decision{Address: chaos.Address{Thread: "0.1", Kind: "event.set.exit", N: n + 1}, Hold: 20 * time.Millisecond})
	}
	d, inner := NewDesk(), &runner{}
	command := run.Command{Path: "/t", Env: []string{"CI=1", "LANG=C", "TZ=UTC"}}
	seq := int64(0)
	d.Attach(func() bool {
		for ; d.Admit(seq + 1); seq++ {
			a := run.Attempt{Seq: seq + 1, Seed: 1}
			d.Over(inner).Run(a, nil)
			given := inner.seen[len(inner.seen)-1]
			fin := run.Finished{Seq: a.Seq, Outcome: run.Pass, Chaos: &run.Chaos{}}
			env := command.Env
			if given.Instead != nil {
				env = given.Instead.Env
			}
			if fails(d.Plan(a), env) {
				fin.Outcome, fin.Filed = run.Fail, &run.Filed{Signature: "abc"}
			}
			d.Emit(fin)
		}
		return true
	})
	return &Trier{Desk: d, Recipe: &Recipe{Signature: "abc", Plan: plan, Seed: 9}, Command: command, Width: 4, Environ: []string{"TZ=UTC"}}, &inner.seen
}

func fails(plan *chaos.Plan, env []string) bool {
	held := false
	for _, d := range plan.Decisions {
		held = held || d.N == 5 && d.Hold >= 6*time.Millisecond
	}
	set := false
	for _, e := range env {
		set = set || e == "CI=1"
	}
	return held && set && plan.Settings["switch"] != "" && plan.Settings["rate"] != ""
}

func TestMinimisingRealOrdersFindsThePlantedCause(t *testing.T) {
	trier, seen := planted(t)
	whole := trier.Whole()
	require.Equal(t, []string{"CI=", "LANG=", "gc", "seed", "switch", "width"}, whole.Conditions, "what only draws is none, nor what is set anyway")
	require.Len(t, whole.Holds, 12)
	r, err := minimize.Run(context.Background(), whole, trier, minimize.Options{}, &minimize.State{})
	require.NoError(t, err)
	require.Equal(t, minimize.Minimal, r.Verdict, r.Reason)
	require.True(t, r.Confirmed)
	require.Equal(t, []string{"CI=", "switch"}, r.Candidate.Conditions)
	holds := trier.HoldsOf(&r)
	require.Len(t, holds, 1)
	require.EqualValues(t, 5, holds[0].N)
	require.GreaterOrEqual(t, holds[0].FailsFrom, 6*time.Millisecond)
	require.Less(t, holds[0].NotAt, 6*time.Millisecond)
	require.Less(t, holds[0].FailsFrom, 3*holds[0].NotAt/2+1)

	// Width is slow to be without: asked about last, it leaves the same.
	slow, err := minimize.Run(context.Background(), whole, trier, minimize.Options{Slow: []string{CondWidth}}, &minimize.State{})
	require.NoError(t, err)
	require.Equal(t, r.Candidate, slow.Candidate)

	last := (*seen)[len(*seen)-1]
	require.EqualValues(t, 1, last.Seed, "the recorded seed is not needed")
	require.Equal(t, []string{"CI=1", "TZ=UTC"}, last.Instead.Env)

	early, err := minimize.Run(context.Background(), whole, trier, minimize.Options{MostAttempts: 40}, &minimize.State{})
	require.NoError(t, err)
	require.Equal(t, minimize.OutOfBudget, early.Verdict)
	require.False(t, early.Confirmed)
}

// Without the condition, one attempt runs at a time, and the machine is not kept busy.
func TestConditionsOfTheMachine(t *testing.T) {
	trier, _ := planted(t)
	var load []bool
	trier.Load = func(on bool) { load = append(load, on) }
	most := 0
	nudge := trier.Desk.nudge
	trier.Desk.Attach(func() bool {
		most = max(most, len(trier.Desk.waiting))
		return nudge()
	})
	require.Contains(t, trier.Whole().Conditions, CondLoad)
	_, err := trier.Try(context.Background(), minimize.Candidate{Conditions: []string{CondWidth, CondLoad}}, 9)
	require.NoError(t, err)
	require.Equal(t, trier.Width, most)
	most = 0
	outcomes, err := trier.Try(context.Background(), minimize.Candidate{}, 4)
	require.NoError(t, err)
	require.Len(t, outcomes, 4)
	require.Equal(t, 1, most)
	require.Equal(t, []bool{true, true, false, true}, load, "and back to what was recorded each time")
}

func TestACandidateOfTheMachinesSideWithoutItIsLeftAlone(t *testing.T) {
	trier := &Trier{Recipe: &Recipe{Plan: &chaos.Plan{Strategy: "pin"}}}
	require.NotNil(t, trier.PlanOf(trier.Whole()))
	require.Nil(t, trier.PlanOf(minimize.Candidate{}))
}
