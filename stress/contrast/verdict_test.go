package contrast_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/contrast"
	"heisen/stress/run"
)

// attempt has a worst thread's wait and the CPU time that it used, in microseconds.
func attempt(seq, wait, cpu int64) run.Finished {
	return run.Finished{Seq: seq, Outcome: run.Pass, Wall: cpu + wait, User: cpu, MaxRSS: 1000,
		Signals: run.Signals{run.SigRunDelayWorst: wait}}
}

func failing(fin run.Finished, signature string) run.Finished {
	fin.Outcome, fin.Filed = run.Fail, &run.Filed{Signature: signature}
	return fin
}

func signal(t *testing.T, f contrast.Finding, name string) contrast.Signal {
	for _, s := range f.Signals {
		if s.Name == name {
			return s
		}
	}
	require.Fail(t, "no such signal", name)
	return contrast.Signal{}
}

// campaign has so many attempts, of which every nth fails; each waits what wait says, in microseconds.
func campaign(attempts, nth int64, wait func(seq int64, failed bool) int64) *contrast.Sample {
	s := contrast.New()
	for seq := int64(1); seq <= attempts; seq++ {
		failed := seq%nth == 0
		fin := attempt(seq, wait(seq, failed), 10_000+seq%7)
		if failed {
			fin = failing(fin, "a")
		}
		s.Add(fin)
	}
	return s
}

func TestStarved(t *testing.T) {
	f := campaign(240, 20, func(seq int64, failed bool) int64 {
		if failed {
			return 18_000 + seq
		}
		return 400 + seq%9
	}).Compare(nil)
	require.Equal(t, contrast.Starved, f.Verdict)
	require.Equal(t, "starved: failing attempts waited 18 ms for a CPU (worst thread), passing ones 0.4 ms at the same time"+
		" (AUC 1.00, p < 0.0001, 12 failures)", f.Sentence)
	require.Equal(t, run.SigRunDelayWorst, f.Strongest)
	require.Equal(t, 12, f.Failures)
	s := signal(t, f, run.SigRunDelayWorst)
	require.True(t, s.Waiting)
	require.InDelta(t, 404, *s.Pass, 2)
	require.InDelta(t, 18_130, *s.Fail, 1)
	require.Less(t, s.FailQuartiles[0], s.FailQuartiles[1])
	require.Greater(t, *s.P, 0.0)
}

func TestNotStarved(t *testing.T) {
	f := campaign(4000, 20, func(seq int64, _ bool) int64 { return 400 + seq*7919%1000 }).Compare(nil)
	require.Equal(t, contrast.NotStarved, f.Verdict, f.Sentence)
	require.Contains(t, f.Sentence, "199 failures") // the last one began a block of its own
	require.Zero(t, f.MoreFailures)
}

// Under a quota every attempt is stalled, and one stall at the wrong moment is not told from the others.
func TestThrottledAttemptsAreNotCalledUnstarved(t *testing.T) {
	f := func(throttled int64) contrast.Finding {
		s := contrast.New()
		for seq := int64(1); seq <= 4000; seq++ {
			fin := attempt(seq, 400+seq*7919%1000, 10_000)
			fin.Signals[run.SigThrottled] = throttled
			if seq%20 == 0 {
				fin = failing(fin, "a")
			}
			s.Add(fin)
		}
		return s.Compare(nil)
	}
	require.Equal(t, contrast.NotStarved, f(0).Verdict, "control")
	require.Equal(t, contrast.CannotTell, f(80_000).Verdict)
	require.Contains(t, f(80_000).Sentence, "a CPU quota stalled failing attempts for 80 ms")
}

func TestCannotTell(t *testing.T) {
	late := func(_ int64, failed bool) int64 {
		if failed {
			return 18_000
		}
		return 400
	}
	same := func(int64, bool) int64 { return 400 }
	cases := []struct {
		name     string
		sample   *contrast.Sample
		sentence string
		more     int
	}{
		{"nothing at all", contrast.New(), "no failing attempt so far that passing ones ran beside", 10},
		{"no failure", campaign(100, 1000, late), "no failing attempt so far that passing ones ran beside", 10},
		{"failures alone", campaign(100, 1, late), "no failing attempt so far that passing ones ran beside", 10},
		{"one failure", campaign(100, 60, late), "1 failure compared with passing attempts at the same time; it would take about", 36},
		{"two failures", campaign(100, 40, late), "2 failures compared with passing attempts at the same time; it would take about", 36},
		{"two, all values equal", campaign(100, 40, same), "2 failures compared with passing attempts at the same time; it would take about", 36},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := c.sample.Compare(nil)
			require.Equal(t, contrast.CannotTell, f.Verdict)
			require.Contains(t, f.Sentence, "cannot tell yet: "+c.sentence)
			require.InDelta(t, c.more, f.MoreFailures, float64(c.more)/5)
			_, err := json.Marshal(f)
			require.NoError(t, err, "no NaN, no infinity")
		})
	}
}

func TestAllValuesEqualIsNotStarved(t *testing.T) {
	f := campaign(1000, 20, func(int64, bool) int64 { return 0 }).Compare(nil)
	require.Equal(t, contrast.NotStarved, f.Verdict, f.Sentence)
	require.Equal(t, 1.0, *signal(t, f, run.SigRunDelayWorst).P)
	require.InDelta(t, 0.5, *signal(t, f, run.SigRunDelayWorst).AUC, 1e-9)
}

func TestOnePassIsTooFewToTell(t *testing.T) {
	s := contrast.New()
	s.Add(attempt(32, 400, 10_000))
	for seq := int64(33); seq < 60; seq++ {
		s.Add(failing(attempt(seq, 400+seq, 10_000), "a"))
	}
	f := s.Compare(nil)
	require.Equal(t, contrast.CannotTell, f.Verdict)
	require.Contains(t, f.Sentence, "27 failures compared")
}

// TestMoreFailuresSuffice grows a campaign by what the sentence asks for.
func TestMoreFailuresSuffice(t *testing.T) {
	wait := func(seq int64, failed bool) int64 {
		if failed {
			return 3000 + seq
		}
		return 400 + seq*7919%1000
	}
	f := campaign(60, 20, wait).Compare(nil)
	require.Equal(t, contrast.CannotTell, f.Verdict)
	f = campaign(20*int64(f.Failures+f.MoreFailures), 20, wait).Compare(nil)
	require.Equal(t, contrast.Starved, f.Verdict, f.Sentence)
}

func TestNotCollected(t *testing.T) {
	s := contrast.New()
	for seq := int64(1); seq <= 400; seq++ {
		fin := attempt(seq, 0, 10_000)
		fin.Signals = nil
		if seq%20 == 0 {
			fin = failing(fin, "a")
		}
		s.Add(fin)
	}
	f := s.Compare(map[string]string{run.SigRunDelay: "no /proc/PID/schedstat", run.SigSteal: "not a virtual machine"})
	require.Equal(t, contrast.CannotTell, f.Verdict)
	require.Equal(t, "cannot tell yet: the attempts' own waiting for a CPU was not measured (no /proc/PID/schedstat)", f.Sentence)
	for name, why := range map[string]string{run.SigSteal: "not a virtual machine", "steal_share": "not a virtual machine",
		run.SigRunDelay: "no /proc/PID/schedstat", run.SigThreads: "no failing and passing attempt at the same time had it; not_collected in a bundle's manifest says what kept one attempt from it"} {
		sig := signal(t, f, name)
		require.Equal(t, why, sig.NotCollected)
		require.Nil(t, sig.AUC)
		require.Nil(t, sig.Pass)
	}
	require.Empty(t, signal(t, f, "wall_us").NotCollected)
}

func TestNegativeReadingsAreNotCollected(t *testing.T) {
	f := campaign(400, 20, func(int64, bool) int64 { return -5 }).Compare(nil)
	require.NotEmpty(t, signal(t, f, run.SigRunDelayWorst).NotCollected)
}

// TestSignaturesAreToldApart has two failures, of which one is starved.
func TestSignaturesAreToldApart(t *testing.T) {
	s := contrast.New()
	for seq := int64(1); seq <= 3000; seq++ {
		fin := attempt(seq, 400+seq*7919%1000, 10_000)
		switch {
		case seq%50 == 0:
			fin = failing(attempt(seq, 20_000+seq, 10_000), "late")
		case seq%30 == 7:
			fin = failing(fin, "other")
		}
		s.Add(fin)
	}
	require.Equal(t, []string{"other", "late"}, s.Signatures())
	require.Equal(t, contrast.Starved, s.CompareSignature("late", nil).Verdict)
	require.Equal(t, contrast.NotStarved, s.CompareSignature("other", nil).Verdict)
	require.Equal(t, contrast.CannotTell, s.CompareSignature("unknown", nil).Verdict)
}

// TestBusyFailuresAreNotCalledStarved: those that spin wait more of their own doing, even for each unit of
// CPU time.
func TestBusyFailuresAreNotCalledStarved(t *testing.T) {
	s := contrast.New()
	for seq := int64(1); seq <= 1000; seq++ {
		fin := attempt(seq, 400+seq%100, 10_000)
		if seq%20 == 0 {
			fin = failing(attempt(seq, 40_000+seq, 100_000), "spins")
		}
		s.Add(fin)
	}
	f := s.Compare(nil)
	require.Equal(t, contrast.CannotTell, f.Verdict)
	require.Equal(t, "cannot tell yet: failing attempts waited longer, but their CPU time was 10 times that of passing ones,"+
		" which alone can explain it", f.Sentence)
	require.Zero(t, f.MoreFailures)
}

// TestHangsAreJudgedByTheirOwnWaiting: an attempt that hangs for 30 s sees more of the machine's pressure
// than passing ones of 10 ms, which says nothing of it. What its own threads waited does.
func TestHangsAreJudgedByTheirOwnWaiting(t *testing.T) {
	hangs := func(wait int64) contrast.Finding {
		s := contrast.New()
		for seq := int64(1); seq <= 1000; seq++ {
			fin := attempt(seq, 400+seq*7919%1000, 10_000)
			fin.Signals[run.SigPSICPUSome] = seq % 5
			if seq%20 == 0 {
				fin = failing(attempt(seq, wait+seq*7919%1000, 10_000), "hang")
				fin.Wall, fin.Outcome, fin.Signals[run.SigPSICPUSome] = 30_000_000, run.Timeout, 3_000_000+seq
			}
			s.Add(fin)
		}
		return s.Compare(nil)
	}
	innocent := hangs(400)
	require.Equal(t, contrast.NotStarved, innocent.Verdict, innocent.Sentence)
	require.Greater(t, *signal(t, innocent, "psi_cpu_some_share").AUC, 0.99)
	late := hangs(20_000)
	require.Equal(t, contrast.Starved, late.Verdict)
	require.Equal(t, run.SigRunDelayWorst, late.Strongest)
}

// TestTinyDifferencesAreNotCalledStarved: failing attempts always wait longer, by a tenth.
// The last thread of five is not held against the last of four: a failure that ends before the test's own thread
// is made would be compared by another one.
func TestLastThreadsOfOneNumberAreCompared(t *testing.T) {
	compared := func(madeByFailing int64) contrast.Signal {
		s := contrast.New()
		for seq := int64(1); seq <= 400; seq++ {
			fin := attempt(seq, 500, 10_000)
			fin.Signals[run.SigStartLast], fin.Signals[run.SigThreadsMade] = 50+seq%7, 5
			if seq%20 == 0 {
				fin = failing(fin, "a")
				fin.Signals[run.SigStartLast], fin.Signals[run.SigThreadsMade] = 9000, madeByFailing
			}
			s.Add(fin)
		}
		return signal(t, s.Compare(nil), run.SigStartLast)
	}
	same := compared(5)
	require.Equal(t, 20, same.Failures)
	require.InDelta(t, 1, *same.AUC, 1e-9)
	require.Zero(t, compared(4).Failures)
}

// A lower bound is no value: what passing attempts waited at least says not that failing ones waited longer.
func TestLowerBoundsAreNotCompared(t *testing.T) {
	compared := func(atLeast []string) contrast.Finding {
		s := contrast.New()
		for seq := int64(1); seq <= 400; seq++ {
			fin := attempt(seq, 500+seq%7, 10_000)
			if fin.AtLeast = atLeast; seq%20 == 0 {
				fin = failing(attempt(seq, 9000, 10_000), "a")
			}
			s.Add(fin)
		}
		return s.Compare(nil)
	}
	require.Equal(t, contrast.Starved, compared(nil).Verdict, "control: exact figures")
	require.Equal(t, contrast.CannotTell, compared([]string{run.SigRunDelayWorst}).Verdict)
}

func TestTinyDifferencesAreNotCalledStarved(t *testing.T) {
	f := campaign(1000, 20, func(seq int64, failed bool) int64 {
		if failed {
			return 440 + seq%7
		}
		return 400 + seq%7
	}).Compare(nil)
	require.Equal(t, contrast.CannotTell, f.Verdict)
	require.Equal(t, "cannot tell yet: failing attempts waited longer, but hardly: 0.44 ms, passing ones 0.4 ms", f.Sentence)
}

// TestFailuresAreHeldAgainstPassesOfTheirStart has failures that take so long that thousands of attempts
// start and end meanwhile. The machine becomes slow in between.
func TestFailuresAreHeldAgainstPassesOfTheirStart(t *testing.T) {
	s := contrast.New()
	wait := func(seq int64) int64 { return 100 + seq/10 }
	for seq := int64(1); seq <= 40_000; seq++ {
		if seq%100 != 0 {
			s.Add(attempt(seq, wait(seq), 10_000))
		}
		if late := seq - 20_000; late > 0 && late%100 == 0 {
			s.Add(failing(attempt(late, wait(late), 10_000), "hang"))
		}
	}
	f := s.Compare(nil)
	sig := signal(t, f, run.SigRunDelayWorst)
	// What waits for them is thinned to about 3 % of their age, so the passes started nearly then.
	require.InDelta(t, *sig.Fail, *sig.Pass, 0.1**sig.Fail)
	require.Greater(t, f.Failures, 100)
}

// TestEpochsAreNotMixed runs a quiet program and then a busy one that fails.
func TestEpochsAreNotMixed(t *testing.T) {
	s := contrast.New()
	for seq := int64(1); seq <= 32; seq++ {
		fin := attempt(seq, 100, 10_000)
		fin.Epoch = 1
		if seq > 16 {
			fin = failing(attempt(seq, 9000, 10_000), "a")
			fin.Epoch = 2
		}
		s.Add(fin)
	}
	require.Zero(t, s.Compare(nil).Failures)
}

func TestOutcomesThatJudgeNothingAreIgnored(t *testing.T) {
	s := contrast.New()
	for i, o := range run.Outcomes() {
		s.Add(run.Finished{Seq: int64(i), Outcome: o})
	}
	require.Equal(t, contrast.Seen{Passes: 1, Failures: 3}, s.Seen())
}

func TestJSONIsAsDocumented(t *testing.T) {
	f := campaign(240, 20, func(_ int64, failed bool) int64 {
		if failed {
			return 18_000
		}
		return 400
	}).Compare(nil)
	data, err := json.Marshal(f)
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(data, &doc))
	require.Equal(t, "starved", doc["verdict"])
	first := doc["signals"].([]any)[1].(map[string]any)
	require.Equal(t, "run_delay_worst_us", first["name"])
	require.Equal(t, "us", first["unit"])
	require.Equal(t, fmt.Sprint(400), fmt.Sprint(first["pass"]))
	require.Equal(t, 18_000.0, first["fail"])
	require.Equal(t, 1.0, first["auc"])
	require.Positive(t, first["p"])
	require.Contains(t, doc["signals"].([]any)[0], "not_collected")
}
