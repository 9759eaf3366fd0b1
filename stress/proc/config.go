package proc

import (
	"errors"
	"time"

	"heisen/stress/run"
)

// CampaignVariable is the environment variable by which a campaign's processes are known, also after the
// heisen that started them died.
const CampaignVariable = "HEISEN_CAMPAIGN"

// ExecCommand is the hidden argument under which the program must call Exec with the arguments after it.
const ExecCommand = "__exec"

// ErrUnsupported is returned where this system cannot supervise processes at all.
var ErrUnsupported = errors.New("process supervision needs Linux 5.4 or newer: run heisen on such a machine")

// How long the steps of an attempt's end may take.
const (
	// leakTolerance is how long a process may outlive the main process before it counts as left behind:
	// a pipeline's members and an exiting helper need a moment.
	leakTolerance = 20 * time.Millisecond
	// drainLimit is how long output is waited for when no process of the attempt is left.
	drainLimit = 250 * time.Millisecond
	// clearLimit is how long a killed tree is waited for. Only a process in an uninterruptible system
	// call takes so long to die.
	clearLimit = 20 * time.Second
	// busyLimit bounds the retries of ETXTBSY: the program is still open for writing in a process that
	// was forked while it was copied, and will be closed by that process's exec.
	busyLimit = 2 * time.Second
)

// Config is what a Supervisor needs to know.
type Config struct {
	// Spec is the campaign's; its Command, TimeoutPolicy, Limits, Keep and Width count here.
	Spec run.Spec
	// Campaign is the campaign's unique id: letters, digits, '-', '_' and '.'.
	Campaign string
	// Environ is what every attempt inherits, NAME=value, usually os.Environ().
	Environ []string
	// Self is the command line that ends in a call of Exec, by default this very program with
	// ExecCommand. It is needed only for a limit on processes without a cgroup.
	Self []string
	// Follow, if set, is called once on the thread that forks the attempts Followed chooses, before the first
	// of them, and once on each thread that a v1 limit or pinning ties to a cell; what it returns is called when
	// the last of the thread's attempts has ended. Where it fails for such a cell, its attempts are not followed.
	Follow func() (release func() error, err error)
	// Followed chooses the attempts; with a nil Follow it is not asked.
	Followed func(a run.Attempt) bool
	// OnStart, if set, is called when an attempt's main process exists, with where it runs. It runs on the
	// attempt's goroutine.
	OnStart func(a run.Attempt, pid int, at Place)
	// OnZombie, if set, is called when an attempt's main process has ended and is not yet reaped: its
	// files under /proc/PID can still be read. It runs on the attempt's goroutine.
	OnZombie func(a run.Attempt, pid int)

	// off switches single mechanisms off, for the tests' negative controls.
	off switches
}

// Place is where an attempt runs. Its folders may serve one attempt after another.
type Place struct {
	// Followed tells that the attempt was forked from the thread of Config.Follow, and Forked is from just
	// before that.
	Followed bool
	Forked   time.Time
	// Group is the folder of the cgroup v2 that holds the attempt and nothing else; "" in tier D.
	Group string
	// CPU is the folder of the cgroup, v2 or v1, that keeps Limits.CPU by a quota: its cpu.stat counts the
	// periods (nr_periods, nr_throttled) and the time throttled (throttled_usec in v2, throttled_time in
	// nanoseconds in v1; Documentation/scheduler/sched-bwc.rst). "" where there is no quota. In v1 a thread of
	// heisen's own is in it too, so its cgroup.procs is not the attempt's.
	CPU string
}

// switches names the mechanisms a negative control can do without.
type switches struct {
	cgroup    bool // stay in tier D
	session   bool // leave the child in heisen's own session and group
	kill      bool // do not kill what is left at the end
	leaks     bool // do not look for what is left
	drain     bool // wait for the end of the output however long it takes
	core      bool // leave RLIMIT_CORE alone
	busy      bool // do not retry ETXTBSY
	attribute bool // do not attribute orphans
	signals   bool // leave inherited ignored signals alone
	quota     bool // keep Limits.CPU by pinning
	kills     bool // leave out the KILL after the graces of DUMP and TERM
	wake      bool // do not wake a test that stopped itself so that it can take a signal
	// round, if set, is called before each round of killing, with the main process's number: for counting.
	round func(pid int)
}

// Capability is one mechanism of the kernel: whether this process may use it, and if not, why and how to
// get it.
type Capability struct {
	Name   string
	OK     bool
	Detail string
	// Remedy is what the user can do; empty where nothing is missing.
	Remedy string
}

// Capabilities is what Probe found.
type Capabilities struct {
	// Tier is how a campaign opened now would be supervised.
	Tier run.Tier
	List []Capability
}
