package guard

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// thread is a job that works through the calling thread: its goroutine must be locked to it.
type thread struct{}

// Arm raises SIGTSTP at this thread alone while it is blocked there.
func (thread) Arm() {
	set := stopSet()
	unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil)
	unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGTSTP)
}

// Disarm lets a SIGTSTP that still is pending go to the handler.
func (thread) Disarm() {
	set := stopSet()
	unix.PthreadSigmask(unix.SIG_UNBLOCK, &set, nil)
}

// Stop unblocks SIGTSTP with its default action, which does nothing in an orphaned process group, where no
// shell could continue it. signal.Reset is no help here: it leaves the runtime's handler in place
// (runtime.sigdisable), so this speaks to the kernel directly.
func (t thread) Stop() {
	caught := setAction(unix.SIGTSTP, &action{})
	t.Disarm()
	setAction(unix.SIGTSTP, &caught)
}

func (thread) Fence() {
	unix.Kill(unix.Getpid(), fenceSignal)
}

// stopSet is the signal set that holds SIGTSTP alone.
func stopSet() unix.Sigset_t {
	var set unix.Sigset_t
	set.Val[0] = 1 << (uint(unix.SIGTSTP) - 1)
	return set
}

// action is the kernel's struct sigaction on amd64 and arm64: handler, flags, restorer, mask. Zero is the
// default action.
type action [4]uintptr

// ignored is SIG_IGN as action[0].
const ignored = 1

// setAction is rt_sigaction(2); nil only reads. It fails for no valid signal.
func setAction(sig unix.Signal, to *action) (from action) {
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(to)),
		uintptr(unsafe.Pointer(&from)), unsafe.Sizeof(from[3]), 0, 0)
	return from
}

// catch returns the front's signals. What its parent had it ignore stays ignored: SIGHUP under nohup, SIGINT
// in the background of a script, SIGTSTP where there is no job control.
func catch() chan os.Signal {
	// os/signal drops what does not fit, and a dropped fence would hold up every later Ctrl-Z: room for
	// several seconds of a storm while this process gets no CPU.
	signals := make(chan os.Signal, 1<<14)
	signal.Notify(signals, unix.SIGTERM, unix.SIGQUIT, unix.SIGWINCH, unix.SIGCONT, unix.SIGPIPE, fenceSignal)
	for _, sig := range []os.Signal{unix.SIGINT, unix.SIGHUP} {
		if !signal.Ignored(sig) {
			signal.Notify(signals, sig)
		}
	}
	return signals
}

// shielded runs start while SIGTSTP is ignored, so that it cannot stop a child between fork and exec, and
// catches it afterwards.
func shielded(signals chan os.Signal, start func() error) error {
	before := setAction(unix.SIGTSTP, nil)
	signal.Ignore(unix.SIGTSTP)
	err := start()
	if before[0] != ignored {
		signal.Notify(signals, unix.SIGTSTP)
	}
	return err
}

// terminal is the front's controlling terminal; nil where there is none.
type terminal struct{ file *os.File }

func openTerminal() terminal {
	file, err := os.OpenFile("/dev/tty", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return terminal{}
	}
	return terminal{file}
}

// foreground tells whether the terminal's keyboard is this job's.
func (t terminal) foreground() bool {
	if t.file == nil {
		return false
	}
	conn, err := t.file.SyscallConn()
	if err != nil {
		return false
	}
	group, failed := 0, error(nil)
	err = conn.Control(func(fd uintptr) { group, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPGRP) })
	return errors.Join(err, failed) == nil && group == unix.Getpgrp()
}

func (t terminal) close() {
	if t.file != nil {
		t.file.Close()
	}
}
