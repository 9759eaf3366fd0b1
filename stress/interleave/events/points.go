package events

import (
	"time"

	"heisen/stress/run"
)

// clock is one moment by Go's clock and by CLOCK_MONOTONIC in nanoseconds.
type clock struct {
	at   time.Time
	mono int64
}

// life is the time from an attempt's start to when its file was read.
type life struct {
	clock clock
	start time.Time
	end   time.Time
}

// since translates an event's time to one since the attempt's start. It is 0 for a time that was not told or
// that is outside the attempt's life and so was read from another clock: the events before it tell more.
func (l life) since(mono int64) time.Duration {
	if mono == noTime {
		return 0
	}
	at := time.Duration(mono - l.clock.mono - int64(l.start.Sub(l.clock.at)))
	if at < 0 || at > l.end.Sub(l.start) {
		return 0
	}
	return at
}

// identity is a thread as its own process names it.
type identity struct{ pid, tid int }

// traceOf makes a trace of events in the order of the file.
func traceOf(events []event, l life) *run.Trace {
	trace := &run.Trace{}
	threads := map[identity]int{}
	latest := time.Duration(0)
	for _, e := range events {
		latest = max(latest, l.since(e.at))
		thread := -1
		if e.pid > 0 && e.tid > 0 {
			thread = threadOf(trace, threads, identity{e.pid, e.tid})
		}
		trace.Points = append(trace.Points, run.Point{At: latest, Thread: thread, Source: run.FromTest, Name: e.name, Fields: e.fields})
	}
	return trace
}

// threadOf is the index of a thread, which is added if it was not there.
func threadOf(trace *run.Trace, known map[identity]int, id identity) int {
	if at, ok := known[id]; ok {
		return at
	}
	at := len(trace.Threads)
	trace.Threads = append(trace.Threads, run.Thread{PID: id.pid, TID: id.tid, Parent: -1,
		Created: run.NotSeen, FirstRun: run.NotSeen, Exited: run.NotSeen})
	known[id] = at
	return at
}
