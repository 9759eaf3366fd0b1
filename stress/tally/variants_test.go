package tally_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
	"heisen/stress/tally"
)

func varied(seq int64, o run.Outcome, variant string) run.Finished {
	fin := finished(seq, o, 0)
	fin.Epoch, fin.Variant = 1, variant
	return fin
}

func TestVariantsAreCountedWithTheirOutcomes(t *testing.T) {
	c := fold(began(1, 1, 0), varied(3, run.Pass, "aa"), varied(2, run.Fail, "bb"), varied(1, run.Pass, "aa"),
		varied(4, run.Timeout, "bb"), varied(5, run.Skip, "cc"), varied(6, run.Pass, ""), varied(7, run.Pass, "aa")).Census()
	require.Equal(t, []tally.Variant{{ID: "aa", Pass: 3, First: 1}, {ID: "bb", Fail: 2, First: 2}}, c.Variants())
	require.Equal(t, int64(5), c.Attempts)
	require.Equal(t, int64(1), c.Without, "an attempt without a record is no variant")
	require.Equal(t, int64(2), c.Distinct())
	share, in := c.Unseen()
	require.Zero(t, share)
	require.Greater(t, in.High, 0.3, "five attempts exclude little")
}

func TestAnotherProgramIsCountedAnew(t *testing.T) {
	next := varied(9, run.Pass, "bb")
	next.Epoch = 2
	got := fold(began(1, 1, 0), varied(1, run.Pass, "aa"), began(2, 2, time.Hour), next)
	require.Equal(t, []tally.Variant{{ID: "bb", Pass: 1, First: 9}}, got.Census().Variants())
}

func TestExemplarsAreBundlesOfTheCampaign(t *testing.T) {
	first, sampled := varied(1, run.Pass, "aa"), varied(2, run.Pass, "aa")
	first.Filed = &run.Filed{Bundle: "bundles/variant/00000001", Exemplar: true}
	sampled.Filed = &run.Filed{Bundle: "bundles/pass/00000002"}
	got := fold(began(1, 1, 0), first, sampled)
	require.Equal(t, "bundles/variant/00000001", got.Census().Variants()[0].Exemplar)
	require.Equal(t, []string{"bundles/pass/00000002"}, got.Passes(), "an exemplar takes no sampled pass's place")
	require.ElementsMatch(t, []string{"bundles/variant/00000001", "bundles/pass/00000002"}, got.Bundles())
}

// A million attempts, each a variant of its own but for one common one: the list is cut, the estimates hold.
func TestAMillionVariantsStayBoundedAndCounted(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	got := fold(began(1, 1, 0))
	const attempts = 1_000_000
	fresh := 0
	for i := range int64(attempts) {
		variant := "00000000000000aa"
		if rng.IntN(4) > 0 {
			variant = fmt.Sprintf("%016x", rng.Uint64())
			fresh++
		}
		got.Add(varied(i+1, run.Pass, variant))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(20<<20), "bytes")
	c := got.Census()
	require.False(t, c.Exact())
	require.InEpsilon(t, fresh, c.Distinct(), 0.06, "seed %d", seed)
	share, in := c.Unseen()
	require.InDelta(t, 0.75, share, 0.05, "seed %d", seed)
	require.Less(t, in.Low, share)
	common := c.Variants()[0]
	require.Equal(t, int64(attempts-fresh), common.Count(), "the common one is counted exactly")
	listed := int64(0)
	for _, v := range c.Variants() {
		listed += v.Count()
	}
	require.Equal(t, int64(attempts), listed+c.UnlistedPass+c.UnlistedFail)
	size, grown, ok := c.Half()
	require.True(t, ok)
	require.InEpsilon(t, float64(size)*0.75, float64(grown), 0.1)
	snap, err := got.Snapshot()
	require.NoError(t, err)
	require.Less(t, len(snap), 2<<20)
	loaded, err := tally.Load(snap)
	require.NoError(t, err)
	require.Equal(t, c.Distinct(), loaded.Census().Distinct())
	require.Equal(t, c.Variants(), loaded.Census().Variants())
}
