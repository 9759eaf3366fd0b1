// Package guard makes one program two processes that guard each other.
//
// The front is what the user started: it belongs to the terminal and to the shell's job. It starts the
// same program again as the supervisor, in a session of its own, and does nothing but pass on what the
// terminal says (Ctrl-C, Ctrl-Z, fg) and, should the supervisor die, kill every process that one left.
// The supervisor does the work and spawns. No signal of the terminal can reach it, and so none can stop
// one of its children between vfork and exec, where its parent would wait for it for ever.
//
// If the supervisor dies, the front adopts its descendants (it is their subreaper) and kills them. If the
// front dies, the supervisor reads end-of-file on the control socket and is told FrontGone.
package guard

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// ErrNotSupervised is returned by Attach in a process that no front started: it is to be the front.
var ErrNotSupervised = errors.New("not started by a front")

// variable announces the supervisor's end of the control socket: "descriptor:device:inode". The identity
// makes a stale variable harmless in a process that inherited it without the descriptor.
const variable = "HEISEN_GUARD"

// FrontConfig says what the front starts. Only Args must be set.
type FrontConfig struct {
	// Args is the supervisor's argv, Args[0] included: usually os.Args. The program is the front's own.
	Args []string
	// Env is the supervisor's environment; nil means os.Environ().
	Env []string
	// Stdout and Stderr are handed to the supervisor; nil means the front's own. Its standard input is
	// /dev/null.
	Stdout, Stderr *os.File
	// SuspendWait bounds how long a Ctrl-Z waits for the supervisor's acknowledgement; 0 means 2 s.
	SuspendWait time.Duration
	// SweepWait bounds how long the front tries to get rid of what a supervisor left; 0 means 10 s.
	SweepWait time.Duration
}

// Exit is how a supervisor ended.
type Exit struct {
	// Code is its exit code; it counts only where Signal is 0.
	Code int
	// Signal killed it; 0 for a normal end.
	Signal syscall.Signal
	// Killed counts the processes it left behind and the front then killed.
	Killed int
	// Left are those that could not be killed (stuck in the kernel, or another user's); usually empty.
	Left []int
}
