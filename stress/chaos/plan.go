package chaos

import (
	"time"

	"heisen/stress/run"
)

// PlanVersion is raised when a Plan's meaning changes: an old plan must never be replayed as a new one.
const PlanVersion = 1

// Plan is what a tracer is told to do to one attempt. Drawn decisions are a hash of the seed and the
// decision's address, so they do not depend on the order in which threads arrive.
type Plan struct {
	Version int `json:"version"`
	// Strategy names what draws decisions: None, Hold, Starve, Preempt, PCT or AtBreakpoints.
	Strategy string `json:"strategy"`
	Seed     uint64 `json:"seed"`
	// MaxHold bounds one hold, MaxStarve one starve interval.
	MaxHold   time.Duration `json:"max_hold_ns"`
	MaxStarve time.Duration `json:"max_starve_ns"`
	// MaxDelay is how long several holds may keep one thread from running at once, before it has run for as long; 0 for
	// no bound. A replay has none.
	MaxDelay time.Duration `json:"max_delay_ns,omitempty"`
	// Budget is by how much all holds together may lengthen the attempt.
	Budget time.Duration `json:"budget_ns"`
	// Burst is how much of the budget may be spent at once; what was spent comes back with time in which nothing is held,
	// run.BudgetFactor times as fast; a strategy may keep to less. 0 for no such bound. A replay has none.
	Burst time.Duration `json:"burst_ns,omitempty"`
	// Replay says that Decisions, which may be none, are made exactly and that nothing is drawn.
	Replay    bool       `json:"replay,omitempty"`
	Decisions []Decision `json:"decisions,omitempty"`
	// Settings are what a strategy drew for the whole attempt beside its decisions, by names of its own: a
	// switch interval, say. A replay sets them again.
	Settings map[string]string `json:"settings,omitempty"`
	// Program is the executable whose instructions Breakpoints are, without symbolic links; other programs of the attempt
	// have none. TrapsUnblocked says that it handles SIGTRAP and never blocks it, as the Go runtime does.
	Program        string       `json:"program,omitempty"`
	TrapsUnblocked bool         `json:"traps_unblocked,omitempty"`
	Breakpoints    []Breakpoint `json:"breakpoints,omitempty"`
	// InCode has the breakpoints written into the program's code also where there are no more than DebugRegisters: this machine's
	// are of no use. A replay elsewhere has it as it must be there.
	InCode bool `json:"in_code,omitempty"`
	// Stacks, where it is set, has the stacks of all threads taken: as soon as a thread comes to this address while another
	// one is held or, where it is held there itself, just before it goes on. An attempt so disturbed proves nothing.
	Stacks *Address `json:"stacks,omitempty"`
	// MaxPoints and MaxDecisions bound what the report holds of each.
	MaxPoints    int `json:"max_points"`
	MaxDecisions int `json:"max_decisions"`
}

const (
	// DebugRegisters is how many instructions the processor itself can watch (Intel SDM volume 3, 19.2).
	DebugRegisters = 4
	// MostBreakpoints is how many can be watched at once, in the code.
	MostBreakpoints = 32
)

// Breakpoint is an instruction of the program's own at which threads may be held.
type Breakpoint struct {
	// Site is its name: SYMBOL+0xOFFSET, and then (FILE:LINE) where that is known.
	Site string `json:"site"`
	// Offset is where it lies in the program's file.
	Offset uint64 `json:"offset"`
}

// What a tracer can draw decisions by. None traces and holds nothing: what it costs is what tracing costs.
const (
	None    = "none"
	Hold    = "hold"
	Starve  = "starve"
	Preempt = "preempt"
	PCT     = "pct"
	// AtBreakpoints is the strategy that holds threads at Breakpoints.
	AtBreakpoints = "breakpoint"
)

// Address says where in an attempt a thread is, in terms that are the same in every attempt that does the
// same: never a time, a process number or an address in memory.
type Address struct {
	// Thread is the creation path: "0" is the main thread, "0.2" the second thread or process that it
	// created, threads and processes counted together; or AnyThread.
	Thread string `json:"thread"`
	// Kind names the point: futex.wake.exit, clone.exit, thread.start, signal, ...
	Kind string `json:"kind"`
	// Site is the place in the program, and part of the address: in its source, FILE:LINE, where a runtime's hooks
	// know it; in its code, SYMBOL+0xOFFSET (FILE:LINE), at a breakpoint. Sync points have none.
	Site string `json:"site,omitempty"`
	// N counts, from 1, how often the thread was at such a point.
	N int64 `json:"n"`
	// Steps is how many single instructions it ran after that point, 0 for none.
	Steps int64 `json:"steps,omitempty"`
	// CPU is how much CPU time of its own it used after that point: it was stopped at some instruction, which a
	// replay comes near to but cannot name. 0 where the place is exact.
	CPU time.Duration `json:"cpu_ns,omitempty"`
}

// AnyThread is in the place of a thread in the address of a breakpoint of a Go program: goroutines are run by whichever of its threads
// is free, so N counts how often any thread of the process was there.
const AnyThread = run.AnyThread

// AtInstruction is the kind of point that a breakpoint is.
const AtInstruction = run.AtInstruction

// Decision is one deliberate hold of one thread at one address.
type Decision struct {
	Address
	// Hold is how long the thread is kept from running.
	Hold time.Duration `json:"hold_ns"`
}
