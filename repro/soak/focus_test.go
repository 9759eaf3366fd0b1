package soak_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/repro/soak"
)

func TestFocusedChoosesWhatTellsTheSoonest(t *testing.T) {
	b := soak.Baseline{Target: []string{"old"}, Plans: map[string]soak.Count{"plain": {Attempts: 30, Failures: 1}, "python": {Attempts: 18, Failures: 12},
		"pct": {Attempts: 2}, "preempt": {Attempts: 4, Failures: 1}}}
	alike := map[string]float64{"plain": 1, "python": 1, "pct": 1, "preempt": 1}
	one := b.Focused(soak.Options{}, alike, nil)
	require.Equal(t, "python", one.Focus)
	require.Equal(t, 1.0/5, one.Weight)
	require.Equal(t, []string{"plain", "preempt"}, one.Beside, "those that failed before")

	favoured := b.Focused(soak.Options{}, alike, []string{"python", "go-hold"})
	require.Equal(t, "python", favoured.Focus)
	require.Equal(t, 4.0/8, favoured.Weight, "plain, pct, preempt, all together: 1 each; go-hold was not there")
	require.Less(t, against(t, favoured).on.Finding(0).More, against(t, one).on.Finding(0).More)

	f := against(t, one)
	more := f.on.Finding(0).More
	every := against(t, b).on.Finding(0).More
	require.Less(t, more, every*2/3, "the evidence that the choice costs is less than what it saves")
	f.add(int(more)-1, "python", "pass", "")
	f.add(50, "pct", "fail", "old") // a plan that did not fail before says nothing
	f.add(int(more/2), "plain", "pass", "")
	f.add(int(more/2), "preempt", "pass", "")
	require.EqualValues(t, 1, f.on.Finding(0).More)
	f.add(1, "python", "pass", "")
	got := f.on.Finding(0)
	require.Equal(t, soak.Fixed, got.Verdict, got.Sentence)
	require.Equal(t, soak.Count{Attempts: 18, Failures: 12}, got.Baseline)
	require.Equal(t, more, got.Attempts)
	require.Contains(t, got.Sentence, "12 of 18 before, under python: at least")

	dear := map[string]float64{"plain": 1, "python": 1, "pct": 1, "preempt": 10}
	d := against(t, b.Focused(soak.Options{}, dear, nil))
	d.add(int(more), "python", "pass", "")
	d.add(int(more/2), "plain", "pass", "")
	d.add(int(more/40)-1, "preempt", "pass", "")
	require.Equal(t, soak.CannotTell, d.on.Finding(0).Verdict)
	d.add(1, "preempt", "pass", "")
	require.Equal(t, soak.Fixed, d.on.Finding(0).Verdict, "what costs ten times as much is asked a tenth as often, and all together half as long as the focus")

	alike["python"] = 100
	require.Empty(t, b.Focused(soak.Options{}, alike, nil).Focus, "one that takes too long tells later")
	even := soak.Baseline{Target: []string{"old"}, Plans: map[string]soak.Count{"a": {Attempts: 20, Failures: 5}, "b": {Attempts: 20, Failures: 4}, "c": {Attempts: 20, Failures: 6}}}
	require.Empty(t, even.Focused(soak.Options{}, map[string]float64{"a": 1, "b": 1, "c": 1}, nil).Focus, "all together tell more")
	single := baseline()
	require.Equal(t, single, single.Focused(soak.Options{}, map[string]float64{"p": 1}, nil), "nothing to choose costs nothing")
}

// TestFocusErrors: all six plans fail alike, so that whichever failed most often did so by chance and looks worse than it
// is. It is made the quickest, so that it is chosen. The rate fell by exactly the factor, where FIXED is wrong and easiest, or not at all,
// where PERTURBED is.
func TestFocusErrors(t *testing.T) {
	campaigns := 300
	if os.Getenv("HEISEN_SLOW_TESTS") == "1" {
		campaigns = 2000
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	for _, after := range []float64{0.025, 0.25} {
		wrong, chose := map[soak.Verdict]int{}, 0
		for range campaigns {
			b := luckiest(r)
			if b.Focus == "" {
				continue // other tests play it
			}
			chose++
			n, k := int64(0), int64(0)
			for v := soak.CannotTell; v == soak.CannotTell && n < 2000; {
				n++
				if r.Float64() < after {
					k++
				}
				if v = soak.Decide(b, b.Focus, n, k); v == soak.Perturbed && !soak.Stayed(b, b.Focus, n, k) {
					v = still
				}
				wrong[v]++
			}
		}
		t.Logf("seed %d, rate after %v: %d of %d campaigns chose a plan; %v", seed, after, chose, campaigns, wrong)
		require.Greater(t, chose, campaigns/20, "seed %d", seed)
		most := int(0.01*float64(chose) + 4*math.Sqrt(0.01*float64(chose)) + 1)
		require.LessOrEqual(t, wrong[soak.Fixed], most, "seed %d", seed)
		require.LessOrEqual(t, wrong[soak.Perturbed], most, "seed %d", seed)
		if after == 0.25 {
			require.LessOrEqual(t, wrong[still], most, "seed %d", seed)
		} else {
			require.LessOrEqual(t, wrong[soak.NotFixed], most, "seed %d", seed)
		}
	}
}

// luckiest is a baseline in which the plan that failed most often is the quickest.
func luckiest(r *rand.Rand) soak.Baseline {
	names := []string{"a", "b", "c", "d", "e", "f"}
	b, cost := soak.Baseline{Target: []string{"old"}, Plans: map[string]soak.Count{}}, map[string]float64{}
	for _, name := range names {
		c := soak.Count{Attempts: 12}
		for range c.Attempts {
			if r.Float64() < 0.25 {
				c.Failures++
			}
		}
		b.Plans[name], cost[name] = c, 1
	}
	cost[slices.MaxFunc(names, func(x, y string) int { return cmp.Compare(b.Plans[x].Failures, b.Plans[y].Failures) })] = 0.1
	return b.Focused(soak.Options{}, cost, []string{"b", "e"})
}
