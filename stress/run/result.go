package run

import (
	"slices"
	"time"
)

// Ending is what became of an attempt's processes: facts, before any judgement.
type Ending struct {
	// StartError says why the command could not be started; nothing ran then.
	StartError error
	// Machine names the machine's own fault that kept the attempt from being started, in words for the
	// user: "out of file descriptors (limit 64)"; nothing ran then. It is empty where something ran.
	Machine string
	// Harness says what heisen itself did wrong or could not finish; empty where it did its work.
	Harness string
	// Code is the exit code of the main process; it counts only where Signal is 0.
	Code int
	// Signal is the number of the signal that ended the main process, 0 for a normal exit.
	Signal int
	// SignalName is that signal as people write it (SIGSEGV).
	SignalName string
	// CoreDumped is the kernel's word that a core was written.
	CoreDumped bool
	// TimedOut tells that heisen stopped the attempt because its time was up.
	TimedOut bool
	// Stopped tells that heisen stopped the attempt because it was ordered to (Orders.Stop).
	Stopped bool
	// Suspended is how long the attempt stood paused by heisen.
	Suspended time.Duration
	// StopTook is the time from heisen's first signal to the end of the main process; 0 where heisen did
	// not stop it.
	StopTook time.Duration
	// OOMKills is how many of the attempt's processes the kernel killed for memory, as its cgroup or the
	// kernel counts them.
	OOMKills int
}

// Usage is what an attempt took, from the kernel's accounting of its reaped main process and the
// children that one waited for (getrusage(2)).
type Usage struct {
	User   time.Duration
	System time.Duration
	// MaxRSS is the largest resident set of any one of its processes, in bytes.
	MaxRSS int64
	// MinorFaults and MajorFaults count page faults without and with a disk read, Voluntary and
	// Involuntary the context switches.
	MinorFaults, MajorFaults int64
	Voluntary, Involuntary   int64
}

// Leak is a process that was still there when the attempt's main process had ended.
type Leak struct {
	PID     int    `json:"pid"`
	Command string `json:"command"`
}

// Strays are processes that attempts left behind and nobody can tell whose they were: several attempts were
// running when they were started, and nothing of their origin was left in them. They were killed.
type Strays struct {
	Count int64 `json:"count"`
	// Last is one of them.
	Last Leak `json:"last"`
}

// Evidence is what an attempt left to be read.
type Evidence struct {
	Output Output
	// DumpAt is the number of output bytes that had come when the dump signal was sent: what comes after
	// is the stack dump. It is -1 where none was asked for.
	DumpAt int64
	// Leaks are the processes that were left and killed.
	Leaks []Leak
	// HeldOpen tells that some process outside the attempt's reach kept its output open.
	HeldOpen bool
	// Signals are the attempt's measurements; NotCollected maps what is not among them to why.
	Signals      Signals
	NotCollected map[string]string
	// Trace is the order of things, nil where nothing was recorded; Variant names its canonical form.
	Trace   *Trace
	Variant string
	// Spans lists when each thread of Trace was on which CPU, in the order of their ends; nil where that was
	// not recorded. It is a function because few attempts' are ever looked at.
	Spans func() []Span
	// Chaos is what was done to the schedule on purpose, nil for a plain attempt; Plan is all that is needed
	// to do it again, as JSON.
	Chaos *Chaos
	Plan  []byte
}

// NoVariant is the key of Evidence.NotCollected that says why an attempt's interleaving is not known.
const NoVariant = "interleaving"

// Result is all a runner reports of one attempt. When a runner returns it, no process of the attempt is
// left and its output is closed.
type Result struct {
	Started time.Time
	// Wall is the time from start to end of the main process, what it stood paused not counted.
	Wall     time.Duration
	Ending   Ending
	Usage    Usage
	Evidence Evidence
}

// Leaked is the bit beside the outcome: processes or open pipes were left behind.
func (r *Result) Leaked() bool {
	return len(r.Evidence.Leaks) > 0 || r.Evidence.HeldOpen
}

// AtLeast names, in order, the signals that are lower bounds: those with a figure and a reason why it is not exact.
func (e *Evidence) AtLeast() []string {
	var names []string
	for name := range e.NotCollected {
		if _, have := e.Signals[name]; have {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
