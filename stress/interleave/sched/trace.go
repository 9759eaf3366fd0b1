package sched

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"heisen/stress/run"
)

// Names of the points a record gives. A thread's last name is in run.Thread.
const (
	// PointCreate is told of the creator; its field is the new thread's tid.
	PointCreate   = "create"
	PointFirstRun = "first_run"
	PointExit     = "exit"
	// PointExec and PointComm have the new name as their field.
	PointExec = "exec"
	PointComm = "comm"
)

// Trace makes of a record who was created by whom, when each first ran and ended. Since turns Event.At into the
// time since the attempt's start. That a thread came onto a CPU or left it is no point: no two attempts
// are alike in that (see Spans).
func Trace(r Record, since func(at int64) time.Duration) *run.Trace {
	t := &run.Trace{Threads: make([]run.Thread, 0, len(r.Threads))}
	seen := func(at int64) time.Duration {
		if at == 0 {
			return run.NotSeen
		}
		return max(since(at), 0) // the fork comes a moment before the start is noted
	}
	for i, th := range r.Threads {
		out := run.Thread{PID: th.PID, TID: th.TID, Parent: th.Parent, Name: th.Name,
			Created: seen(th.Created), FirstRun: seen(th.FirstRun), Exited: seen(th.Exited)}
		t.Threads = append(t.Threads, out)
		t.Points = append(t.Points, pointsOf(i, th, out, seen)...)
	}
	slices.SortStableFunc(t.Points, func(a, b run.Point) int { return cmp.Compare(a.At, b.At) })
	if n := int64(r.ThreadsDropped) + int64(r.Lost); n > 0 {
		t.Dropped = map[run.Source]int64{run.FromSched: n}
	}
	return t
}

func pointsOf(i int, th Thread, out run.Thread, seen func(int64) time.Duration) []run.Point {
	var list []run.Point
	add := func(at time.Duration, thread int, name string, fields ...string) {
		if at != run.NotSeen {
			list = append(list, run.Point{At: at, Thread: thread, Source: run.FromSched, Name: name, Fields: fields})
		}
	}
	if th.Parent != none {
		add(out.Created, th.Parent, PointCreate, strconv.Itoa(th.TID))
	}
	add(out.FirstRun, i, PointFirstRun)
	for _, n := range th.Names {
		name := PointComm
		if n.Exec {
			name = PointExec
		}
		add(seen(n.At), i, name, n.Name)
	}
	add(out.Exited, i, PointExit)
	return list
}

// spans is Spans in the nouns of an attempt.
func spans(r Record, since func(at int64) time.Duration) []run.Span {
	var list []run.Span
	for _, s := range Spans(r) {
		list = append(list, run.Span{Thread: s.Thread, CPU: s.CPU, From: max(since(s.From), 0), To: max(since(s.To), 0),
			Preempted: s.End == Preempted})
	}
	return list
}
