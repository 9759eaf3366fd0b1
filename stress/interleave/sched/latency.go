package sched

import "time"

// StartLatency is the time from a thread's creation to its first moment on a CPU; ok is false where the
// creation was not seen or it has not run. A new thread is runnable at once (wake_up_new_task in
// kernel/sched/core.c), so this is the scheduler's doing alone.
func (t Thread) StartLatency() (latency time.Duration, ok bool) {
	if t.Created == 0 || t.FirstRun == 0 {
		return 0, false
	}
	return time.Duration(max(t.FirstRun-t.Created, 0)), true
}

// NeverRan tells that the thread was created and had not run when the record ended.
func (t Thread) NeverRan() bool {
	return t.Created != 0 && t.FirstRun == 0
}

// RanBy tells whether the thread had run at a time (as Event.At): the question of a late starter.
func (t Thread) RanBy(at int64) bool {
	return t.FirstRun != 0 && t.FirstRun <= at
}

// startOf is a thread's start latency; one that never ran counts with its age at the record's end.
func (r Record) startOf(t Thread) (latency time.Duration, ok bool) {
	if t.NeverRan() {
		return time.Duration(r.Ended - t.Created), true
	}
	return t.StartLatency()
}

// WorstStart is the longest start latency of an attempt's threads, and whose it is. A thread that never
// ran counts with its age at the record's end. The index is -1 where there is no thread.
func WorstStart(r Record) (worst time.Duration, thread int) {
	thread = none
	for i, t := range r.Threads {
		if latency, ok := r.startOf(t); ok && (thread == none || latency > worst) {
			worst, thread = latency, i
		}
	}
	return worst, thread
}

// NeverRan lists the threads that were created and had not run when the record ended.
func NeverRan(r Record) []int {
	var threads []int
	for i, t := range r.Threads {
		if t.NeverRan() {
			threads = append(threads, i)
		}
	}
	return threads
}
