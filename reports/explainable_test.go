package reports

import (
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
	"heisen/stress/tally"
)

// A single hold under a strategy that seldom fails is likely to have had no part in its failure.
func TestTheBundleToExplain(t *testing.T) {
	counted := tally.New()
	counted.Add(run.Began{Campaign: "c", Session: 1, Epoch: 1})
	for i, c := range []run.Chaos{{Strategy: "preempt", Made: 1, Held: 1}, {Strategy: "breakpoint", Made: 9, Held: 1}, {Strategy: "breakpoint", Made: 4, Held: 1}, {Strategy: "weak"}} {
		counted.Add(run.Finished{Seq: int64(i + 1), Epoch: 1, Outcome: run.Fail, Chaos: &c,
			Filed: &run.Filed{Signature: "s", Bundle: c.Strategy + string(rune('0'+c.Made))}})
	}
	chaos := &Chaos{Strategies: []Strategy{{Name: "breakpoint", Rate: Rate{Low: 0.3}}, {Name: "preempt", Rate: Rate{Low: 0.01}}, {Name: "weak", Rate: Rate{Low: 0.9}}}}
	require.Equal(t, "breakpoint4", explainable(counted, chaos))
	require.Empty(t, explainable(counted, nil))
	require.Empty(t, explainable(tally.New(), chaos))
}
