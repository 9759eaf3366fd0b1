package soak_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/repro/soak"
	"heisen/stress/run"
)

// began is a session's opening at so many seconds after an arbitrary moment.
func began(session int, at float64) run.Began {
	return run.Began{Session: session, Epoch: 1, At: moment(at), Campaign: "c"}
}

func moment(at float64) time.Time {
	return time.Unix(1e9, 0).Add(time.Duration(at * float64(time.Second)))
}

// ended is one attempt's record.
func ended(seq int64, strategy, signature string, at float64) run.Finished {
	fin := run.Finished{Seq: seq, Try: 1, Epoch: 1, Seed: uint64(7000 + seq), Outcome: run.Pass, At: moment(at), Wall: 1000}
	if strategy != "plain" {
		fin.Chaos = &run.Chaos{Strategy: strategy, Made: 1}
	}
	if signature != "" {
		fin.Outcome, fin.Filed = run.Fail, &run.Filed{Signature: signature}
	}
	return fin
}

// hunted is a campaign of 40 plain attempts and 60 under hold, of which every third fails as "old" and one otherwise.
func hunted(end run.StopReason) *soak.Past {
	p := &soak.Past{}
	p.Add(began(1, 0))
	for seq := int64(1); seq <= 100; seq++ {
		strategy, signature := "plain", ""
		if seq%5 > 1 {
			strategy = "hold"
			if seq%3 == 0 {
				signature = "old"
			}
		}
		if seq == 2 {
			signature = "odd"
		}
		p.Add(ended(seq, strategy, signature, float64(seq)))
	}
	p.Add(ended(3, "hold", "old", 3)) // a second record of an attempt counts nowhere
	p.Add(run.Finished{Seq: 101, Outcome: run.Skip})
	p.Add(run.Ended{Reason: end})
	return p
}

func TestPastCountsByPlanAndSignature(t *testing.T) {
	b, seeds, err := hunted(run.ReasonTime).Baseline("old")
	require.NoError(t, err)
	require.Equal(t, map[string]soak.Count{"plain": {Attempts: 40}, "hold": {Attempts: 60, Failures: 20}}, b.Plans)
	require.Equal(t, []string{"odd"}, b.Known)
	require.Empty(t, b.Differs)
	require.Len(t, seeds["plain"], 40)
	require.Equal(t, []uint64{7002, 7003, 7004, 7007}, seeds["hold"][:4])

	all, _, err := hunted(run.ReasonInterrupted).Baseline()
	require.NoError(t, err)
	require.Equal(t, []string{"odd", "old"}, all.Target)
	require.EqualValues(t, 21, all.Plans["hold"].Failures)
	require.Contains(t, all.Differs[0], "interrupted", "an end that looked worst flatters a fix")

	_, _, err = hunted(run.ReasonTime).Baseline("never seen")
	require.ErrorContains(t, err, "no failure")
}

// An attempt that is stepped through keeps the CPUs for far longer than its share of the places says.
func TestPastKnowsWhatAnAttemptCosts(t *testing.T) {
	p := &soak.Past{}
	p.Add(run.Began{Epoch: 1, Spec: run.Spec{Width: 4}})
	p.Add(run.Finished{Seq: 1, Epoch: 1, Outcome: run.Pass, Wall: 2e6, User: 1e5, System: 1e5})
	p.Add(run.Finished{Seq: 2, Epoch: 1, Outcome: run.Pass, Wall: 2e6, User: 1e6, Chaos: &run.Chaos{Strategy: "preempt", Tracer: 5e6}})
	require.Equal(t, map[string]float64{"plain": 0.5, "preempt": 3}, p.Costs(2))
}

func TestPastKnowsTheLatestEpochAlone(t *testing.T) {
	p := hunted(run.ReasonTime)
	again := began(2, 1000)
	again.Epoch = 2
	p.Add(again)
	fin := ended(200, "plain", "new", 1001)
	fin.Epoch = 2
	p.Add(fin)
	b, _, err := p.Baseline()
	require.NoError(t, err)
	require.Equal(t, map[string]soak.Count{"plain": {Attempts: 1, Failures: 1}}, b.Plans)
	require.Contains(t, b.Differs[0], "killed")
}

// several is a record of an attempt in which these failed.
func several(seq int64, parts ...string) run.Finished {
	fin := ended(seq, "plain", fmt.Sprint("set of ", parts), float64(seq))
	fin.Filed.Parts = parts
	return fin
}

// TestPastCountsOverlappingSets: a run of many tests has a signature for each set of them that fails.
func TestPastCountsOverlappingSets(t *testing.T) {
	p := &soak.Past{}
	p.Add(began(1, 0))
	p.Add(ended(1, "plain", "a", 1))
	p.Add(several(2, "a", "b"))
	p.Add(several(3, "b", "c"))
	p.Add(run.Ended{Reason: run.ReasonTime})
	b, _, err := p.Baseline("a")
	require.NoError(t, err)
	require.EqualValues(t, 2, b.Plans["plain"].Failures, "one of two that failed is the target")
	require.Equal(t, []string{"a"}, b.Target)
	require.Equal(t, []string{"b", "c", "set of [b c]"}, b.Known)
	b, _, err = p.Baseline("set of [a b]")
	require.NoError(t, err)
	require.EqualValues(t, 3, b.Plans["plain"].Failures)
	require.Equal(t, []string{"a", "b", "set of [a b]"}, b.Target)
}

// TestAccountOfAWholeModule: one test of three fails now and then, and often two at once. Sets that never came before
// are no new failure while some test of theirs failed so before.
func TestAccountOfAWholeModule(t *testing.T) {
	p := &soak.Past{}
	p.Add(began(1, 0))
	for seq := int64(1); seq <= 60; seq++ {
		switch seq % 6 {
		case 0:
			p.Add(ended(seq, "plain", "a", float64(seq)))
		case 3:
			p.Add(several(seq, "b", "c"))
		default:
			p.Add(ended(seq, "plain", "", float64(seq)))
		}
	}
	p.Add(run.Ended{Reason: run.ReasonRuns})
	b, _, err := p.Baseline()
	require.NoError(t, err)
	inTurn := soak.Question{Before: &run.Command{}}
	for _, c := range []struct {
		name  string
		parts []string
		want  soak.Verdict
	}{
		{"another union", []string{"a", "c"}, soak.NotFixed}, {"one more beside it", []string{"a", "new"}, soak.NotFixed},
		{"wholly new", []string{"d", "e"}, soak.Different},
	} {
		a := soak.NewAccount(soak.Question{Against: &b}, soak.Question{Against: &b}.Course(1))
		a.Emit(began(1, 0))
		for seq := int64(1); seq <= 300 && !a.Answered(); seq++ {
			if seq%3 == 0 {
				a.Emit(several(seq, c.parts...))
			} else {
				a.Emit(ended(seq, "plain", "", float64(seq)))
			}
		}
		f, _ := a.Finding()
		require.Equal(t, c.want, f.Verdict, "%s: %s", c.name, f.Sentence)

		course := inTurn.Course(3)
		a = soak.NewAccount(inTurn, course)
		a.Emit(began(1, 0))
		for seq := int64(1); seq <= 2000 && !a.Answered(); seq++ {
			pair, side := course.Pair(seq)
			switch {
			case pair%3 == 0 && side == soak.Before:
				a.Emit(several(seq, "b", "c"))
			case pair%3 == 1 && side == soak.Before:
				a.Emit(ended(seq, "plain", "a", float64(seq)))
			case pair%3 == 2 && side == soak.After:
				a.Emit(several(seq, c.parts...))
			default:
				a.Emit(ended(seq, "plain", "", float64(seq)))
			}
		}
		f, _ = a.Finding()
		require.Equal(t, c.want, f.Verdict, "in turn, %s: %s", c.name, f.Sentence)
	}
}

// TestCourseAgainst: plans come in the baseline's proportions, each first with the seeds it had, then with fresh ones.
func TestCourseAgainst(t *testing.T) {
	b, seeds, err := hunted(run.ReasonTime).Baseline("old")
	require.NoError(t, err)
	c := soak.Question{Against: &b, Seeds: seeds}.Course(1)
	given := map[string][]uint64{}
	for seq := int64(1); seq <= 250; seq++ {
		s := c.Strategy(seq)
		seed, ok := c.Seed(seq)
		require.Equal(t, seq <= 100, ok, "attempt %d", seq)
		if ok {
			given[s] = append(given[s], seed)
		}
		require.Equal(t, s, c.Strategy(seq+100), "periodic")
		if n := len(given["plain"]); seq <= 100 {
			require.InDelta(t, 0.4*float64(seq), n, 1, "attempt %d", seq)
		}
	}
	require.Equal(t, seeds, given)
}

// TestCourseInTurn: the two attempts of a pair are one of each program and share plan and seed; neither program is
// always first.
func TestCourseInTurn(t *testing.T) {
	c := soak.Question{Before: &run.Command{}, Strategies: []string{"hold", "pct"}}.Course(42)
	first, plans := map[soak.Side]int{}, map[string]int{}
	for pair := int64(1); pair <= 300; pair++ {
		p1, s1 := c.Pair(2*pair - 1)
		p2, s2 := c.Pair(2 * pair)
		require.Equal(t, []int64{pair, pair}, []int64{p1, p2})
		require.NotEqual(t, s1, s2)
		first[s1]++
		seed1, _ := c.Seed(2*pair - 1)
		seed2, _ := c.Seed(2 * pair)
		require.Equal(t, seed1, seed2)
		require.Equal(t, c.Strategy(2*pair-1), c.Strategy(2*pair))
		plans[c.Strategy(2*pair)]++
		if pair <= 5 {
			require.Equal(t, "plain", c.Strategy(2*pair), "the budget is measured first")
		}
	}
	require.InDelta(t, 150, first[soak.Before], 60)
	require.Equal(t, map[string]int{"plain": 104, "hold": 98, "pct": 98}, plans)
}

// soaks plays a soak whose attempts end width at a time in any order, and gives its events until it is answered.
func soaks(r *rand.Rand, q soak.Question, most int64, fails func(strategy string, side soak.Side) string) (events []run.Event, a *soak.Account) {
	c := q.Course(5)
	a = soak.NewAccount(q, c)
	emit := func(e run.Event) { events = append(events, e); a.Emit(e) }
	emit(began(1, 0))
	var flying []int64
	for seq := int64(0); seq < most && !a.Answered(); {
		for len(flying) < 8 {
			seq++
			flying = append(flying, seq)
		}
		i := r.IntN(len(flying))
		n := flying[i]
		flying = slices.Delete(flying, i, i+1)
		_, side := c.Pair(n)
		emit(ended(n, c.Strategy(n), fails(c.Strategy(n), side), float64(n)))
	}
	return events, a
}

// at fails so often under hold, and never when left alone.
func at(r *rand.Rand, rate float64, signature string) func(string, soak.Side) string {
	return func(strategy string, _ soak.Side) string {
		if strategy == "hold" && r.Float64() < rate {
			return signature
		}
		return ""
	}
}

// TestAccountAnswers plays soaks against the hunt, whose attempts under hold failed in 20 of 60.
func TestAccountAnswers(t *testing.T) {
	b, seeds, err := hunted(run.ReasonTime).Baseline("old")
	require.NoError(t, err)
	q := soak.Question{Against: &b, Seeds: seeds}
	for _, c := range []struct {
		name      string
		rate      float64
		signature string
		want      soak.Verdict
	}{
		{"gone", 0, "", soak.Fixed}, {"as before", 0.33, "old", soak.NotFixed}, {"another instead", 0.33, "new", soak.Different},
		{"known and no matter", 0.33, "odd", soak.Fixed},
	} {
		for seed := uint64(1); seed <= 20; seed++ {
			r := rand.New(rand.NewPCG(seed, 0))
			events, a := soaks(r, q, 5000, at(r, c.rate, c.signature))
			require.True(t, a.Answered(), "%s, seed %d", c.name, seed)
			f, ok := a.Finding()
			require.True(t, ok)
			require.Equal(t, c.want, f.Verdict, "%s, seed %d: %s", c.name, seed, f.Sentence)

			// What was under way when the answer was there changes nothing, and a resume knows it from the journal.
			for n := range int64(20) {
				a.Emit(ended(90_000+n, "hold", "late", 90_000))
			}
			late, _ := a.Finding()
			require.Equal(t, f, late)
			resumed := soak.NewAccount(q, q.Course(5))
			for _, e := range append(events, began(2, 1e6)) {
				resumed.Emit(e)
			}
			again, _ := resumed.Finding()
			require.True(t, resumed.Answered())
			again.About, f.About = 0, 0
			require.Equal(t, f, again, "%s, seed %d", c.name, seed)
		}
	}
}

func TestAccountOfPrograms(t *testing.T) {
	q := soak.Question{Before: &run.Command{}, Strategies: []string{"hold"}}
	for seed := uint64(1); seed <= 20; seed++ {
		r := rand.New(rand.NewPCG(seed, 1))
		_, a := soaks(r, q, 5000, func(s string, side soak.Side) string {
			if side == soak.Before && s == "hold" && r.Float64() < 0.4 {
				return "old"
			}
			return ""
		})
		f, _ := a.Finding()
		require.Equal(t, soak.Fixed, f.Verdict, "seed %d: %s", seed, f.Sentence)
		r = rand.New(rand.NewPCG(seed, 2))
		_, a = soaks(r, q, 5000, at(r, 0.4, "old"))
		f, _ = a.Finding()
		require.Equal(t, soak.NotFixed, f.Verdict, "seed %d: %s", seed, f.Sentence)
	}
}

// TestAccountWithoutABaseline: only attempts that were left alone bound the test's own rate.
func TestAccountWithoutABaseline(t *testing.T) {
	a := soak.NewAccount(soak.Question{}, nil)
	a.Emit(began(1, 0))
	for seq := int64(1); seq <= 5210; seq++ {
		a.Emit(ended(seq, "plain", "", float64(seq)))
		a.Emit(ended(seq, "plain", "", float64(seq)))
	}
	a.Emit(ended(5211, "hold", "old", 5211))
	require.False(t, a.Answered())
	_, compared := a.Finding()
	require.False(t, compared)
	alone, disturbed, sentences := a.Bounds()
	require.Equal(t, soak.Count{Attempts: 5210}, alone)
	require.Equal(t, soak.Count{Attempts: 1, Failures: 1}, disturbed)
	require.Equal(t, "0 of 5,210: below 0.09 % at 99 %; a failure of 1 in 10,000 would have passed this soak 59 % of the time", sentences[0])
	require.Contains(t, sentences[1], "under chaos 1 of 1 failed")
}

// TestAccountWatchesEightHours: an attempt every two seconds, in two sessions with a pause and a crash between; from
// the fourth hour on each leaves more memory in use than the one before.
func TestAccountWatchesEightHours(t *testing.T) {
	for _, leaks := range []bool{false, true} {
		r := rand.New(rand.NewPCG(8, 8))
		a := soak.NewAccount(soak.Question{}, nil)
		a.Emit(began(1, 0))
		offset := 0.0
		for seq := int64(1); seq <= 8*1800+30; seq++ {
			if seq == 5000 { // an hour's pause
				a.Emit(run.Paused{At: moment(10_000)})
				a.Emit(run.Resumed{At: moment(13_600)})
				offset += 3600
			}
			if seq == 9000 { // a crash, and a resume the next day
				offset += 86_400
				again := began(2, 18_000+offset)
				again.NotCollected = map[string]string{run.SigDescriptors: "no /proc"}
				a.Emit(again)
			}
			fin := ended(seq, "plain", "", 2*float64(seq)+offset)
			fin.Wall = int64(1e5 * (1 + 0.2*r.NormFloat64()))
			fin.MaxRSS = int64(50_000 * (1 + 0.02*r.NormFloat64()))
			fin.Signals = run.Signals{run.SigThreads: 1, run.SigTempFiles: 3}
			if leaks && seq > 4*1800 {
				fin.MaxRSS += 10 * (seq - 4*1800)
				fin.Signals[run.SigTempFiles] += (seq - 4*1800) / 100
			}
			a.Emit(fin)
		}
		require.Equal(t, map[string]string{"descriptors": "no /proc", "processes": "no attempt that was left alone had a figure: too short for the sampler, or in part hidden from it"},
			a.NotWatched())
		require.Equal(t, 8, a.Hours(), "pauses and the time between sessions are none of it")
		told := fmt.Sprint(a.Notices())
		if leaks {
			require.Contains(t, told, "rss_kib")
			require.Contains(t, told, "temp_files")
		} else {
			require.Equal(t, "[]", told)
		}
	}
}
