package mix

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// fake is a test as one strategy makes it: how often it fails, how long it takes, how often it shows a new variant.
type fake struct {
	fails   float64
	wall    time.Duration
	variant float64
}

// flight is an attempt of the simulation that has not finished.
type flight struct {
	ends     time.Duration
	strategy string
	attempt  run.Attempt
}

type flights []flight

func (f flights) Len() int           { return len(f) }
func (f flights) Less(i, j int) bool { return f[i].ends < f[j].ends }
func (f flights) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *flights) Push(x any)        { *f = append(*f, x.(flight)) }
func (f *flights) Pop() any {
	old := *f
	last := old[len(old)-1]
	*f = old[:len(old)-1]
	return last
}

// found is what a simulated campaign came to.
type found struct {
	first    time.Duration // of the first failure; the campaign's length where there is none
	failures int
	given    map[string]int
}

// simulate runs a campaign of so long, or until the first failure, with slots that are always full.
func simulate(seed uint64, tests map[string]fake, width int, length time.Duration, untilFail bool) found {
	names := []string{}
	for name := range tests {
		if name != Plain {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	m := New(Config{Seed: seed, Strategies: names, Width: width, CPUs: 1 << 20, Epoch: 1})
	chance := rand.New(rand.NewPCG(seed, 99))
	out := found{first: length, given: map[string]int{}}
	var air flights
	for now, seq := time.Duration(0), int64(0); now < length && !(untilFail && out.failures > 0); {
		for len(air) < width {
			seq++
			a := run.Attempt{Seq: seq, Try: 1}
			s := m.Choose(a)
			out.given[s]++
			took := time.Duration(float64(tests[s].wall) * (0.5 + chance.Float64()))
			heap.Push(&air, flight{now + took, s, a})
		}
		f := heap.Pop(&air).(flight)
		now = f.ends
		fin := finish(f, tests[f.strategy], chance)
		if fin.Outcome.Failed() && now < length {
			out.failures++
			out.first = min(out.first, now)
		}
		m.Emit(fin)
	}
	return out
}

func finish(f flight, t fake, chance *rand.Rand) run.Finished {
	fin := run.Finished{Seq: f.attempt.Seq, Try: 1, Epoch: 1, Outcome: run.Pass, Wall: t.wall.Microseconds(), Variant: "common"}
	if f.strategy != Plain {
		fin.Chaos = &run.Chaos{Strategy: f.strategy, Made: 1}
	}
	if chance.Float64() < t.fails {
		fin.Outcome = run.Fail
	}
	if chance.Float64() < t.variant {
		fin.Variant = fmt.Sprint("variant ", f.attempt.Seq)
	}
	return fin
}

// six is a mix of the usual size in which one strategy alone finds anything.
func six(good string, fails float64) map[string]fake {
	tests := map[string]fake{Plain: {wall: 100 * time.Millisecond}}
	for _, name := range []string{"hold", "starve", "preempt", "pct", Weak, Load, Pin} {
		tests[name] = fake{wall: 300 * time.Millisecond}
	}
	tests[good] = fake{fails: fails, wall: 300 * time.Millisecond}
	return tests
}

func median(values []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// campaigns is how many are simulated for one claim; seeds are 1 to that.
const campaigns = 12

// TestFindsTheStrategyThatFails: once it has brought failures, most of the attempts are its own, and the
// campaign has at least two fifths of the failures that giving it every attempt would have brought.
func TestFindsTheStrategyThatFails(t *testing.T) {
	for _, good := range []string{"hold", "pct", Load} {
		const length, width = 100 * time.Second, 8
		most, regret := 0, 0.0
		for seed := uint64(1); seed <= campaigns; seed++ {
			out := simulate(seed, six(good, 0.1), width, length, false)
			best := length.Seconds() / 0.3 * width * 0.1
			regret += 1 - float64(out.failures)/best
			if slices.MaxFunc([]string{"hold", "starve", "preempt", "pct", Weak, Load, Pin}, func(a, b string) int {
				return out.given[a] - out.given[b]
			}) == good {
				most++
			}
		}
		t.Logf("seeds 1-%d, %s fails 10 %%: most drawn in %d, mean regret %.2f", campaigns, good, most, regret/campaigns)
		require.GreaterOrEqual(t, most, campaigns, good)
		require.LessOrEqual(t, regret/campaigns, 0.6, good)
	}
}

// TestNeverMuchLaterThanPlain: where only plain attempts fail, the first failure comes at most 2.5 times later
// in the median than without any strategy.
func TestNeverMuchLaterThanPlain(t *testing.T) {
	const fails, width = 0.002, 8
	var mixed, alone []time.Duration
	for seed := uint64(1); seed <= 201; seed++ {
		tests := six("none", 0)
		delete(tests, "none")
		tests[Plain] = fake{fails: fails, wall: 100 * time.Millisecond}
		mixed = append(mixed, simulate(seed, tests, width, time.Hour, true).first)
		alone = append(alone, simulate(seed, map[string]fake{Plain: tests[Plain]}, width, time.Hour, true).first)
	}
	t.Logf("seeds 1-201: median first failure %v mixed, %v plain", median(mixed), median(alone))
	require.LessOrEqual(t, median(mixed), median(alone)*5/2)
}

// TestSoonerWhereAStrategyFindsIt: a strategy that fails a hundred times as often per second brings the first
// failure at least five times sooner, though it is one of seven.
func TestSoonerWhereAStrategyFindsIt(t *testing.T) {
	var mixed, alone []time.Duration
	for seed := uint64(1); seed <= 101; seed++ {
		tests := six("hold", 0.15)
		tests[Plain] = fake{fails: 0.0005, wall: 100 * time.Millisecond}
		mixed = append(mixed, simulate(seed, tests, 8, time.Hour, true).first)
		alone = append(alone, simulate(seed, map[string]fake{Plain: tests[Plain]}, 8, time.Hour, true).first)
	}
	t.Logf("seeds 1-101: median first failure %v mixed, %v plain", median(mixed), median(alone))
	require.LessOrEqual(t, median(mixed)*5, median(alone))
}

// TestJudgedBySecondsNotByShare: of two strategies that fail in the same share of attempts, the one whose
// attempts take a tenth of the time gets most of them.
func TestJudgedBySecondsNotByShare(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		out := simulate(seed, map[string]fake{Plain: {wall: 100 * time.Millisecond},
			"slow": {fails: 0.2, wall: 2 * time.Second}, "fast": {fails: 0.2, wall: 200 * time.Millisecond}}, 8, 120*time.Second, false)
		require.Greater(t, out.given["fast"], 3*out.given["slow"], "seed %d: %v", seed, out.given)
	}
}

// TestFollowsVariantsBeforeAnyFailure: until something fails, what shows new interleavings is preferred.
func TestFollowsVariantsBeforeAnyFailure(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		tests := six("none", 0)
		delete(tests, "none")
		tests["pct"] = fake{wall: 300 * time.Millisecond, variant: 0.5}
		out := simulate(seed, tests, 8, 120*time.Second, false)
		for _, other := range []string{"hold", "starve", "preempt", Weak, Load, Pin} {
			require.Greater(t, out.given["pct"], 2*out.given[other], "seed %d: %v", seed, out.given)
		}
	}
}

// TestNobodyIsStarved: plain attempts keep their share, and no strategy is given up, however good another is.
func TestNobodyIsStarved(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		out := simulate(seed, six("hold", 0.5), 8, 200*time.Second, false)
		total := 0
		for _, n := range out.given {
			total += n
		}
		require.GreaterOrEqual(t, float64(out.given[Plain]), 0.17*float64(total), "seed %d: %v", seed, out.given)
		for name := range six("hold", 0.5) {
			require.GreaterOrEqual(t, float64(out.given[name]), 0.004*float64(total), "seed %d, %s: %v", seed, name, out.given)
		}
	}
}

// TestSlowTestsMeetEveryStrategySoon: of a slow test a quarter of the first attempts are plain, the first among them, and
// the others try each strategy, those inside the runtime first and most, without waiting for an attempt to end.
func TestSlowTestsMeetEveryStrategySoon(t *testing.T) {
	m := New(Config{Seed: 3, Strategies: []string{"hold", "pct", Pin, "inner", "deeper"}, Inside: []string{"inner", "deeper"}, Width: 4, CPUs: 2, Epoch: 1})
	var got []string
	for seq := int64(1); seq <= openingLength; seq++ {
		got = append(got, m.Choose(run.Attempt{Seq: seq, Try: 1}))
		m.Emit(run.Finished{Seq: seq, Epoch: 1, Outcome: run.Pass, Wall: 8e6, Chaos: chaosOf(got[seq-1])})
	}
	require.Equal(t, []string{Plain, "inner", "deeper", "hold", Plain, "inner", "deeper", "pct", Plain, "inner", "deeper", Pin,
		Plain, "inner", "deeper", "hold"}, got)
	d, known := m.PlainDuration()
	require.True(t, known)
	require.Equal(t, 8*time.Second, d)
}

func chaosOf(strategy string) *run.Chaos {
	if strategy == Plain {
		return nil
	}
	return &run.Chaos{Strategy: strategy, Made: 1}
}

// TestQuickTestsRunPlainFirst: of a quick test nothing else is run until plain attempts have had their head start, but
// for those that began before the first had ended.
func TestQuickTestsRunPlainFirst(t *testing.T) {
	m := New(Config{Seed: 3, Strategies: []string{"hold"}, Width: 4, CPUs: 2, Epoch: 1})
	require.Equal(t, Plain, m.Choose(run.Attempt{Seq: 1, Try: 1}))
	require.Equal(t, "hold", m.Choose(run.Attempt{Seq: 2, Try: 1}))
	_, known := m.PlainDuration()
	require.False(t, known)
	drawn := map[string]int64{}
	for seq := int64(1); seq <= 200; seq++ {
		s := m.Choose(run.Attempt{Seq: seq, Try: 1})
		drawn[s]++
		if drawn["hold"] > 0 && seq > 2 {
			break
		}
		m.Emit(run.Finished{Seq: seq, Epoch: 1, Outcome: run.Pass, Wall: 12e3})
	}
	require.EqualValues(t, 1, drawn["hold"])
	require.GreaterOrEqual(t, drawn[Plain], int64(4*headStart/(12*time.Millisecond)), "of 12 ms each on 4 slots")
}

// TestHeadStartEndsByTheClock: attempts that cost little and are long under way do not make it longer.
func TestHeadStartEndsByTheClock(t *testing.T) {
	m := New(Config{Seed: 3, Strategies: []string{"hold"}, Width: 4, CPUs: 2, Epoch: 1})
	at := time.Unix(1000, 0)
	m.Emit(run.Finished{Seq: 1, Epoch: 1, Outcome: run.Pass, Wall: 10, At: at})
	require.Equal(t, Plain, m.Choose(run.Attempt{Seq: 3, Try: 1}))
	m.Emit(run.Finished{Seq: 2, Epoch: 1, Outcome: run.Pass, Wall: 10, At: at.Add(headStart)})
	require.Equal(t, "hold", m.Choose(run.Attempt{Seq: 3, Try: 1}))
}

// TestFewRunsAreNotAllPlain: a head start takes no more than its share of a short campaign.
func TestFewRunsAreNotAllPlain(t *testing.T) {
	m := New(Config{Seed: 3, Strategies: []string{"hold"}, Width: 4, CPUs: 2, Epoch: 1, Runs: 50})
	m.Emit(run.Finished{Seq: 1, Epoch: 1, Outcome: run.Pass, Wall: 10})
	require.Equal(t, Plain, m.Choose(run.Attempt{Seq: 10, Try: 1}))
	require.Equal(t, "hold", m.Choose(run.Attempt{Seq: 11, Try: 1}))
}

// TestWhatCannotBeKnownCountsNotAgainst: an arm without recorded variants has as much time as one of the usual novelty.
func TestWhatCannotBeKnownCountsNotAgainst(t *testing.T) {
	l := &Ledger{}
	for seq := int64(1); seq <= 100; seq++ {
		l.Add(run.Finished{Seq: seq, Outcome: run.Pass, Wall: 1e6, Chaos: chaosOf("traced")})
		l.Add(run.Finished{Seq: seq, Outcome: run.Pass, Wall: 1e6, Chaos: chaosOf("new"), Variant: fmt.Sprint(seq)})
		l.Add(run.Finished{Seq: seq, Outcome: run.Pass, Wall: 1e6, Chaos: chaosOf("same"), Variant: "x"})
	}
	arms, _ := ratesOf(l, &Config{Strategies: []string{"traced", "new", "same"}, Width: 1, CPUs: 1})
	traced, fresh, same := arms[1].events, arms[2].events, arms[3].events
	require.Greater(t, fresh, traced)
	require.Greater(t, traced, same)
}

// TestChoiceIsAFunctionOfSeedAttemptAndFinishes: also across a resume, whose mixer begins with the folded ledger.
func TestChoiceIsAFunctionOfSeedAttemptAndFinishes(t *testing.T) {
	strategies := []string{"hold", "pct", Pin}
	whole := New(Config{Seed: 7, Strategies: strategies, Width: 4, CPUs: 2, Epoch: 1})
	ledger := &Ledger{}
	chance := rand.New(rand.NewPCG(1, 1))
	for seq := int64(1); seq <= 150; seq++ {
		a := run.Attempt{Seq: seq, Try: 1}
		resumed := New(Config{Seed: 7, Strategies: strategies, Width: 4, CPUs: 2, Epoch: 1, Ledger: ledger})
		s := whole.Choose(a)
		require.Equal(t, s, whole.Choose(a))
		require.Equal(t, s, resumed.Choose(a), "attempt %d", seq)
		fin := finish(flight{0, s, a}, fake{fails: 0.1, wall: time.Second, variant: 0.2}, chance)
		whole.Emit(fin)
		ledger.Add(fin)
	}
}

func TestDroppedIsNeverDrawn(t *testing.T) {
	m := New(Config{Seed: 1, Strategies: []string{"hold", Pin}, Width: 2, CPUs: 2, Epoch: 1})
	m.Emit(run.Finished{Seq: 1, Epoch: 1, Outcome: run.Pass, Wall: 1e6})
	m.Drop("hold")
	for seq := int64(2); seq < 300; seq++ {
		require.NotEqual(t, "hold", m.Choose(run.Attempt{Seq: seq, Try: 1}))
	}
	m.Drop(Pin)
	require.Equal(t, Plain, m.Choose(run.Attempt{Seq: 301, Try: 1}))
}

// TestOddFigures: clocks that stood still, empty accounts and attempts of another epoch draw something valid.
func TestOddFigures(t *testing.T) {
	m := New(Config{Seed: 1, Strategies: []string{"hold"}, Epoch: 2})
	for seq := int64(1); seq < 40; seq++ {
		m.Emit(run.Finished{Seq: seq, Epoch: 1, Outcome: run.Fail})
	}
	require.Empty(t, m.ledger.Arms, "other epochs teach nothing")
	for seq := int64(40); seq < 80; seq++ {
		m.Emit(run.Finished{Seq: seq, Epoch: 2, Outcome: run.Skip})
		require.Contains(t, []string{Plain, "hold"}, m.Choose(run.Attempt{Seq: seq}))
	}
	_, known := m.PlainDuration()
	require.False(t, known, "skipped attempts tell no duration")
}
