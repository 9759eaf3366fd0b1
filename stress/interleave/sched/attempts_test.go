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
	a := &Attempts{now: func() time.Time { return now }, live: map[attemptKey]*Recording{}}
	chosen := 0
	for range 1000 {
		if a.Choose(run.Attempt{}) {
			chosen++
		}
	}
	require.Equal(t, perSecond, chosen)
	now = now.Add(time.Second)
	require.True(t, a.Choose(run.Attempt{}))
}

func TestAnAttemptWithoutARecordSaysWhy(t *testing.T) {
	a := &Attempts{now: time.Now, live: map[attemptKey]*Recording{}}
	var e run.Evidence
	a.finish(run.Attempt{Seq: 1, Try: 1}, &e)
	require.NotContains(t, e.Signals, run.SigMigrations)
	require.Equal(t, whyNotChosen, e.NotCollected[run.SigMigrations])
}
