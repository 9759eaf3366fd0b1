package soak_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/repro/soak"
	"heisen/stress/run"
)

// feeder numbers the attempts of a soak.
type feeder struct {
	t   *testing.T
	on  *soak.Tracker
	seq int64
}

func against(t *testing.T, b soak.Baseline) *feeder {
	return &feeder{t: t, on: soak.Against(b, soak.Options{})}
}

func (f *feeder) add(n int, plan string, outcome run.Outcome, signature string) {
	for range n {
		f.seq++
		require.NoError(f.t, f.on.Add(soak.Attempt{Seq: f.seq, Plan: plan, Outcome: outcome, Signature: signature}))
	}
}

func (f *feeder) says(verdict soak.Verdict, sentence string) soak.Finding {
	f.t.Helper()
	got := f.on.Finding(250 * time.Millisecond)
	require.Equal(f.t, sentence, got.Sentence)
	require.Equal(f.t, verdict, got.Verdict)
	return got
}

func baseline() soak.Baseline {
	return soak.Baseline{Plans: map[string]soak.Count{"p": {Attempts: 200, Failures: 20}}, Target: []string{"old"}, Known: []string{"other"}}
}

func TestFixed(t *testing.T) {
	f := against(t, baseline())
	f.add(300, "p", run.Pass, "")
	got := f.says(soak.CannotTell, "CANNOT TELL YET: 0 of 300 failed, 20 of 200 before: if none fails, 263 more decide it (99 % confidence), about 66 s")
	require.EqualValues(t, 263, got.More)
	f.add(int(got.More)-1, "p", run.Pass, "")
	require.EqualValues(t, 1, f.on.Finding(0).More, "the outlook is exact if what it supposes comes true")
	f.add(1, "p", run.Pass, "")
	got = f.says(soak.Fixed, "FIXED: 0 of 563 failed, 20 of 200 before: at least 10 times rarer (99 % confidence)")
	require.Equal(t, soak.Finding{Verdict: soak.Fixed, Attempts: 563, Baseline: soak.Count{Attempts: 200, Failures: 20},
		Confidence: 0.99, Factor: 10, Sentence: got.Sentence}, got)
}

func TestNotFixed(t *testing.T) {
	f := against(t, baseline())
	f.add(27, "p", run.Pass, "")
	f.add(2, "p", run.Fail, "old")
	require.Equal(t, soak.CannotTell, f.on.Finding(0).Verdict)
	f.add(4, "p", run.Timeout, "old")
	f.says(soak.NotFixed, "NOT FIXED: 6 of 33 failed in the same way, 20 of 200 before: not 10 times rarer (99 % confidence)")
}

func TestPerturbed(t *testing.T) {
	f := against(t, baseline())
	for range 45 {
		f.add(29, "p", run.Pass, "")
		f.add(1, "p", run.Fail, "old")
	}
	f.says(soak.Perturbed, "PERTURBED: 45 of 1,350 failed in the same way, 20 of 200 before: rarer, but not 10 times (99 % confidence)")
}

// However rare it became, what came again is not fixed: that is said once it is shown to be rarer at all.
func TestAFailureThatStillComesIsNotFixed(t *testing.T) {
	f := against(t, baseline())
	f.add(1, "p", run.Fail, "old")
	f.add(106, "p", run.Pass, "")
	require.Equal(t, soak.CannotTell, f.on.Finding(0).Verdict)
	f.add(1, "p", run.Pass, "")
	got := f.says(soak.Perturbed, "PERTURBED: 1 of 108 failed in the same way, 20 of 200 before: rarer (99 % confidence), but not gone")
	require.True(t, got.StillThere && !got.ByFactor)
	f.add(969, "p", run.Pass, "")
	got = f.says(soak.Perturbed, "PERTURBED: 1 of 1,077 failed in the same way, 20 of 200 before: at least 10 times rarer (99 % confidence), but not gone")
	require.True(t, got.StillThere && got.ByFactor)
	f.add(20_000, "p", run.Pass, "")
	require.Equal(t, soak.Perturbed, f.on.Finding(0).Verdict, "no number of passes takes it back")
}

func TestDifferentFailure(t *testing.T) {
	f := against(t, baseline())
	f.add(80, "p", run.Pass, "")
	f.add(1, "p", run.Fail, "old")
	f.add(12, "p", run.Crash, "new")
	f.says(soak.Different, "DIFFERENT FAILURE: 12 of 93 failed in a new way, 20 of 200 before (and 1 in the old way): all failures together are not 10 times rarer (99 % confidence)")
}

// A fix is not called one while failures that were not there before are as frequent as the old ones may be.
func TestNewFailureWithholdsFixed(t *testing.T) {
	f := against(t, baseline())
	f.add(627, "p", run.Pass, "")
	f.add(3, "p", run.Fail, "new")
	got := f.on.Finding(0)
	require.Equal(t, soak.CannotTell, got.Verdict)
	require.Contains(t, got.Sentence, "; 3 failures of a signature that was not seen before")
	known := against(t, baseline())
	known.add(627, "p", run.Pass, "")
	known.add(30, "p", run.Fail, "other")
	require.Equal(t, soak.Fixed, known.on.Finding(0).Verdict, "a failure that was there before is another matter")
}

func TestWhatDiffersWeakensTheWording(t *testing.T) {
	b := baseline()
	b.Differs = []string{"another machine", "heisen 0.1"}
	f := against(t, b)
	f.add(700, "p", run.Pass, "")
	f.says(soak.Fixed, "FIXED: 0 of 700 failed, 20 of 200 before: at least 10 times rarer (99 % confidence); only as far as it makes no difference that the baseline had another machine, heisen 0.1")
}

func TestWhatCannotBeTold(t *testing.T) {
	none := against(t, soak.Baseline{Plans: map[string]soak.Count{"p": {Attempts: 100_000}}})
	none.add(5000, "p", run.Pass, "")
	none.says(soak.CannotTell, "CANNOT TELL YET: 0 of 5,000 failed, 0 of 100,000 before: what was not seen to fail before cannot be shown to be rarer")
	near := against(t, baseline())
	near.add(99, "p", run.Pass, "")
	near.add(1, "p", run.Fail, "new")
	require.Contains(t, near.on.Finding(0).Sentence, "close to 10 times rarer")
	require.Equal(t, soak.CannotTell, against(t, soak.Baseline{}).on.Finding(0).Verdict)
	begin := against(t, baseline()).on.Finding(0)
	require.EqualValues(t, 563, begin.More, "before the first attempt too")
	wrong := against(t, baseline())
	wrong.add(100_000, "plan nobody ran before", run.Pass, "")
	require.Equal(t, soak.CannotTell, wrong.on.Finding(0).Verdict, "another plan says nothing of this one")
}

// An attempt that says nothing of the test changes no figure, and one that hangs holds back those that came later.
func TestCountsInTheOrderOfStarts(t *testing.T) {
	f := against(t, baseline())
	f.add(3, "p", run.Skip, "")
	f.add(1, "p", run.HarnessError, "")
	f.seq++ // hangs
	f.add(9, "p", run.Pass, "")
	require.Zero(t, f.on.Finding(0).Attempts)
	require.Equal(t, 9, f.on.Waiting())
	require.NoError(t, f.on.Add(soak.Attempt{Seq: 5, Plan: "p", Outcome: run.Timeout, Signature: "old"}))
	require.Zero(t, f.on.Waiting())
	got := f.on.Finding(0)
	require.EqualValues(t, 10, got.Attempts)
	require.EqualValues(t, 1, got.Failures)
	require.ErrorContains(t, f.on.Add(soak.Attempt{Seq: 5, Plan: "p", Outcome: run.Pass}), "added before")
	require.ErrorContains(t, f.on.Add(soak.Attempt{Seq: 15, Side: soak.Before}), "baseline is closed")
	require.ErrorContains(t, f.on.Add(soak.Attempt{Seq: 15, Pair: 1}), "pair")
}

func TestOrderOfEndsChangesNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	b := baseline()
	b.Plans["q"] = soak.Count{Attempts: 50, Failures: 25}
	all, next := []soak.Attempt{}, b.Schedule()
	for seq := range int64(500) {
		a := soak.Attempt{Seq: seq + 1, Plan: next.Next(), Outcome: run.Pass}
		if r.Float64() < 0.02 {
			a.Outcome, a.Signature = run.Fail, []string{"old", "new", "other"}[r.IntN(3)]
		}
		all = append(all, a)
	}
	feed := func() soak.Finding {
		on := soak.Against(b, soak.Options{})
		for _, a := range all {
			require.NoError(t, on.Add(a))
		}
		return on.Finding(time.Second)
	}
	want := feed()
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	require.Equal(t, want, feed(), "seed %d", seed)
}

func TestScheduleKeepsTheBaselinesShares(t *testing.T) {
	s := soak.Baseline{Plans: map[string]soak.Count{"a": {Attempts: 10}, "b": {Attempts: 30}, "none": {}}}.Schedule()
	got := map[string]int{}
	for i := range 400 {
		got[s.Next()]++
		require.InDelta(t, float64(i+1)/4, got["a"], 1)
	}
	require.Equal(t, map[string]int{"a": 100, "b": 300}, got)
	require.Equal(t, "", soak.Baseline{}.Schedule().Next())
}

func TestPairsInTurn(t *testing.T) {
	on := soak.InTurn(nil, soak.Options{})
	var seq, pair int64
	add := func(n int, before, after run.Outcome, signature string) {
		for range n {
			pair++
			b := soak.Attempt{Seq: seq + 1, Side: soak.Before, Pair: pair, Outcome: before}
			if before.Failed() {
				b.Signature = "old"
			}
			a := soak.Attempt{Seq: seq + 2, Side: soak.After, Pair: pair, Outcome: after, Signature: signature}
			if pair%2 == 0 {
				a.Seq, b.Seq = b.Seq, a.Seq
			}
			seq += 2
			require.NoError(t, on.Add(a))
			require.NoError(t, on.Add(b))
		}
	}
	add(30, run.Pass, run.Pass, "")
	add(5, run.Killed, run.Pass, "")
	add(40, run.Fail, run.Pass, "")
	got := on.Finding(0)
	require.Equal(t, "CANNOT TELL YET: 0 of 70 failed, 40 of 70 before: if none fails, 24 more decide it (99 % confidence)", got.Sentence)
	add(int(got.More), run.Fail, run.Pass, "")
	require.Equal(t, soak.Fixed, on.Finding(0).Verdict)
	add(6, run.Pass, run.Fail, "new")
	require.EqualValues(t, 6, on.Finding(0).New)
	add(30, run.Pass, run.Fail, "new")
	require.Equal(t, soak.Different, on.Finding(0).Verdict)
	add(60, run.Fail, run.Fail, "old")
	require.Equal(t, soak.Perturbed, on.Finding(0).Verdict, "60 of 124 are left in the old way")
}

func TestBound(t *testing.T) {
	require.Equal(t, "0 of 5,210: below 0.09 % at 99 %; a failure of 1 in 10,000 would have passed this soak 59 % of the time", soak.Bound(0, 5210, 0.99))
	require.Equal(t, "0 of 1: below 100 % at 99 %; a failure of 1 in 10 would have passed this soak 90 % of the time", soak.Bound(0, 1, 0.99))
	require.Equal(t, "0 of 2,000,000: below 0.0003 % at 99 %; a failure of 1 in 10,000,000 would have passed this soak 82 % of the time", soak.Bound(0, 2_000_000, 0.99))
	require.Equal(t, "0 of 300: below 3 % at 99.9 %; a failure of 1 in 1,000 would have passed this soak 74 % of the time", soak.Bound(0, 300, 0.999))
	require.Equal(t, "no attempt judged: nothing is bounded", soak.Bound(0, 0, 0.99))
	require.Contains(t, soak.Bound(3, 5210, 0.99), "3 of 5,210: 0.0")
}
