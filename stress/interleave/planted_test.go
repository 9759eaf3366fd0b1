package interleave_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/interleave"
	"heisen/stress/run"
)

// world makes traces with a known order: threads that main creates, each with a program of its own, merged
// in an order of the test's choosing.
type world struct {
	threads, each int
}

// trace merges the threads' programs in the order of turns: turns[k] is whose next event comes k-th. Names,
// numbers and addresses are drawn anew.
func (w world) trace(turns []int, rng *rand.Rand) *run.Trace {
	pid := 300 + rng.IntN(4_000_000)
	t := &run.Trace{Threads: []run.Thread{{PID: pid, TID: pid, Parent: -1, Name: "test", Exited: run.NotSeen}}}
	at := time.Duration(0)
	tick := func() time.Duration { at += time.Duration(1 + rng.Int64N(5e6)); return at }
	used := pid
	for i := range w.threads {
		used += 1 + rng.IntN(9)
		t.Threads = append(t.Threads, run.Thread{PID: pid, TID: used, Name: fmt.Sprintf("worker-%d", i),
			Created: tick(), FirstRun: tick(), Exited: run.NotSeen})
	}
	object := rng.Uint64()>>17 | 1<<40
	done := make([]int, w.threads)
	for _, turn := range turns {
		t.Points = append(t.Points, run.Point{At: tick(), Thread: turn + 1, Source: run.FromTest,
			Name:   fmt.Sprintf("step %d", done[turn]),
			Fields: []string{fmt.Sprintf("%#x", object+uint64(turn%2)*4096), fmt.Sprint(t.Threads[turn+1].TID)}})
		done[turn]++
	}
	return t
}

// turns is a merge of the threads' programs drawn evenly.
func (w world) turns(rng *rand.Rand) []int {
	list := make([]int, 0, w.threads*w.each)
	for i := range w.threads * w.each {
		list = append(list, i%w.threads)
	}
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func newRand(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func TestRenamedShiftedAndReaddressedCopiesAreOneVariant(t *testing.T) {
	rng := newRand(t)
	for _, threads := range []int{2, 3, 5} {
		seen := map[string][]int{}
		for range 200 {
			w := world{threads, 4}
			turns := w.turns(rng)
			form := interleave.Canonical(w.trace(turns, rng))
			for range 5 {
				require.Equal(t, form.Variant, interleave.Canonical(w.trace(turns, rng)).Variant, "%v", turns)
			}
			if before, ok := seen[form.Variant]; ok {
				require.Equal(t, before, turns, "two orders are not one variant")
			}
			seen[form.Variant] = turns
		}
		require.Greater(t, len(seen), 10)
	}
}

// schedOnly is what the scheduler alone tells of a main thread that creates others: after how many of
// main's creations each first ran, in an order of the test's choosing among those of one place.
func schedOnly(ranAfter []int, shuffle *rand.Rand) *run.Trace {
	t := &run.Trace{Threads: []run.Thread{{PID: 7, TID: 7, Parent: -1, Name: "main", Exited: run.NotSeen}}}
	for i, after := range ranAfter {
		th := run.Thread{PID: 7, TID: 8 + i, Created: time.Duration(i+1) * 1000, FirstRun: run.NotSeen, Exited: run.NotSeen}
		if after >= 0 {
			th.FirstRun = time.Duration(i+1+after)*1000 + 1 + time.Duration(shuffle.Int64N(998))
		}
		t.Threads = append(t.Threads, th)
	}
	t.Threads[0].Exited = time.Duration(len(ranAfter)+1) * 1000
	return t
}

func TestWhatOnlyTheSchedulerSawTellsWhoWasLate(t *testing.T) {
	rng := newRand(t)
	variant := func(ran ...int) string { return interleave.Canonical(schedOnly(ran, rng)).Variant }
	for range 50 {
		require.Equal(t, variant(0, 0, 0), variant(0, 0, 0), "when exactly is noise")
		require.Equal(t, variant(2, 0, 0, 0), variant(3, 0, 0, 0), "late is late, however the others did")
	}
	different := []string{variant(0, 0, 0), variant(2, 0, 0), variant(0, 1, 0), variant(0, 0, 1), variant(0, 0, -1)}
	slices.Sort(different)
	require.Len(t, slices.Compact(different), 5, "not at once, after main's end and never are orders of their own")
}

func TestTenThousandThreadsAreBounded(t *testing.T) {
	wide := &run.Trace{Threads: []run.Thread{{PID: 1, TID: 1, Parent: -1, Exited: run.NotSeen}}}
	deep := &run.Trace{Threads: slices.Clone(wide.Threads)}
	for i := range 10_000 {
		th := run.Thread{PID: 1, TID: i + 2, Created: time.Duration(2 * i), FirstRun: time.Duration(2*i + 1), Exited: run.NotSeen}
		wide.Threads = append(wide.Threads, th)
		th.Parent = i
		deep.Threads = append(deep.Threads, th)
	}
	for name, trace := range map[string]*run.Trace{"wide": wide, "deep": deep} {
		for i := range 10_001 {
			trace.Points = append(trace.Points, run.Point{At: time.Duration(30_000 + i), Thread: i, Source: run.FromTest, Name: "here"})
		}
		form := interleave.Canonical(trace)
		require.Len(t, form.Events, interleave.MaxEvents, name)
		require.Equal(t, 30_001-interleave.MaxEvents, form.Left, name)
		for _, th := range form.Threads {
			require.Less(t, len(th.Key), 300, name)
		}
	}
}

func TestOneThreadOfTwoSourcesIsOne(t *testing.T) {
	kernel := &run.Trace{Threads: []run.Thread{
		{PID: 10, TID: 10, Parent: -1, Name: "python3", Exited: 900},
		{PID: 10, TID: 11, Parent: 0, Name: "python3", Created: 100, FirstRun: 150, Exited: 300},
		{PID: 10, TID: 11, Parent: 0, Name: "python3", Created: 500, FirstRun: 550, Exited: 800},
	}}
	test := &run.Trace{Threads: []run.Thread{
		{PID: 10, TID: 11, Parent: -1, Name: "Thread-2", Created: run.NotSeen, FirstRun: run.NotSeen, Exited: run.NotSeen},
		{PID: 10, TID: 12, Parent: -1, Name: "Thread-9", Created: run.NotSeen, FirstRun: run.NotSeen, Exited: run.NotSeen},
	}, Points: []run.Point{{At: 600, Thread: 0, Source: run.FromTest, Name: "a"}, {At: 700, Thread: 1, Source: run.FromTest, Name: "b"}},
		Dropped: map[run.Source]int64{run.FromTest: 3}}
	got := interleave.Merge(kernel, test)
	require.Len(t, got.Threads, 4)
	require.Equal(t, "Thread-2", got.Threads[2].Name, "the number was given again: it is the second one, called as the test calls it")
	require.Equal(t, "python3", got.Threads[1].Name)
	require.Equal(t, []int{2, 3}, []int{got.Points[0].Thread, got.Points[1].Thread})
	require.Equal(t, int64(3), got.Dropped[run.FromTest])
	require.Nil(t, interleave.Merge(nil, nil))
}
