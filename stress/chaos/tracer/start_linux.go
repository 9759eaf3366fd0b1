package tracer

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"heisen/stress/chaos"
)

// errExecute is the test's own fault: its file cannot be executed.
var errExecute = errors.New("execute the test")

// test is the command to trace.
type test struct {
	path string
	argv []string
	env  []string
	pid  int

	report string // the file of the report
}

// fork starts the test as the main process of an attempt is started: in a session of its own, so that it is in an
// orphaned process group as without a tracer (setpgid(2): such a group is not stopped by SIGTSTP), and to die
// with the thread that made it.
func (t *test) fork(traced bool) error {
	attr := &syscall.ProcAttr{Env: t.env, Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL, Ptrace: traced}}
	pid, err := syscall.ForkExec(t.path, t.argv, attr)
	if err != nil {
		return fmt.Errorf("%w: %w", errExecute, err)
	}
	t.pid = pid
	return nil
}

// start executes the test and seizes it before its first instruction. why tells that it runs on untraced.
//
// A child can be seized only by its number, that is when it runs; one that asked to be traced (PTRACE_TRACEME)
// stands at its exec, but without what comes with PTRACE_SEIZE. So it is detached from there into a stop, seized
// in that, and continued.
func (t *test) start(l *loop) (why string, err error) {
	if err := t.fork(true); err != nil {
		return "", err
	}
	l.root = t.pid
	if st, err := waitOne(t.pid); err != nil || st.over() {
		return "", fmt.Errorf("stop the test at its exec: it ended first (status %#x)", uint32(st))
	}
	if err := ptrace(unix.PTRACE_DETACH, t.pid, 0, uintptr(unix.SIGSTOP)); err != nil {
		return "", fmt.Errorf("let the test go to seize it: %w", err)
	}
	if err := ptrace(unix.PTRACE_SEIZE, t.pid, 0, options); err != nil {
		_ = syscall.Kill(t.pid, syscall.SIGCONT)
		return "ptrace is not allowed: " + err.Error(), nil
	}
	if err := t.toFirstCall(); err != nil {
		return "", err
	}
	if readCall(t.pid, &l.info) != nil || l.info.arch != auditArch {
		return t.release("it is a program of another architecture")
	}
	l.filters = filtersOf(os.Getpid()) + 1
	if final, err := l.install(t.pid, firstRules()); errors.Is(err, errRefused) {
		return t.release(err.Error())
	} else if err != nil {
		return "", fmt.Errorf("prepare the test (status %#x): %w", uint32(final), err)
	}
	root := &task{tid: t.pid, path: "0", hash: hashOf("0"), proc: &process{pid: t.pid, prelude: true}}
	l.tasks[t.pid] = root
	l.adopt(root, -1)
	l.ticks = l.strategy.tick(l.clock.now())
	l.proceed(root)
	l.arm()
	return "", nil
}

// toFirstCall takes the seized test out of its stop to the entry of its first system call.
func (t *test) toFirstCall() error {
	if err := syscall.Kill(t.pid, syscall.SIGCONT); err != nil {
		return fmt.Errorf("continue the test: %w", err)
	}
	for {
		st, err := waitOne(t.pid)
		switch {
		case err != nil || st.over():
			return fmt.Errorf("start the test: it ended before its first system call (status %#x)", uint32(st))
		case st.systemCall():
			return nil
		}
		pass := 0
		if st.event() == 0 && st.signal() != int(unix.SIGCONT) {
			pass = st.signal() // somebody else's
		}
		if err := ptrace(unix.PTRACE_SYSCALL, t.pid, 0, uintptr(pass)); err != nil {
			return fmt.Errorf("start the test: %w", err)
		}
	}
}

// release lets the test run on without a tracer.
func (t *test) release(why string) (string, error) {
	if err := ptrace(unix.PTRACE_DETACH, t.pid, 0, 0); err != nil {
		return "", fmt.Errorf("let the test run untraced: %w", err)
	}
	return why, nil
}

// plain runs the test untraced.
func (t *test) plain(r *chaos.Report, f *forwarder) *chaos.Report {
	if err := t.fork(false); err != nil {
		r.NotRun = true
		var errno syscall.Errno
		if errors.As(err, &errno) {
			r.StartErrno = int(errno)
			return r
		}
		return fail(r, err)
	}
	return t.wait(r, f)
}

// wait waits for an untraced test.
func (t *test) wait(r *chaos.Report, f *forwarder) *chaos.Report {
	early := *r
	early.Unfinished = true
	f.untraced(t.pid, func() {
		early.Usage = usageSoFar(t.pid)
		_ = writeReport(t.report, &early)
	})
	for {
		var usage syscall.Rusage
		tid, st, err := waitFor(t.pid, &usage)
		if err != nil {
			return fail(r, fmt.Errorf("wait for the test: %w", err))
		}
		if tid == t.pid && st.over() {
			r.Status, r.Usage = uint32(st), usageOf(&usage)
			return r
		}
	}
}

// untraceable says why a program cannot be traced from its start; "" where it can.
func untraceable(path string) string {
	if setuidFile(path) {
		return "it is a setuid program, which has no more rights under a tracer than who runs it: run heisen as root to trace it"
	}
	return ""
}

// kill ends a traced test whose outcome nobody wants, and all it started.
func (l *loop) kill() {
	_ = syscall.Kill(l.root, syscall.SIGKILL)
	for {
		tid, st, err := waitFor(-1, nil)
		if err != nil {
			return
		}
		if tid != 0 && !st.over() {
			_ = syscall.Kill(tid, syscall.SIGKILL)
			_ = ptrace(unix.PTRACE_CONT, tid, 0, 0)
		}
	}
}
