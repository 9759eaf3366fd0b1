package sched

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

func TestWorstThreadLeavesOutTheMainProcess(t *testing.T) {
	ms := int64(time.Millisecond)
	r := Record{Ended: 100 * ms, Threads: []Thread{
		{PID: 1, TID: 1, Created: 1, FirstRun: 50 * ms},
		{PID: 1, TID: 2, Created: 60 * ms, FirstRun: 67 * ms},
		{PID: 1, TID: 3, Created: 60 * ms, FirstRun: 61 * ms},
	}}
	worst, ok := worstThread(r)
	require.True(t, ok)
	require.Equal(t, 7*time.Millisecond, worst)

	r.Threads = append(r.Threads, Thread{PID: 1, TID: 4, Created: 70 * ms}) // it never ran
	worst, _ = worstThread(r)
	require.Equal(t, 30*time.Millisecond, worst)

	r.Threads = r.Threads[:1]
	_, ok = worstThread(r)
	require.False(t, ok, "a process that made no thread has no such figure")
}

func TestStartsGoByTheOrderOfCreation(t *testing.T) {
	ms := int64(time.Millisecond)
	r := Record{Ended: 100 * ms, Threads: []Thread{{Created: 1, FirstRun: 50 * ms}}}
	s := run.Signals{}
	starts(r, s)
	require.Equal(t, run.Signals{run.SigThreadsMade: 0}, s, "the main process's own start is no thread's")
	for i := int64(1); i <= 5; i++ {
		r.Threads = append(r.Threads, Thread{Created: 60 * ms, FirstRun: (60 + i) * ms})
	}
	r.Threads = append(r.Threads, Thread{Created: 70 * ms}) // it never ran
	starts(r, s)
	require.Equal(t, run.Signals{run.SigThreadsMade: 6, run.SigStart1: 1000, run.SigStart2: 2000, run.SigStart3: 3000,
		run.SigStart4: 4000, run.SigStartLast: 30_000}, s)
	for _, lost := range []Record{{Threads: append(r.Threads, Thread{FirstRun: 80 * ms})}, {Threads: r.Threads, ThreadsDropped: 1}} {
		s = run.Signals{}
		starts(lost, s)
		require.Empty(t, s, "no thread has a place in the order")
	}
}

func TestWaitsOfTheRecordAreLowerBounds(t *testing.T) {
	ms := int64(time.Millisecond)
	r := Record{Ended: 100 * ms, Threads: []Thread{
		{Created: 1, FirstRun: 50 * ms, Stalled: 6 * time.Millisecond, LongestStall: 4 * time.Millisecond},
		{Created: 60 * ms, FirstRun: 67 * ms, Stalled: time.Millisecond, LongestStall: time.Millisecond},
	}}
	e := run.Evidence{Signals: run.Signals{run.SigRunDelayWorst: 12_345}}
	leastWaits(r, &e)
	require.Equal(t, run.Signals{run.SigRunDelay: 14_000, run.SigRunDelayWorst: 12_345, run.SigLongestStall: 7_000}, e.Signals)
	require.Equal(t, []string{run.SigLongestStall, run.SigRunDelay}, e.AtLeast(), "a figure that is there stays")
}

func TestMostCountsWhatIsThereAtOnce(t *testing.T) {
	r := Record{Threads: []Thread{
		{PID: 1, TID: 1, Created: 1, Exited: 100},
		{PID: 1, TID: 2, Created: 10, Exited: 20},
		{PID: 1, TID: 3, Created: 20, Exited: 30},
		{PID: 4, TID: 4, Created: 25},
	}}
	require.Equal(t, 3, most(r, func(Thread) bool { return true }))
	require.Equal(t, 2, most(r, func(t Thread) bool { return t.TID == t.PID }))
}

func TestChooseIsRationedPerSecond(t *testing.T) {
	now := time.Unix(1000, 0)
	a := &Attempts{most: PerSecond, now: func() time.Time { return now }, live: map[attemptKey]*Recording{}}
	chosen := 0
	for range 1000 {
		if a.Choose(run.Attempt{}) {
			chosen++
		}
	}
	require.Equal(t, PerSecond, chosen)
	now = now.Add(time.Second)
	require.True(t, a.Choose(run.Attempt{}))
}

func TestAnAttemptWithoutARecordSaysWhy(t *testing.T) {
	a := &Attempts{most: PerSecond, now: time.Now, live: map[attemptKey]*Recording{}}
	var res run.Result
	a.finish(run.Attempt{Seq: 1, Try: 1}, &res)
	require.NotContains(t, res.Evidence.Signals, run.SigMigrations)
	require.Equal(t, whyNotChosen, res.Evidence.NotCollected[run.SigMigrations])
}

// Of short attempts few are recorded, until one fails: from then on there is something to compare.
func TestChooseIsSparingWithShortAttempts(t *testing.T) {
	for _, c := range []struct {
		name   string
		cpu    time.Duration
		ended  int
		code   int
		signal int
		chosen int
	}{
		{"none has ended yet", 0, 0, 0, 0, 50},
		{"too few to know", time.Millisecond, atFirst - 1, 0, 0, 50},
		{"short and green", time.Millisecond, atFirst, 0, 0, 50 / sparingly},
		{"short, one failed", time.Millisecond, atFirst, 1, 0, 50},
		{"short, one crashed", time.Millisecond, atFirst, 0, 11, 50},
		{"long", shortCPU, atFirst, 0, 0, 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &Attempts{most: PerSecond, now: func() time.Time { return time.Unix(1000, 0) }, live: map[attemptKey]*Recording{}}
			for i := range c.ended {
				res := run.Result{Usage: run.Usage{System: c.cpu}}
				if i == 0 {
					res.Ending = run.Ending{Code: c.code, Signal: c.signal}
				}
				a.finish(run.Attempt{Seq: int64(i)}, &res)
			}
			chosen := 0
			for range 50 {
				if a.Choose(run.Attempt{}) {
					chosen++
				}
			}
			require.Equal(t, c.chosen, chosen)
		})
	}
}
