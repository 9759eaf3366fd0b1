package sched

import "time"

// Kind is what happened to a thread.
type Kind uint8

// The kinds of events.
const (
	// Created: the thread was made by its parent; it has not run yet.
	Created Kind = iota + 1
	// In: the thread begins to run on the CPU.
	In
	// Out: the thread leaves the CPU to sleep.
	Out
	// Preempted: the thread leaves the CPU although it could run on, also by sched_yield(2).
	Preempted
	// Exited: the thread ends.
	Exited
	// Named: the thread has another name, see Thread.Names.
	Named
)

// String names the kind in lower case.
func (k Kind) String() string {
	names := [...]string{Created: "created", In: "in", Out: "out", Preempted: "preempted", Exited: "exited", Named: "named"}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return "unknown"
}

// Event is one thing that happened to one thread.
type Event struct {
	// At is in nanoseconds of CLOCK_MONOTONIC, the clock below Go's monotonic time; Recorder.Time
	// translates it.
	At int64
	// Thread is an index of Record.Threads.
	Thread int32
	// CPU is where it happened. For Created that is the parent's CPU.
	CPU  int16
	Kind Kind
}

// Record is what was recorded of one attempt.
type Record struct {
	// Key is what Attach was given.
	Key int64
	// Threads are in the order of their creation; the first is the main process's main thread.
	Threads []Thread
	// Events are in the order of their times.
	Events []Event
	// Dropped counts events that were not kept, for want of room. They are missing before Events[Gap];
	// what Threads say includes them.
	Dropped int
	Gap     int
	// ThreadsDropped counts threads beyond Config.MaxThreads, about which nothing is known.
	ThreadsDropped int
	// Lost counts records that the kernel could not write while this attempt was recorded. They can have
	// been any attempt's: it is the most this one can have lost.
	Lost uint64
	// Began is when recording began (the fork of the main process), Ended when it was finished, as
	// Event.At.
	Began, Ended int64
}

// Thread is what is known of one thread of an attempt.
type Thread struct {
	PID, TID int
	// Parent is the index of the thread that made it; -1 for the first, and where that was lost.
	Parent int
	// Name is its last name, Names all of them with their times (at most maxNames).
	Name  string
	Names []Naming
	// Created, FirstRun and Exited are times as Event.At; 0 where it was not seen.
	Created, FirstRun, Exited int64
	// CPUTime is the time it was on a CPU, interrupts and a hypervisor's stolen time included.
	CPUTime time.Duration
	// Runs is how many times it came onto a CPU; Sleeps and Preemptions how it left again.
	Runs, Sleeps, Preemptions int
	// Migrations is how many times it came onto another CPU than the one it had left.
	Migrations int
	// Stalled is the time from its preemptions to the next times it ran, all together.
	Stalled time.Duration
	// LongestStall is the longest time from a preemption to the next time it ran; StallAt when that began.
	// A stall that had not ended when the record ended counts up to then.
	LongestStall time.Duration
	StallAt      int64
	// Gaps is how many times the records contradict one another because some were lost.
	Gaps int
}

// Naming is a name given to a thread, by itself or, if Exec, by executing a program.
type Naming struct {
	At   int64
	Name string
	Exec bool
}

// maxNames bounds Thread.Names: a program can rename its threads for ever.
const maxNames = 8
