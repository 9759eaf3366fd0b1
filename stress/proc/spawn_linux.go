package proc

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// child is one attempt's main process and all that is known about it while it runs.
type child struct {
	attempt run.Attempt
	pid     int
	pidfd   int
	cell    *cell
	out     output
	token   uint64

	followed bool // forked from the followed lane
	started  time.Time
	boot     int64         // when it was about to be started, in nanoseconds since boot
	session  int           // its session and group; guarded by kin's lock, 0 before it is known there
	ended    time.Duration // since started; set before exit is closed
	exit     chan struct{} // closed when the main process has ended (it is a zombie then)
}

// How many lanes serve all attempts that need none of their own, how many Go processors there must be, and how many
// forks may hold one at once: Go's own lock lets forks overlap (syscall/forkpipe2.go).
const (
	lanes       = 2
	leastProcs  = 4
	forksAtOnce = leastProcs - 1
)

// lane is an OS thread that starts processes. The kernel sends a child its parent-death signal when the
// THREAD that forked it dies (prctl(2), PR_SET_PDEATHSIG), so the thread must live as long as the
// Supervisor; and a limit of cgroup v1 is inherited from the thread.
type lane struct {
	requests chan launch
	done     chan struct{}
}

type launch struct {
	c     *child
	inv   invocation
	reply chan error
}

// newLane starts a thread, runs prepare on it once, and gives the error of that.
func newLane(requests chan launch, s *spawner, prepare func() error) (*lane, error) {
	l := &lane{requests: requests, done: make(chan struct{})}
	ready := make(chan error, 1)
	go l.run(s, prepare, ready)
	if err := <-ready; err != nil {
		<-l.done
		return nil, err
	}
	return l, nil
}

func (l *lane) run(s *spawner, prepare func() error, ready chan<- error) {
	runtime.LockOSThread() // and never unlock: the thread ends with this goroutine
	if unix.Gettid() == os.Getpid() {
		// The kernel hands orphans to the main thread (find_alive_thread in kernel/exit.c). Keeping
		// attempts off it keeps its list of children short and free of main processes.
		l.run2(s, prepare, ready)
		return
	}
	defer close(l.done)
	if err := unblockSignals(); err != nil {
		ready <- err
		return
	}
	if err := prepare(); err != nil {
		ready <- err
		return
	}
	ready <- nil
	for r := range l.requests {
		r.reply <- s.start(r.c, r.inv)
	}
}

// run2 moves the lane to another thread: while this goroutine holds the main one, the new goroutine
// cannot get it.
func (l *lane) run2(s *spawner, prepare func() error, ready chan<- error) {
	started := make(chan error, 1)
	go l.run(s, prepare, started)
	err := <-started
	runtime.UnlockOSThread()
	ready <- err
}

// spawner starts processes; its fields are the same for all.
type spawner struct {
	null    int
	session bool
	fork    func(path string, args []string, attr *syscall.ProcAttr) (int, error)
}

// start runs on a lane's thread. Every descriptor it opened is closed again when it fails.
func (s *spawner) start(c *child, inv invocation) error {
	var pipes [4]int // read and write end of stdout, then of stderr
	if err := openPipes(&pipes); err != nil {
		return err
	}
	c.pidfd = -1
	attr := &syscall.ProcAttr{
		Dir: inv.dir, Env: inv.env,
		Files: []uintptr{uintptr(s.null), uintptr(pipes[1]), uintptr(pipes[3])},
		Sys:   &syscall.SysProcAttr{Setsid: s.session, Pdeathsig: syscall.SIGKILL, PidFD: &c.pidfd},
	}
	if c.cell.group != nil {
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, c.cell.group.fd
	}
	c.started = time.Now()
	pid, err := s.fork(inv.path, inv.args, attr)
	closeAll(pipes[1], pipes[3])
	if err != nil {
		closeAll(pipes[0], pipes[2])
		return forkError(err)
	}
	c.pid = pid
	c.out.fds, c.out.open = [2]int{pipes[0], pipes[2]}, 2
	return nil
}

// forkError names the shortage behind an EBADF. Every descriptor given to a fork is open, so that can only be a
// number that the child may not have: Go first moves its status pipe above the highest descriptor given (pass 1 in
// syscall/exec_linux.go), and dup3 says EBADF, not EMFILE, where that is the limit (dup(2)).
func forkError(err error) error {
	if err == syscall.EBADF {
		return syscall.EMFILE
	}
	return err
}

// openPipes opens both output pipes. Only the read ends do not block: O_NONBLOCK is a property of the
// open end, and a test must find an ordinary pipe.
func openPipes(pipes *[4]int) error {
	if err := syscall.Pipe2(pipes[0:2], syscall.O_CLOEXEC); err != nil {
		return err
	}
	if err := syscall.Pipe2(pipes[2:4], syscall.O_CLOEXEC); err != nil {
		closeAll(pipes[0], pipes[1])
		return err
	}
	for _, fd := range []int{pipes[0], pipes[2]} {
		// A fresh pipe has no other status flags that would have to be read first.
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_NONBLOCK); err != nil {
			closeAll(pipes[:]...)
			return err
		}
	}
	return nil
}

func closeAll(fds ...int) {
	for _, fd := range fds {
		_ = syscall.Close(fd)
	}
}

// unblockSignals lets this thread have every signal: a child inherits the thread's mask, and heisen may have
// been started with signals blocked.
func unblockSignals() error {
	var none unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil); err != nil {
		return fmt.Errorf("unblock signals: %w", err)
	}
	return nil
}

// signalsBlocked tells whether this thread has signals blocked: threads and children inherit that.
func signalsBlocked() (bool, error) {
	var mask unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, nil, &mask); err != nil {
		return false, fmt.Errorf("read signal mask: %w", err)
	}
	return mask != unix.Sigset_t{}, nil
}

// bootTime is the time since boot in nanoseconds, the clock of a process's start time (proc_pid_stat(5)).
func bootTime() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return ts.Nano()
}

// errLeftBehind is a process that does not die of SIGKILL.
var errLeftBehind = errors.New("a process does not die of SIGKILL (it waits in the kernel, for a disk or a network file system)")

// reap takes the zombie from the process table. It must be this process's own child, so that its number
// cannot have been given to another one.
func reap(pid int) (syscall.WaitStatus, syscall.Rusage, error) {
	var status syscall.WaitStatus
	var usage syscall.Rusage
	for {
		got, err := syscall.Wait4(pid, &status, syscall.WNOHANG|unix.WALL, &usage)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, usage, fmt.Errorf("reap process %d: %w", pid, err)
		case got == 0:
			return 0, usage, errLeftBehind
		}
		return status, usage, nil
	}
}
