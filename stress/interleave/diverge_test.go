package interleave_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/interleave"
	"heisen/stress/run"
)

// observe adds an attempt to a sample as the archiver does.
func observe(s *interleave.Sample, seq int64, failed bool, t *run.Trace) {
	form := interleave.Canonical(t)
	fin := run.Finished{Seq: seq, Epoch: 1, Outcome: run.Pass, Variant: form.Variant, Wall: 100_000}
	if failed {
		fin.Outcome, fin.Filed = run.Fail, &run.Filed{Signature: "sig"}
	}
	s.Add(&fin, form)
}

// position is when a thread's k-th event comes in turns.
func position(turns []int, thread, k int) int {
	for i, turn := range turns {
		if turn == thread {
			if k--; k < 0 {
				return i
			}
		}
	}
	panic("no such event")
}

// The planted cause: an attempt fails exactly if the last thread's second event comes before the first
// one's second.
func TestThePlantedOrderIsFound(t *testing.T) {
	rng := newRand(t)
	for _, threads := range []int{2, 3, 5} {
		const trials = 40
		found := 0
		for range trials {
			w, s, fails := world{threads, 3}, &interleave.Sample{}, 0
			for seq := int64(1); fails < 10 || seq < 160; seq++ {
				turns := w.turns(rng)
				failed := position(turns, threads-1, 1) < position(turns, 0, 1)
				if failed && fails == 10 {
					continue
				}
				if failed {
					fails++
				}
				observe(s, seq, failed, w.trace(turns, rng))
			}
			d := s.Diverge(nil)
			if len(d.Pairs) > 0 && strings.HasSuffix(keyOf(d.Pairs[0].First), "'s step 1") && strings.HasSuffix(keyOf(d.Pairs[0].Second), "'s step 1") &&
				d.Pairs[0].Fail == 0 && d.Pairs[0].Pass == d.Pairs[0].Passes {
				found++
			}
		}
		t.Logf("%d threads: found in %d of %d", threads, found, trials)
		require.GreaterOrEqual(t, found, trials*95/100, "%d threads", threads)
	}
}

// keyOf is a phrase without its fields.
func keyOf(phrase string) string {
	if i := strings.Index(phrase, " @"); i > 0 {
		return phrase[:i]
	}
	return phrase
}

func TestNothingIsClaimedWherePassAndFailAreAlike(t *testing.T) {
	rng := newRand(t)
	for _, threads := range []int{2, 3, 5} {
		const trials = 40
		claimed := 0
		for range trials {
			w, s := world{threads, 3}, &interleave.Sample{}
			for seq := range int64(70) {
				observe(s, seq+1, seq < 10, w.trace(w.turns(rng), rng))
			}
			d := s.Diverge(nil)
			if d.Separated {
				claimed++
			} else {
				require.Contains(t, d.Sentence, "no order separates them")
			}
		}
		t.Logf("%d threads: claimed in %d of %d", threads, claimed, trials)
		require.LessOrEqual(t, claimed, trials*5/100, "%d threads", threads)
	}
}

// starved is a trace of the shape of bpo-37224: a thread that main created runs before main's second
// look, or does not.
func starved(rng *rand.Rand, ran bool) *run.Trace {
	pid := 1000 + rng.IntN(1_000_000)
	at := func(ms int) time.Duration {
		return time.Duration(ms)*time.Millisecond + time.Duration(rng.Int64N(400_000))
	}
	first := at(4)
	if !ran {
		first = at(9)
	}
	t := &run.Trace{Threads: []run.Thread{
		{PID: pid, TID: pid, Parent: -1, Name: "python3", Exited: at(8)},
		{PID: pid, TID: pid + 3, Parent: 0, Name: "Thread-8", Created: at(2), FirstRun: first, Exited: at(12)},
	}}
	mark := func(ms, thread int, name string) {
		t.Points = append(t.Points, run.Point{At: at(ms), Thread: thread, Source: run.FromTest, Name: name})
	}
	mark(1, 0, "create")
	mark(3, 0, "list_all")
	if ran {
		mark(5, 1, "run")
	}
	mark(6, 0, "list_all")
	return t
}

func TestTheSentenceOfTheStarvedThread(t *testing.T) {
	rng := newRand(t)
	s := &interleave.Sample{}
	for seq := range int64(67) {
		observe(s, seq+1, seq < 10, starved(rng, seq >= 10))
	}
	d := s.Diverge(nil)
	require.True(t, d.Separated)
	require.Equal(t, `@2 "Thread-8", created by main, never ran before main's second list_all in 10 of 10 failures; in 57 of 57 passes it did`, d.Sentence)
	require.Equal(t, []string{`@2 "Thread-8"`}, d.NeverRan[:1])
	require.Contains(t, d.Missing, "@2 run")
	require.Less(t, d.Pairs[0].P, 1e-8)

	data, err := json.Marshal(s)
	require.NoError(t, err)
	loaded, err := interleave.LoadSample(data)
	require.NoError(t, err)
	require.Equal(t, d, loaded.Diverge(nil), "a resumed campaign says the same")
	other := "another"
	require.Nil(t, s.Diverge(&other), "no failure of that kind")
}

// What a runner prints about a failure is no place where the orders part; a marker that is missing is.
func TestUnmarkedLinesOfAFailureAreSymptoms(t *testing.T) {
	line := func(source run.Source, ms int, text string) run.Point {
		return run.Point{At: time.Duration(ms) * time.Millisecond, Thread: -1, Source: source, Name: text}
	}
	for source, want := range map[run.Source]string{run.FromLine: "", run.FromOutput: "..s"} {
		s := &interleave.Sample{}
		for seq := int64(1); seq <= 20; seq++ {
			failed := seq%2 == 0
			trace := &run.Trace{Points: []run.Point{line(source, 1, "begin"), line(source, 5, "end")}}
			if failed {
				trace.Points = slices.Insert(trace.Points, 1, line(source, 2, ".Fs"), line(source, 3, "Traceback"))
			} else {
				trace.Points = slices.Insert(trace.Points, 1, line(source, 2, "..s"))
			}
			observe(s, seq, failed, trace)
		}
		d := s.Diverge(nil)
		require.Equal(t, want, d.Event, source)
		require.Equal(t, source == run.FromOutput, len(d.Missing) > 0)
	}
}

// A test that waits for its thread and then looks at a clock: the order is the same, the start is late.
func TestALateStartIsToldWhereTheOrderIsTheSame(t *testing.T) {
	rng := newRand(t)
	s := &interleave.Sample{}
	for seq := range int64(46) {
		late := time.Duration(200+rng.IntN(900)) * time.Microsecond
		if seq < 6 {
			late = time.Duration(6000+rng.IntN(9000)) * time.Microsecond
		}
		observe(s, seq+1, seq < 6, &run.Trace{Threads: []run.Thread{
			{PID: 9, TID: 9, Parent: -1, Name: "test", Exited: 90 * time.Millisecond},
			{PID: 9, TID: 10, Parent: 0, Name: "idle", Created: 1, FirstRun: time.Duration(rng.IntN(2_000_000)), Exited: run.NotSeen},
			{PID: 9, TID: 11, Parent: 0, Name: "worker", Created: 3 * time.Millisecond, FirstRun: 3*time.Millisecond + late, Exited: run.NotSeen},
		}})
	}
	d := s.Diverge(nil)
	require.Len(t, d.LateStarts, 1)
	require.Regexp(t, `^@3 "worker", created by main, first ran \S+ms after it was created \(the median of 6 failures\); in 40 of 40 passes it ran within \S+$`, d.Sentence)
}

func TestASampleIsBoundedAndDrawnByNumberAlone(t *testing.T) {
	rng := newRand(t)
	trace := starved(rng, true)
	forward, backward := &interleave.Sample{}, &interleave.Sample{}
	for seq := range int64(1000) {
		observe(forward, seq+1, false, trace)
		observe(backward, 1000-seq, false, trace)
	}
	numbers := func(s *interleave.Sample) (list []int64) {
		for _, o := range s.Passes {
			list = append(list, o.Seq)
		}
		return list
	}
	require.Len(t, forward.Passes, 192)
	require.Equal(t, numbers(forward), numbers(backward))
	late := slices.DeleteFunc(numbers(forward), func(n int64) bool { return n <= 500 })
	require.InDelta(t, 96, len(late), 40, "evenly from all")
}

func TestABadSampleIsRefusedOrHarmless(t *testing.T) {
	_, err := interleave.LoadSample([]byte("{"))
	require.Error(t, err)
	s, err := interleave.LoadSample([]byte(`{"epoch":1,"fails":[{"failed":true,"form":{"variant":"a","threads":[{"key":"x","creator":77}],"events":[{"key":"a","thread":99,"starts":99}]}}],
		"passes":[{"form":{"variant":"b","events":[{"key":"\u0001","thread":-5,"starts":-9}]}}]}`))
	require.NoError(t, err)
	require.NotPanics(t, func() { s.Diverge(nil) })
}
