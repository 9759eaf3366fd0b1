package mix

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

func TestLedgerCountsEveryStrategyApart(t *testing.T) {
	l := &Ledger{}
	l.Add(run.Finished{Seq: 1, Outcome: run.Pass, Wall: 100, User: 10, System: 5, Variant: "a"})
	l.Add(run.Finished{Seq: 9, Outcome: run.Fail, Wall: 300, Variant: "b", Chaos: &run.Chaos{Strategy: "hold", Planned: 5, Made: 3, Skipped: 2, Held: 70, Longest: 40, Stops: 9, Tracer: 8}})
	l.Add(run.Finished{Seq: 4, Outcome: run.Timeout, Wall: 300, Variant: "a", Chaos: &run.Chaos{Strategy: "hold", Longest: 10}})
	l.Add(run.Finished{Seq: 5, Outcome: run.HarnessError, Chaos: &run.Chaos{Strategy: Pin}})

	plain, hold, pin := l.Arm(Plain), l.Arm("hold"), l.Arm(Pin)
	require.Equal(t, []int64{1, 0, 15, 1}, []int64{plain.Attempts(), plain.Failures(), plain.CPU, plain.Variants})
	require.Equal(t, []int64{2, 2, 4, 1, 2}, []int64{hold.Attempts(), hold.Failures(), hold.First, hold.Variants, hold.Recorded})
	require.Equal(t, []int64{5, 3, 2, 70, 40, 9, 8, 1},
		[]int64{hold.Planned, hold.Made, hold.Skipped, hold.Held, hold.Longest, hold.Stops, hold.Tracer, hold.Idle})
	require.Equal(t, []int64{0, 1, 0}, []int64{pin.Attempts(), pin.Finished(), pin.Idle}, "the machine's side holds nothing and is not idle for it")
	require.Nil(t, l.Arm("pct"))
}

func TestLedgerSurvivesJSON(t *testing.T) {
	l := &Ledger{}
	for seq := int64(1); seq <= 60; seq++ {
		l.Add(run.Finished{Seq: seq, Outcome: run.Pass, Wall: seq, Variant: fmt.Sprint(seq % 7)})
	}
	data, err := json.Marshal(l)
	require.NoError(t, err)
	var back Ledger
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, l, &back)
	require.Len(t, back.Durations, recentPlain)
}

func TestCloneSharesNothing(t *testing.T) {
	l := &Ledger{}
	l.Add(run.Finished{Seq: 1, Outcome: run.Pass, Wall: 5, Variant: "x"})
	c := l.Clone()
	c.Add(run.Finished{Seq: 2, Outcome: run.Fail, Wall: 7, Variant: "y"})
	require.EqualValues(t, 1, l.Arm(Plain).Finished())
	require.Len(t, l.Seen, 1)
	require.Len(t, l.Durations, 1)
	require.Equal(t, &Ledger{}, (*Ledger)(nil).Clone())
}

func TestVariantsAreBounded(t *testing.T) {
	l := &Ledger{}
	for i := range int64(mostVariants + 50) {
		l.Add(run.Finished{Seq: i, Outcome: run.Pass, Variant: fmt.Sprint(i)})
	}
	require.True(t, l.VariantsFull())
	require.EqualValues(t, mostVariants, l.Arm(Plain).Variants)
	require.EqualValues(t, mostVariants+50, l.Arm(Plain).Recorded)
}
