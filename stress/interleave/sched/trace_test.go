package sched

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

func TestTraceSaysWhoCreatedWhomAndWhoNeverRan(t *testing.T) {
	r := Record{Ended: 9000, ThreadsDropped: 2, Threads: []Thread{
		{PID: 5, TID: 5, Parent: none, Name: "test", Created: 990, FirstRun: 1100, Exited: 8000,
			Names: []Naming{{At: 1200, Name: "test", Exec: true}}},
		{PID: 5, TID: 6, Parent: 0, Name: "worker", Created: 2000, FirstRun: 2500, Names: []Naming{{At: 2600, Name: "worker"}}},
		{PID: 5, TID: 7, Parent: 0, Name: "test", Created: 3000},
	}, Events: []Event{{At: 2500, Thread: 1, CPU: 1, Kind: In}, {At: 2900, Thread: 1, CPU: 1, Kind: Preempted}}}
	since := func(at int64) time.Duration { return time.Duration(at - 1000) }
	got := Trace(r, since)
	require.Equal(t, []run.Thread{
		{PID: 5, TID: 5, Parent: -1, Name: "test", Created: 0, FirstRun: 100, Exited: 7000},
		{PID: 5, TID: 6, Parent: 0, Name: "worker", Created: 1000, FirstRun: 1500, Exited: run.NotSeen},
		{PID: 5, TID: 7, Parent: 0, Name: "test", Created: 2000, FirstRun: run.NotSeen, Exited: run.NotSeen},
	}, got.Threads)
	point := func(at time.Duration, thread int, name string, fields ...string) run.Point {
		return run.Point{At: at, Thread: thread, Source: run.FromSched, Name: name, Fields: fields}
	}
	require.Equal(t, []run.Point{
		point(100, 0, "first_run"), point(200, 0, "exec", "test"), point(1000, 0, "create", "6"), point(1500, 1, "first_run"),
		point(1600, 1, "comm", "worker"), point(2000, 0, "create", "7"), point(7000, 0, "exit"),
	}, got.Points, "coming onto a CPU and leaving it are no points")
	require.Equal(t, int64(2), got.Dropped[run.FromSched])
	require.Equal(t, []run.Span{{Thread: 1, CPU: 1, From: 1500, To: 1900, Preempted: true}}, spans(r, since))
}
