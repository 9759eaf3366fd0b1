package reports_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/stress/run"
	"heisen/stress/tally"
)

// disturbed is a campaign with plain attempts and such strategies: failures of attempts each.
func disturbed(plain [2]int, chaos map[string][2]int, made int64) *tally.Tally {
	t := tally.New()
	t.Add(run.Began{Campaign: "c", Epoch: 1, Session: 1, Spec: run.Spec{Chaos: run.ChaosPolicy{Strategies: []string{"auto"}}},
		NotDrawn: map[string]string{"pct": "ptrace is not allowed"}})
	seq := int64(0)
	add := func(c *run.Chaos, n [2]int) {
		for i := range n[1] {
			seq++
			fin := run.Finished{Seq: seq, Epoch: 1, Outcome: run.Pass, Wall: 100_000, Chaos: c}
			if c != nil {
				fin.Wall = 300_000
			}
			if i < n[0] {
				fin.Outcome = run.Fail
			}
			t.Add(fin)
		}
	}
	add(nil, plain)
	for name, n := range chaos {
		c := &run.Chaos{Strategy: name, Planned: made, Made: made, Stops: 5}
		if name == "pin" {
			c = &run.Chaos{Strategy: name}
		}
		add(c, n)
	}
	return t
}

func TestTheRateIsOfPlainAttemptsAlone(t *testing.T) {
	r := reports.Build(disturbed([2]int{1, 200}, map[string][2]int{"hold": {40, 60}, "pin": {0, 40}}, 3), reports.Facts{})
	require.EqualValues(t, 1, r.Rate.Failures)
	require.EqualValues(t, 200, r.Rate.Attempts)
	require.EqualValues(t, 41, r.Attempts.Failures(), "all are failures of the test")
	require.EqualValues(t, 300, r.Attempts.Total)
	require.EqualValues(t, 200, r.Epochs[0].Rate.Attempts)
	require.EqualValues(t, 199, r.Durations.Pass.Count, "so are the wall times")

	hold, pin := r.Chaos.Strategies[0], r.Chaos.Strategies[1]
	require.Equal(t, "more often", hold.Verdict)
	require.EqualValues(t, 60, hold.Rate.Attempts)
	require.InDelta(t, 3, *hold.SlowDown, 1e-9)
	require.EqualValues(t, 180, hold.Holds.Made)
	require.Equal(t, "no difference seen", pin.Verdict)
	require.Nil(t, pin.Holds, "it holds nothing, which is no zero")
	require.Empty(t, r.Chaos.Nothing())
	require.Equal(t, "ptrace is not allowed", r.Chaos.NotDrawn["pct"])
}

func TestACampaignWithoutChaosSaysNothingOfIt(t *testing.T) {
	tl := tally.New()
	tl.Add(run.Began{Campaign: "c", Epoch: 1, Session: 1})
	tl.Add(run.Finished{Seq: 1, Epoch: 1, Outcome: run.Pass})
	require.Nil(t, reports.Build(tl, reports.Facts{}).Chaos)
}

func TestWhatAnAttemptDidNotTellIsNotNone(t *testing.T) {
	tl := disturbed([2]int{0, 50}, map[string][2]int{"hold": {0, 30}}, 0)
	for seq := range int64(12) {
		tl.Add(run.Finished{Seq: 1000 + seq, Epoch: 1, Outcome: run.Pass, Chaos: &run.Chaos{Strategy: "go-hold", Unsupported: "its record cannot be read"}})
	}
	r := reports.Build(tl, reports.Facts{})
	require.Zero(t, r.Chaos.Strategies[1].Holds.Untold)
	told := r.Chaos.Strategies[0].Holds
	require.EqualValues(t, 12, told.Untold)
	require.Zero(t, told.Idle, "whether it held anything is not known")
	require.Equal(t, "its record cannot be read", told.WhyUntold)
	for seq := range int64(12) {
		tl.Add(run.Finished{Seq: 2000 + seq, Epoch: 1, Outcome: run.Pass, Chaos: &run.Chaos{Strategy: "go-hold", Unsupported: "something else"}})
	}
	require.Contains(t, reports.Build(tl, reports.Facts{}).Chaos.Nothing(), "go-hold told of no hold in 24 attempts, of which 24 did not tell all (its record cannot be read)")
}

func TestChaosThatDoesNothingIsAnError(t *testing.T) {
	r := reports.Build(disturbed([2]int{0, 50}, map[string][2]int{"hold": {0, 30}}, 0), reports.Facts{})
	require.Contains(t, r.Chaos.Nothing(), "hold made no hold in 30 attempts")
	require.Contains(t, r.Doubts[0], "error: hold made no hold")
	few := reports.Build(disturbed([2]int{0, 50}, map[string][2]int{"hold": {0, 10}}, 0), reports.Facts{})
	require.Empty(t, few.Chaos.Nothing(), "ten are too few to say")
	beside := reports.Build(disturbed([2]int{0, 50}, map[string][2]int{"hold": {0, 30}, "pin": {0, 5}}, 0), reports.Facts{})
	require.Empty(t, beside.Chaos.Nothing(), "the machine's side did something")
	require.NotEmpty(t, beside.Chaos.Idle())
}

// TestNoDifferenceIsClaimedWhereThereIsNone: counts of 100 that lie within chance of the plain 5 of 100.
func TestNoDifferenceIsClaimedWhereThereIsNone(t *testing.T) {
	claimed := 0
	for a := range 10 {
		for b := range 10 {
			r := reports.Build(disturbed([2]int{5, 100}, map[string][2]int{"hold": {a, 100}, "pin": {b, 100}}, 1), reports.Facts{})
			for _, s := range r.Chaos.Strategies {
				if s.Verdict != "no difference seen" {
					claimed++
				}
			}
		}
	}
	require.Zero(t, claimed)
}
