package chaos

import (
	"time"

	"heisen/stress/run"
)

// Report is what a tracer tells when its attempt is over. Without one the attempt says nothing about the
// test: the tracer died.
type Report struct {
	Version int `json:"version"`
	// Unfinished marks what was written when the test was first asked to stop: it counts only if the whole report
	// could not follow, the tracer having been killed with the test. Status is 0 then, Usage what /proc told.
	Unfinished bool `json:"unfinished,omitempty"`
	// Status is how the test's main process ended, as wait4(2) gives it; the tracer's own exit means nothing.
	Status uint32 `json:"status"`
	// Usage is the test's alone.
	Usage run.Usage `json:"usage"`
	// NotRun tells that the test was never executed: StartErrno is what execve(2) said, 0 where Fault tells more.
	NotRun     bool `json:"not_run,omitempty"`
	StartErrno int  `json:"start_errno,omitempty"`
	// Unsupported says why nothing could be held, or no more from some moment on; the test ran on untraced.
	Unsupported string `json:"unsupported,omitempty"`
	// Spoiled says what could not be done without the tracer's changing the test, which traces processes itself,
	// or executes a setuid program: the outcome says nothing, and this test is not to be traced again.
	Spoiled string `json:"spoiled,omitempty"`
	// Notes are what was changed for the test's sake, in words for the user: LeakSanitizer switched off.
	Notes []string `json:"notes,omitempty"`
	// Fault says what the tracer itself did wrong: the attempt does not count.
	Fault string `json:"fault,omitempty"`
	// Drawn says what the strategy drew for the whole attempt, in words: which kinds, how likely, how long.
	Drawn string `json:"drawn,omitempty"`
	// Chaos counts what was done.
	Chaos run.Chaos `json:"chaos"`
	// Steps is how many single instructions were stepped over.
	Steps int64 `json:"steps,omitempty"`
	// Made are the decisions that were really made, in the order of time, at most Plan.MaxDecisions.
	Made []Made `json:"made,omitempty"`
	// Threads and Points are the sync points that were seen, at most Plan.MaxPoints; the rest are counted.
	// Times are since the attempt's start by CLOCK_MONOTONIC, given in Began.
	Threads []run.Thread `json:"threads,omitempty"`
	Points  []run.Point  `json:"points,omitempty"`
	Dropped int64        `json:"dropped,omitempty"`
	// Began is the reading of CLOCK_MONOTONIC, in nanoseconds, that all times are counted from.
	Began int64 `json:"began_ns"`
	// Ended is when the test's main process was over; the tracer itself may last a little longer.
	Ended time.Duration `json:"ended_ns"`
	// Reached tells of each of Plan.Breakpoints, in their order, how often threads came to it while there were others, and
	// how many threads did.
	Reached []Reached `json:"reached,omitempty"`
	// Stacks are what Plan.Stacks asked for, at most MostStacks of MostFrames frames each, the innermost first; NoStacks
	// says why there are none. Asked tells that the program was signalled to print its own: they are in its output.
	Stacks   []Stack `json:"stacks,omitempty"`
	NoStacks string  `json:"no_stacks,omitempty"`
	Asked    bool    `json:"asked,omitempty"`
	// Lengthened is by how much the holds made the attempt longer at the most: time in which at least one
	// thread was held.
	Lengthened time.Duration `json:"lengthened_ns"`
	// Tracing is how long the tracer's thread ran or was ready to run: no stopped thread can have waited longer for it, holds
	// apart.
	Tracing time.Duration `json:"tracing_ns"`
}

// Reached is how often threads came to a breakpoint, and how many threads that were.
type Reached struct {
	Times   int64 `json:"times"`
	Threads int   `json:"threads"`
}

// Bounds of the stacks in a report.
const (
	MostStacks = 64
	MostFrames = 40
)

// Stack is where one thread was.
type Stack struct {
	// Thread is its creation path, "" where that is not known; Name is the program's for it.
	Thread string `json:"thread,omitempty"`
	Name   string `json:"name,omitempty"`
	// Held tells that it was held at that moment.
	Held bool `json:"held,omitempty"`
	// Frames say FUNCTION at FILE:LINE, as far as each is known, the innermost first.
	Frames []string `json:"frames"`
}

// Made is a decision that was made, with what the thread was about.
type Made struct {
	Decision
	// At is when the hold began, Held how long it really lasted.
	At   time.Duration `json:"at_ns"`
	Held time.Duration `json:"held_ns"`
	// CutOff says that the thread was still held when its process ended. What failed the test may have taken all of the
	// hold, so that a replay holds for as long as was drawn.
	CutOff bool `json:"cut_off,omitempty"`
	// TID and Name are the thread's in this attempt; Call says what it was doing, with the arguments that
	// matter; PC is the instruction, as FILE+OFFSET where the mapping is known.
	TID  int    `json:"tid"`
	Name string `json:"name,omitempty"`
	Call string `json:"call,omitempty"`
	PC   string `json:"pc,omitempty"`
	// Meanwhile is how many points each other thread passed during the hold, by creation path.
	Meanwhile map[string]int64 `json:"meanwhile,omitempty"`
}
