package minimize_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"heisen/repro/minimize"
)

// sure makes wrong answers so rare that a test may insist on the right one.
var sure = minimize.Options{Error: 1e-6}

func TestFindsThePlantedHolds(t *testing.T) {
	w, plan := plant(seeded(t), 2, 40, 0.6)
	var steps []minimize.Step
	o := sure
	o.Progress = func(p minimize.Progress) {
		require.Positive(t, p.Tally.Attempts)
		if len(steps) == 0 || steps[len(steps)-1] != p.Step {
			steps = append(steps, p.Step)
		}
	}
	told := 0
	o.Confirmed = func(_ context.Context, r minimize.Result) error {
		told++
		require.True(t, r.Confirmed && w.exact(r.Candidate), "%v of %v", r.Candidate, w.needs)
		require.Equal(t, minimize.StepConfirm, steps[len(steps)-1])
		return nil
	}
	got := run(t, w, plan, o, &minimize.State{})
	require.Equal(t, 1, told)
	require.Equal(t, minimize.Minimal, got.Verdict, got.Reason)
	require.True(t, w.exact(got.Candidate), "%v of %v", got.Candidate, w.needs)
	require.EqualValues(t, w.ran, got.Spent)
	require.GreaterOrEqual(t, got.Measured.Attempts, int64(100))
	require.Equal(t, []minimize.Step{minimize.StepReference, minimize.StepHolds, minimize.StepConfirm, minimize.StepShorten,
		minimize.StepLengthen, minimize.StepMeasure}, steps)
	require.Len(t, plan.Holds, 40, "the caller's plan is left alone")
}

// "Fails from 2.1 ms, not at 1.6": the planted 2 ms lie between, and the hold keeps its length.
func TestBisectsLengths(t *testing.T) {
	w, plan := plant(seeded(t), 2, 10, 0.7)
	got := run(t, w, plan, sure, &minimize.State{})
	require.Len(t, got.Lengths, 2)
	for i, b := range got.Lengths {
		require.Equal(t, got.Candidate.Holds[i].ID, b.ID)
		require.GreaterOrEqual(t, b.FailsFrom, w.needs[b.ID])
		require.Less(t, b.NotAt, w.needs[b.ID])
		require.LessOrEqual(t, float64(b.FailsFrom)/float64(b.NotAt), 1.5)
		require.Equal(t, planned, got.Candidate.Holds[i].Length)
	}
	w.needs[got.Lengths[0].ID] = time.Nanosecond
	any := run(t, w, plan, sure, &minimize.State{})
	require.Zero(t, any.Lengths[0].NotAt, "even the shortest was enough")
}

func TestLengthensWhereThatIsSurer(t *testing.T) {
	w, plan := plant(seeded(t), 1, 10, 0.4)
	w.surer = 0.5
	got := run(t, w, plan, sure, &minimize.State{})
	require.Equal(t, 2*planned, got.Candidate.Holds[0].Length, "twice as long is surer, four times is no surer still")
}

func TestDropsConditions(t *testing.T) {
	w, plan := plant(seeded(t), 1, 10, 0.6)
	plan.Conditions, w.needed = []string{"load", "width", "TZ=UTC"}, []string{"width"}
	got := run(t, w, plan, sure, &minimize.State{})
	require.True(t, w.exact(got.Candidate))
	require.Equal(t, []string{"width"}, got.Candidate.Conditions)
	require.Equal(t, []string{"load", "width", "TZ=UTC"}, plan.Conditions)
}

// What was seen without the condition may look better than it is, so it goes in some trials.
func TestAConditionThatMakesItSurerStays(t *testing.T) {
	const trials = 40
	r := seeded(t)
	stays := func(factor float64) (n int) {
		for range trials {
			w, plan := plant(r, 1, 10, 0.95)
			plan.Conditions, w.helps = []string{"load", "switch", "width"}, map[string]float64{"switch": factor, "width": 0.97}
			got := run(t, w, plan, minimize.Options{}, &minimize.State{})
			if slices.Contains(got.Candidate.Conditions, "switch") {
				n++
			}
			for _, name := range got.Surer {
				require.Contains(t, got.Candidate.Conditions, name)
			}
		}
		return n
	}
	require.Greater(t, stays(0.55), trials*3/4, "without it it comes every other time")
	require.Less(t, stays(1), trials/4, "control: one that makes no difference goes")
}

func TestHoldsThatAreNotNeeded(t *testing.T) {
	w, plan := plant(seeded(t), 0, 30, 0.5)
	got := run(t, w, plan, sure, &minimize.State{})
	require.Equal(t, minimize.Minimal, got.Verdict)
	require.Empty(t, got.Candidate.Holds, "no holds fail as often")
}

// The longest hold is tried alone before anything is halved.
func TestGuessesTheLongestHold(t *testing.T) {
	w, plan := plant(seeded(t), 1, 40, 0.8)
	for id := range w.needs {
		plan.Holds[id].Length += time.Millisecond
	}
	s := &minimize.State{}
	got := run(t, w, plan, sure, s)
	require.True(t, w.exact(got.Candidate))
	for asked := range s.Questions {
		require.Equal(t, 1, strings.Count(asked, "="), "no other set was asked about: %s", asked)
	}
}

// Holds may also be what keeps a failure from coming that a setting of the same plan brings: it is told at once.
func TestHoldsThatAreInTheWay(t *testing.T) {
	w, plan := plant(seeded(t), 1, 4, 0.05)
	w.noise, plan.Conditions, w.helps = 0.7, []string{"width"}, map[string]float64{"width": 1}
	got := run(t, w, plan, sure, &minimize.State{})
	require.Equal(t, minimize.Minimal, got.Verdict, got.Reason)
	require.Empty(t, got.Candidate.Holds)
	require.Less(t, got.Full.Attempts, int64(200), "not before the plan has failed twenty times")
	require.Greater(t, got.Measured.Reproduced, got.Measured.Attempts/2)
}

func TestSaysWhenItCannotTell(t *testing.T) {
	never, plan := plant(seeded(t), 1, 10, 0)
	got := run(t, never, plan, minimize.Options{Reference: 200}, &minimize.State{})
	require.Equal(t, minimize.CannotTell, got.Verdict)
	require.Equal(t, "the whole plan reproduced the failure in 0 of 200 attempts only", got.Reason)
	alike, plan := plant(seeded(t), 1, 10, 0.3)
	alike.noise = 0.12
	got = run(t, alike, plan, sure, &minimize.State{})
	require.Equal(t, minimize.CannotTell, got.Verdict)
	require.Contains(t, got.Reason, "too alike to tell which holds matter")
	for side, tally := range map[string]minimize.Tally{"plan": got.Full, "no holds": got.Plain} {
		require.InDelta(t, 1500, tally.Attempts, 8, "%s: no more than Options.Reference, to a batch", side)
	}
	require.Len(t, got.Candidate.Holds, 10, "nothing was removed")
}

// Another failure is no reproduction, however often it comes: the plan must not drift to it.
func TestDoesNotDriftToAnotherFailure(t *testing.T) {
	w, plan := plant(seeded(t), 2, 30, 0.4)
	w.mislead = 0.9
	got := run(t, w, plan, sure, &minimize.State{})
	require.True(t, got.Verdict == minimize.CannotTell || w.exact(got.Candidate), "%+v", got)
	require.Positive(t, got.Full.Other)
}

// A question answered wrongly by bad luck is found out and asked again.
func TestMendsAWrongAnswer(t *testing.T) {
	for luck, lucky := range map[string]bool{"a lucky hit drops what is needed": true, "an unlucky miss keeps junk": false} {
		t.Run(luck, func(t *testing.T) {
			w, plan := plant(seeded(t), 1, 8, 0.7)
			var need int
			for id := range w.needs {
				need = id
			}
			// By hand: a hit weighs log 3, a miss log(7/9); both tallies are just beyond log 10,000.
			s := &minimize.State{Bar: &minimize.Bar{Low: 0.1, High: 0.3}, Questions: map[string]*minimize.Tally{}}
			wrong, tally := plan.Holds[need:need+1], &minimize.Tally{Attempts: 40}
			if lucky {
				wrong, tally = plan.Holds[:4], &minimize.Tally{Attempts: 9, Reproduced: 9}
				if need < 4 {
					wrong = plan.Holds[4:]
				}
			}
			s.Questions[key(wrong)] = tally
			s.Full, s.Plain = minimize.Tally{Attempts: 100, Reproduced: 70}, minimize.Tally{Attempts: 100}
			got := run(t, w, plan, minimize.Options{Error: 1e-4}, s)
			require.Equal(t, minimize.Minimal, got.Verdict, got.Reason)
			require.True(t, w.exact(got.Candidate), "%v, needed %d", got.Candidate, need)
		})
	}
}

func key(holds []minimize.Hold) (text string) {
	for _, h := range holds {
		text += fmt.Sprintf("%d=%d ", h.ID, h.Length)
	}
	return text + "| "
}

// Cut off after every so many attempts and resumed from its JSON, a run asks nothing twice and ends the same way.
func TestResumes(t *testing.T) {
	w, plan := plant(seeded(t), 2, 20, 0.6)
	plan.Conditions = []string{"load"}
	state, cuts := &minimize.State{}, 0
	for {
		w.stopAt = w.ran + 100
		before := maps.Clone(state.Questions)
		got, err := minimize.Run(context.Background(), plan, w, sure, state)
		for k, q := range before {
			require.GreaterOrEqual(t, state.Questions[k].Attempts, q.Attempts)
		}
		text, mistake := json.Marshal(state)
		require.NoError(t, mistake)
		state = &minimize.State{}
		require.NoError(t, json.Unmarshal(text, state))
		require.EqualValues(t, w.ran, state.Spent, "every attempt is on record")
		if err == nil {
			require.Equal(t, minimize.Minimal, got.Verdict, got.Reason)
			require.True(t, w.exact(got.Candidate))
			break
		}
		require.ErrorIs(t, err, errCut)
		cuts++
	}
	require.Greater(t, cuts, 5)
	ran := w.ran
	w.stopAt = 0
	run(t, w, plan, sure, state)
	require.Equal(t, ran, w.ran, "a finished run asks nothing any more")
}

func TestBudget(t *testing.T) {
	w, plan := plant(seeded(t), 2, 60, 0.6)
	s := &minimize.State{}
	got := run(t, w, plan, minimize.Options{MostAttempts: 300}, s)
	require.Equal(t, minimize.OutOfBudget, got.Verdict)
	require.InDelta(t, 300, got.Spent, 8)
	require.Contains(t, got.Reason, "stopped while finding out which holds are needed")
	got = run(t, w, plan, sure, s)
	require.Equal(t, minimize.Minimal, got.Verdict, "and goes on with more")

	now := time.Unix(0, 0)
	clock := minimize.Options{MostTime: time.Minute, Now: func() time.Time { now = now.Add(time.Second); return now }}
	require.Equal(t, minimize.OutOfBudget, run(t, w, plan, clock, &minimize.State{}).Verdict)
}

type silent struct{}

func (silent) Try(context.Context, minimize.Candidate, int) ([]minimize.Outcome, error) {
	return nil, nil
}

func TestAttemptsThatSayNothing(t *testing.T) {
	_, plan := plant(seeded(t), 1, 5, 0.5)
	_, err := minimize.Run(context.Background(), plan, silent{}, minimize.Options{}, &minimize.State{})
	require.ErrorContains(t, err, "none of 160 attempts said anything")
	ctx, stop := context.WithCancel(context.Background())
	stop()
	_, err = minimize.Run(ctx, plan, silent{}, minimize.Options{}, &minimize.State{})
	require.ErrorIs(t, err, context.Canceled)
}

// Whatever is planted: what is called minimal has a true rate over the bar's low end, and without any one of its
// holds one under its high end. In between either answer is right.
func TestWhatIsLeftIsMinimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		of := rapid.IntRange(1, 40).Draw(t, "of")
		w, plan := plant(rand.New(rand.NewPCG(seed, 0)), rapid.IntRange(0, min(3, of)).Draw(t, "needs"), of,
			rapid.Float64Range(0.2, 1).Draw(t, "rate"))
		w.noise = rapid.Float64Range(0, 0.1).Draw(t, "noise")
		s := &minimize.State{}
		got, err := minimize.Run(context.Background(), plan, w, sure, s)
		require.NoError(t, err)
		if got.Verdict != minimize.Minimal {
			return
		}
		truth := func(holds []minimize.Hold) float64 {
			for id := range w.needs {
				if !slices.ContainsFunc(holds, func(h minimize.Hold) bool { return h.ID == id }) {
					return w.noise
				}
			}
			return w.rate
		}
		require.GreaterOrEqual(t, truth(got.Candidate.Holds), s.Bar.Low)
		for i := range got.Candidate.Holds {
			require.LessOrEqual(t, truth(slices.Concat(got.Candidate.Holds[:i], got.Candidate.Holds[i+1:])), s.Bar.High)
		}
	})
}
