package tally_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"heisen/stress/run"
	"heisen/stress/tally"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func fold(events ...run.Event) *tally.Tally {
	t := tally.New()
	for _, e := range events {
		t.Add(e)
	}
	return t
}

func began(session, epoch int, at time.Duration) run.Began {
	return run.Began{At: start.Add(at), Campaign: "c1", Session: session, Epoch: epoch,
		Spec: run.Spec{Command: run.Command{Args: []string{"./t"}}}}
}

func ended(at, elapsed time.Duration) run.Ended {
	return run.Ended{At: start.Add(at), Reason: run.ReasonRuns, Elapsed: elapsed}
}

// finished is an attempt of one second that started so long after the campaign.
func finished(seq int64, o run.Outcome, at time.Duration) run.Finished {
	return run.Finished{Seq: seq, Try: 1, At: start.Add(at), Outcome: o, Wall: 1e6}
}

func TestCountsByOutcome(t *testing.T) {
	events := []run.Event{began(1, 1, 0)}
	for i, o := range run.Outcomes() {
		for n := 0; n <= i; n++ {
			events = append(events, finished(int64(len(events)), o, 0))
		}
	}
	got := fold(events...).Counts()
	for i, o := range run.Outcomes() {
		require.Equal(t, int64(i+1), got.ByOutcome[o], "%s", o)
	}
	require.Equal(t, int64(55), got.Total())
	require.Equal(t, int64(2+3+4), got.Failures(), "fail, crash and timeout are failures")
	require.Equal(t, int64(1+2+3+4), got.Judged(), "pass and failures are judged")
}

func TestFirstRecordOfAnAttemptWins(t *testing.T) {
	second := finished(7, run.Fail, 5*time.Second)
	second.Leaked, second.Filed = true, &run.Filed{Signature: "s", Bundle: "b"}
	got := fold(began(1, 1, 0), finished(7, run.Pass, 0), second)
	require.Equal(t, map[run.Outcome]int64{run.Pass: 1}, got.Counts().ByOutcome)
	require.Zero(t, got.Counts().Leaked)
	require.Empty(t, got.Signatures())
	require.Zero(t, got.FailTimes().Count)
	require.Equal(t, time.Second, got.Elapsed(), "a duplicate does not move the clock")
}

func TestLeakedIsABitBesideTheOutcome(t *testing.T) {
	e := finished(1, run.Pass, 0)
	e.Leaked = true
	got := fold(began(1, 1, 0), e, finished(2, run.Pass, 0)).Counts()
	require.Equal(t, int64(1), got.Leaked)
	require.Equal(t, int64(2), got.ByOutcome[run.Pass])
}

func TestEpochsAreCountedApart(t *testing.T) {
	got := fold(began(1, 1, 0), finished(1, run.Fail, 0), began(2, 2, time.Minute), finished(2, run.Pass, time.Minute),
		began(3, 2, 2*time.Minute), finished(3, run.Pass, 2*time.Minute))
	require.Len(t, got.Epochs(), 2, "a resume of the same epoch does not open another")
	require.Equal(t, int64(1), got.Epochs()[0].Counts.Failures())
	require.Equal(t, map[run.Outcome]int64{run.Pass: 2}, got.Current().ByOutcome)
	require.Equal(t, int64(3), got.Counts().Total())
}

func TestRetriesAndTries(t *testing.T) {
	got := fold(began(1, 1, 0),
		run.Retried{Seq: 1, Try: 1, Outcome: run.Killed}, run.Retried{Seq: 1, Try: 2, Outcome: run.Killed},
		run.Retried{Seq: 2, Try: 1, Outcome: run.HarnessError}, finished(1, run.Pass, 0))
	require.Equal(t, map[run.Outcome]int64{run.Killed: 2, run.HarnessError: 1}, got.Retries())
	require.Zero(t, got.Tries(1), "a finished attempt owes no tries")
	require.Equal(t, 1, got.Tries(2))
}

func TestRetriesSurviveASnapshotTakenWhenNothingIsOwed(t *testing.T) {
	got := reload(t, fold(began(1, 1, 0), run.Retried{Seq: 1, Try: 1, Outcome: run.Killed}, finished(1, run.Pass, 0)))
	got.Add(run.Retried{Seq: 2, Try: 1, Outcome: run.Killed})
	require.Equal(t, map[run.Outcome]int64{run.Killed: 2}, got.Retries())
}

func TestElapsedOfSessions(t *testing.T) {
	minute := time.Minute
	cases := []struct {
		name   string
		events []run.Event
		want   time.Duration
		cutOff int
	}{
		{"nothing", nil, 0, 0},
		{"ended: as the session itself counted, pauses taken off",
			[]run.Event{began(1, 1, 0), ended(3*minute, 2*minute)}, 2 * minute, 0},
		{"killed: until the end of the last attempt on record",
			[]run.Event{began(1, 1, 0), finished(1, run.Pass, 10*time.Second), finished(2, run.Pass, 5*time.Second)}, 11 * time.Second, 0},
		{"killed at once and resumed", []run.Event{began(1, 1, 0), began(2, 1, minute), ended(2*minute, minute)}, minute, 1},
		{"killed twice and resumed; the time between sessions is not counted",
			[]run.Event{began(1, 1, 0), finished(1, run.Pass, 9*time.Second), began(2, 1, minute),
				finished(2, run.Pass, minute+4*time.Second), began(3, 1, time.Hour), ended(time.Hour+minute, minute)},
			10*time.Second + 5*time.Second + minute, 2},
		{"ended and resumed", []run.Event{began(1, 1, 0), ended(minute, minute), began(2, 1, time.Hour), ended(time.Hour+minute, minute)}, 2 * minute, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := fold(c.events...)
			require.Equal(t, c.want, got.Elapsed())
			require.Equal(t, c.cutOff, got.CutOff())
		})
	}
}

func TestStraysOfAllSessions(t *testing.T) {
	end := func(n int64, command string) run.Ended {
		e := ended(time.Minute, time.Minute)
		if n > 0 {
			e.Strays = &run.Strays{Count: n, Last: run.Leak{PID: 7, Command: command}}
		}
		return e
	}
	require.Nil(t, fold(began(1, 1, 0), end(0, "")).Strays())
	got := fold(began(1, 1, 0), end(2, "a"), began(2, 1, time.Hour), end(3, "b"), began(3, 1, 2*time.Hour), end(0, ""))
	require.Equal(t, &run.Strays{Count: 5, Last: run.Leak{PID: 7, Command: "b"}}, got.Strays())
}

func TestEndedIsForgottenOnResume(t *testing.T) {
	end := ended(time.Minute, time.Minute)
	end.Cancelled = 3
	got := fold(began(1, 1, 0), end)
	require.Equal(t, int64(3), got.Ended().Cancelled)
	got.Add(began(2, 1, time.Hour))
	require.Nil(t, got.Ended())
}

func TestDurationsOfPassesAndFailuresApart(t *testing.T) {
	got := fold(began(1, 1, 0))
	for i := int64(1); i <= 100; i++ {
		e := finished(i, run.Pass, 0)
		e.Wall = i * 1000
		got.Add(e)
	}
	odd := finished(101, run.Timeout, 0)
	odd.Wall = -5 // a clock that went backwards
	got.Add(odd)
	got.Add(finished(102, run.Skip, 0))
	passes := got.PassTimes()
	require.Equal(t, int64(100), passes.Count)
	require.InEpsilon(t, float64(50*time.Millisecond), float64(passes.P50), 0.001)
	require.InEpsilon(t, float64(99*time.Millisecond), float64(passes.P99), 0.001)
	require.InEpsilon(t, float64(100*time.Millisecond), float64(passes.Max), 0.001)
	require.Equal(t, int64(1), got.FailTimes().Count, "a count is never lost to an odd time")
}

func TestSignaturesMostFrequentFirst(t *testing.T) {
	failure := func(seq int64, sig, bundle string) run.Finished {
		e := finished(seq, run.Fail, 0)
		e.Filed = &run.Filed{Signature: sig, Title: "title of " + sig, Bundle: bundle}
		return e
	}
	kept := finished(9, run.Pass, 0)
	kept.Filed = &run.Filed{Bundle: "passes/9"}
	got := fold(began(1, 1, 0), failure(4, "a", "a/4"), failure(2, "b", "b/2"), failure(3, "b", ""), failure(1, "c", "c/1"), kept)
	var order []string
	for _, s := range got.Signatures() {
		order = append(order, fmt.Sprintf("%s %d %d-%d %v", s.ID, s.Count, s.First, s.Last, s.Bundles))
	}
	require.Equal(t, []string{"b 2 2-3 [b/2]", "c 1 1-1 [c/1]", "a 1 4-4 [a/4]"}, order)
	require.Equal(t, []string{"passes/9"}, got.Passes())
	require.ElementsMatch(t, []string{"passes/9", "a/4", "b/2", "c/1"}, got.Bundles())
}

// Of each strategy that bundle is known whose attempt had the fewest holds.
func TestBundlesWithTheFewestHolds(t *testing.T) {
	failure := func(seq int64, c *run.Chaos) run.Finished {
		e := finished(seq, run.Fail, 0)
		e.Filed, e.Chaos = &run.Filed{Signature: "s", Bundle: fmt.Sprint("s/", seq)}, c
		return e
	}
	got := fold(began(1, 1, 0), failure(1, nil), failure(2, &run.Chaos{Strategy: "switch", Made: 1}), failure(3, &run.Chaos{Strategy: "hold", Made: 9, Held: 5}),
		failure(4, &run.Chaos{Strategy: "hold", Made: 10, Held: 5}), failure(5, &run.Chaos{Strategy: "hold", Made: 2, Held: 5}),
		failure(6, &run.Chaos{Strategy: "pct", Made: 1, Held: 5})).Signatures()[0]
	require.Equal(t, []string{"s/1", "s/2", "s/3", "s/4", "s/5", "s/6"}, got.Bundles)
	require.Equal(t, map[string]tally.Held{"hold": {Bundle: "s/5", Holds: 2}, "pct": {Bundle: "s/6", Holds: 1}}, got.Held)
}

func TestSignaturesAreBounded(t *testing.T) {
	got := fold(began(1, 1, 0))
	for i := int64(1); i <= 2500; i++ {
		e := finished(i, run.Fail, 0)
		e.Filed = &run.Filed{Signature: fmt.Sprint(i)}
		got.Add(e)
	}
	require.Len(t, got.Signatures(), 2000)
	require.Equal(t, int64(500), got.Unlisted())
}

func TestASignatureListSharesNothing(t *testing.T) {
	e := finished(1, run.Fail, 0)
	e.Filed = &run.Filed{Signature: "s", Bundle: "b"}
	got := fold(began(1, 1, 0), e)
	list := got.Signatures()
	list[0].ByOutcome[run.Fail], list[0].Bundles[0] = 99, "changed"
	require.Equal(t, int64(1), got.Signatures()[0].ByOutcome[run.Fail])
	require.Equal(t, "b", got.Signatures()[0].Bundles[0])
}

func reload(t require.TestingT, in *tally.Tally) *tally.Tally {
	data, err := in.Snapshot()
	require.NoError(t, err)
	out, err := tally.Load(data)
	require.NoError(t, err)
	return out
}

// A tally that is saved and loaded at any moment goes on to the same figures, to the digit.
func TestSnapshotAtAnyMomentChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(drawEvent), 1, 40).Draw(rt, "events")
		cut := rapid.IntRange(0, len(events)).Draw(rt, "cut")
		whole := fold(events...)
		parts := reload(rt, fold(events[:cut]...))
		for _, e := range events[cut:] {
			parts.Add(e)
		}
		want, err := whole.Snapshot()
		require.NoError(rt, err)
		got, err := parts.Snapshot()
		require.NoError(rt, err)
		require.Equal(rt, string(want), string(got))
		require.Equal(rt, whole.PassTimes(), parts.PassTimes())
		require.Equal(rt, whole.FailTimes(), parts.FailTimes())
		require.Equal(rt, whole.Elapsed(), parts.Elapsed())
	})
}

func drawEvent(t *rapid.T) run.Event {
	seq := rapid.Int64Range(1, 30).Draw(t, "seq")
	at := time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "at"))
	out := rapid.SampledFrom(run.Outcomes()).Draw(t, "outcome")
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		n := rapid.IntRange(1, 3).Draw(t, "session")
		return began(n, n, at)
	case 1:
		return ended(at, at/2)
	case 2:
		return run.Retried{Seq: seq, Try: 1, Outcome: out}
	case 3:
		return run.MachineFault{Fault: "out of memory", Wait: at}
	case 4:
		return run.TimeoutSet{Timeout: at, Passes: seq}
	}
	e := finished(seq, out, at)
	e.Wall = rapid.Int64Range(-1, 1<<50).Draw(t, "wall")
	if rapid.Bool().Draw(t, "filed") {
		e.Filed = &run.Filed{Signature: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "sig"), Bundle: fmt.Sprint("b", seq)}
	}
	return e
}

func TestLoad(t *testing.T) {
	empty, err := tally.Load(nil)
	require.NoError(t, err)
	require.Zero(t, empty.Counts().Total())
	empty.Add(finished(1, run.Pass, 0)) // ready to use

	for name, data := range map[string]string{
		"not JSON":        "{",
		"a newer version": `{"version":99}`,
		"no histogram":    `{"version":1,"state":{},"pass_times":"","fail_times":""}`,
		"not a histogram": `{"version":1,"state":{},"pass_times":"AAAAAAAAAAAAAAAA","fail_times":""}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tally.Load([]byte(data))
			require.ErrorContains(t, err, "tally")
		})
	}
}

func TestCloneIsIndependent(t *testing.T) {
	one := fold(began(1, 1, 0), finished(1, run.Pass, 0))
	two := one.Clone()
	two.Add(finished(2, run.Fail, 0))
	require.Equal(t, int64(1), one.Counts().Total())
	require.Equal(t, int64(2), two.Counts().Total())
}
