package replay

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

// runner ends as it is told and keeps what it was given.
type runner struct{ seen []run.Attempt }

func (r *runner) Run(a run.Attempt, _ *run.Control) run.Result {
	r.seen = append(r.seen, a)
	return run.Result{Evidence: run.Evidence{Plan: []byte("made")}}
}

// play is an engine that runs whatever the desk admits, one after the other; outcome is asked about each try.
func play(d *Desk, inner *runner, outcome func(a run.Attempt, try int) run.Outcome) func() bool {
	seq := int64(0)
	return func() bool {
		for ; d.Admit(seq + 1); seq++ {
			a := run.Attempt{Seq: seq + 1, Seed: 5}
			out := run.Killed
			for try := 1; out == run.Killed && d.Admit(a.Seq); try++ {
				d.Over(inner).Run(a, nil)
				out = outcome(a, try)
			}
			d.Emit(run.Finished{Seq: a.Seq, Outcome: out})
		}
		return true
	}
}

func TestEveryOrderGetsItsOwnAnswer(t *testing.T) {
	d, inner := NewDesk(), &runner{}
	d.Attach(play(d, inner, func(a run.Attempt, _ int) run.Outcome {
		if plan := d.Plan(a); plan != nil {
			require.Equal(t, plan.Strategy, d.Choose(a))
			return run.Fail
		}
		require.Equal(t, "plain", d.Choose(a))
		return run.Pass
	}))
	plan := &chaos.Plan{Strategy: "hold"}
	instead := &run.Command{Path: "/other"}
	answers, err := d.Try(context.Background(), []Order{{Plan: plan, Seed: 7}, {}, {Plan: plan, Command: instead}}, 9, nil)
	require.NoError(t, err)
	var outcomes []run.Outcome
	for _, a := range answers {
		outcomes = append(outcomes, a.Finished.Outcome)
		require.Equal(t, "made", string(a.Record))
	}
	require.Equal(t, []run.Outcome{run.Fail, run.Pass, run.Fail}, outcomes)
	require.Equal(t, []uint64{7, 5, 5}, []uint64{inner.seen[0].Seed, inner.seen[1].Seed, inner.seen[2].Seed})
	require.Equal(t, []*run.Command{nil, nil, instead}, []*run.Command{inner.seen[0].Instead, inner.seen[1].Instead, inner.seen[2].Instead})
	require.False(t, d.Admit(99), "nobody wants more")
}

func TestAFurtherTryHasTheSameOrder(t *testing.T) {
	d, inner := NewDesk(), &runner{}
	d.Attach(play(d, inner, func(_ run.Attempt, try int) run.Outcome {
		if try < 3 {
			return run.Killed
		}
		return run.Pass
	}))
	answers, err := d.Try(context.Background(), []Order{{Seed: 9}}, 9, nil)
	require.NoError(t, err)
	require.Len(t, answers, 1)
	require.Len(t, inner.seen, 3)
	require.EqualValues(t, 9, inner.seen[2].Seed)
}

func TestOrdersFailWhenTheSessionEndsOrAPlanCannotBeCarriedOut(t *testing.T) {
	for name, end := range map[string]func(*Desk){
		"ended":   (*Desk).End,
		"dropped": func(d *Desk) { d.Drop("hold") },
	} {
		t.Run(name, func(t *testing.T) {
			d := NewDesk()
			d.Attach(func() bool { end(d); return false })
			_, err := d.Try(context.Background(), []Order{{}}, 9, nil)
			require.Error(t, err)
			require.Equal(t, name == "ended", errors.Is(err, ErrEnded))
			require.False(t, d.Admit(1))
			_, err = d.Try(context.Background(), []Order{{}}, 9, nil)
			require.Error(t, err, "and all later ones")
		})
	}
}

// An attempt that should have been held and ran plain says nothing about the plan.
func TestWhatRanPlainForWantOfATracerIsNoReplay(t *testing.T) {
	plan := &chaos.Plan{Strategy: "hold"}
	for _, c := range []struct {
		name  string
		plan  *chaos.Plan
		chaos *run.Chaos
		out   run.Outcome
		want  bool
	}{
		{"plain", nil, nil, run.Pass, true},
		{"held", plan, &run.Chaos{Strategy: "hold"}, run.Fail, true},
		{"not held", plan, nil, run.Fail, false},
		{"could not be held", plan, &run.Chaos{Unsupported: "no"}, run.Fail, false},
		{"killed", nil, nil, run.Killed, false},
	} {
		a := Answer{Order: Order{Plan: c.plan}, Finished: run.Finished{Outcome: c.out, Chaos: c.chaos}}
		require.Equal(t, c.want, a.Judged(), c.name)
	}
}

// An attempt that is given up for its stacks is one that was skipped: nothing it did counts, and it is not tried again.
func TestWhatIsGivenUpForItsStacksCountsNowhere(t *testing.T) {
	d, inner := NewDesk(), &runner{}
	var seen []run.Result
	seq := int64(0)
	d.Attach(func() bool {
		for ; d.Admit(seq + 1); seq++ {
			res := d.Over(failing{inner}).Run(run.Attempt{Seq: seq + 1}, nil)
			seen = append(seen, res)
			judge, err := run.NewJudge(run.Oracle{PassOn: []string{"x"}})
			require.NoError(t, err)
			out, _ := judge.Outcome(&res)
			d.Emit(run.Finished{Seq: seq + 1, Outcome: out, Chaos: &run.Chaos{}})
		}
		return true
	})
	plan := &chaos.Plan{Strategy: "hold"}
	doomed := *plan
	doomed.Stacks = &chaos.Address{Thread: "0"}
	answers, err := d.Try(context.Background(), []Order{{Plan: plan}, {Plan: &doomed}}, 9, nil)
	require.NoError(t, err)
	require.Equal(t, run.Killed, answers[0].Finished.Outcome, "the engine tries it again")
	require.Equal(t, run.Skip, answers[1].Finished.Outcome)
	require.False(t, answers[1].Judged())
	require.Equal(t, "x", string(answers[1].Output), "what it told is kept for who asked")
	require.Empty(t, seen[1].Evidence.Output.Bytes())

	answers[1].Finished.Outcome = run.Pass
	require.False(t, answers[1].Judged(), "however it ended")
}

// failing is a runner whose attempts are killed after a word.
type failing struct{ *runner }

func (f failing) Run(a run.Attempt, c *run.Control) run.Result {
	res := f.runner.Run(a, c)
	res.Ending = run.Ending{Signal: 9}
	res.Evidence.Output.Head = []run.Chunk{{Stream: run.Stdout, Data: []byte("x")}}
	return res
}
