package tracer

import (
	"strconv"
	"time"

	"heisen/stress/chaos"
)

// task is one thread of the test.
type task struct {
	tid  int
	path string // creation path: its address in every attempt
	hash uint64 // of the path
	proc *process
	// children is how many threads and processes it has created.
	children int
	index    int // in the report's threads

	state state
	// call is the system call it is in, and where; valid until its exit.
	call    call
	broken  call // a call that the kernel is going to make again
	seen    [points]int32
	signal  int  // to deliver when it goes on
	stray   bool // an interrupt was asked for and it has not been back in its own code since
	steps   *walk
	pending *order // what to do when it can be stopped
	fuse    *fuse
	held    *held
	delays  debt
	last    visit
	fresh   bool // it has not run yet
	late    bool // it was born into a stopped group and has not run yet
	watched watched
	patched int // at which of the program's patches it stands, from 1; 0 for at none
}

// visit is the last point a thread was at.
type visit struct {
	spot
	call call          // what it was doing, where that was a call
	cpu  time.Duration // its CPU time then, where somebody asked for it
}

// state is where a task is between the tracer and its own code.
type state uint8

const (
	running   state = iota
	unclaimed       // born and stopped, but the parent's event has not come yet
	stopped         // in a ptrace stop, about to be resumed
	holding         // in a ptrace stop, held
	listening       // in a group stop
	dying           // at or past its exit event
)

// call is a system call in progress.
type call struct {
	kind kind
	nr   uint64
	ip   uint64
	sp   uint64
	args [6]uint64
}

// process is what the threads of one process share.
type process struct {
	pid int
	// prelude holds until the image does the first thing that others could see: see onset.go.
	prelude bool
	// full tells that the filter which stops at all sync points is installed.
	full    bool
	refused bool // the full filter was refused
	maps    []mapping
	stepped bool // a thread made single steps
	// instructions are the addresses of the plan's breakpoints in this process, nil where it has none.
	instructions []uint64
	// came counts, for each of them, how often any thread was there while there were others.
	came [chaos.MostBreakpoints]int64
	// patches are what is written at those addresses, nil where breakpoints are in registers.
	patches *patches
}

// order is what was decided for a thread that was not stopped, and the address by which that is told.
type order struct {
	act  act
	from chaos.Address
}

// walk is a thread being single-stepped.
type walk struct {
	from chaos.Address
	left int64
	act  act
	// began is when it did, paid up to when its time is on the account.
	began, paid time.Duration
}

// held is one hold in progress.
type held struct {
	task  *task
	made  int // index into the report's decisions, -1 where they are full
	from  time.Duration
	until time.Duration
	park  bool
	order int // in the heap
}

// childPath is the path of the next child.
func (t *task) childPath() string {
	t.children++
	return t.path + "." + strconv.Itoa(t.children)
}

// fuse is a thread that is to be stopped when it has used some CPU time since a point. CPU time runs no faster than
// time, so its account need not be looked at before the rest could have been used: a fuse costs one look for a
// thread that runs, a few for one that waits, and no hardware counter.
type fuse struct {
	task *task
	from chaos.Address
	act  act
	end  time.Duration // of the thread's CPU time
	due  time.Duration // the next look
	wait time.Duration // between looks at a thread that does not run
}

// watched is what a thread has to do with breakpoints.
type watched struct {
	armed places                       // those that are set
	until [chaos.MostBreakpoints]int64 // how often it is to stop there
	// times is how often it came there while there were others, stops how often in all.
	times, stops [chaos.MostBreakpoints]int64
}

// places is a set of a plan's breakpoints, by their numbers.
type places uint32

func (p places) has(i int) bool       { return p&(1<<i) != 0 }
func (p places) with(i int) places    { return p | 1<<i }
func (p places) without(i int) places { return p &^ (1 << i) }
