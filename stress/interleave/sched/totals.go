package sched

import "time"

// Totals are an attempt's figures, all threads together. They hold also where events were dropped.
type Totals struct {
	CPUTime     time.Duration
	Runs        int
	Sleeps      int
	Preemptions int
	Migrations  int
	// LongestStall is the longest time any thread stood preempted; Stalled is which, -1 for none.
	LongestStall time.Duration
	Stalled      int
	Processes    int
	Gaps         int
}

// Switches is how many times a thread left a CPU, its end not counted. It is what getrusage(2) calls
// voluntary (Sleeps) and involuntary (Preemptions) context switches.
func (t Totals) Switches() int { return t.Sleeps + t.Preemptions }

// Sum adds up the figures of an attempt's threads.
func Sum(r Record) Totals {
	sum := Totals{Stalled: none}
	processes := map[int]bool{}
	for i, t := range r.Threads {
		sum.CPUTime += t.CPUTime
		sum.Runs += t.Runs
		sum.Sleeps += t.Sleeps
		sum.Preemptions += t.Preemptions
		sum.Migrations += t.Migrations
		sum.Gaps += t.Gaps
		if t.LongestStall > sum.LongestStall {
			sum.LongestStall, sum.Stalled = t.LongestStall, i
		}
		processes[t.PID] = true
	}
	sum.Processes = len(processes)
	return sum
}
