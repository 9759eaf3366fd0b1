package tracer

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Probe tries out, on a child of its own, whether threads can be held here. The error says what is in the way and how
// to allow it, in one line.
func Probe() error {
	return onChild(func(t *test) error {
		var info callInfo
		if err := readCall(t.pid, &info); err != nil {
			return fmt.Errorf("hold threads: ask a child for its system call: %w: Linux 5.3 or later is needed", err)
		}
		if _, err := (&loop{}).install(t.pid, firstRules()); err != nil {
			return fmt.Errorf("hold threads: %w: allow seccomp and prctl in the container's seccomp profile", err)
		}
		return nil
	})
}

// onChild looks at a child that is seized and enters its first system call. It ends with that.
func onChild(look func(*test) error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the child is tied to this thread, which ends with it
		t, err := startChild()
		if t != nil {
			defer endChild(t.pid)
		}
		if err == nil {
			err = look(t)
		}
		result <- err
	}()
	return <-result
}

// startChild gives the child also where it could not be brought so far.
func startChild() (*test, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find heisen's own executable: %w", err)
	}
	t := &test{path: self, argv: []string{self, Command}, env: []string{}}
	attr := &syscall.ProcAttr{Env: t.env, Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL, Ptrace: true}}
	if t.pid, err = syscall.ForkExec(t.path, t.argv, attr); err != nil {
		return nil, forbidden("start a child that asks to be traced", err)
	}
	if st, err := waitOne(t.pid); err != nil || st.over() {
		return t, forbidden("stop a child at its exec", syscall.EPERM)
	}
	if err := ptrace(unix.PTRACE_DETACH, t.pid, 0, uintptr(unix.SIGSTOP)); err != nil {
		return t, forbidden("detach from a child", err)
	}
	if err := ptrace(unix.PTRACE_SEIZE, t.pid, 0, options); err != nil {
		return t, forbidden("seize a child (PTRACE_SEIZE)", err)
	}
	return t, t.toFirstCall()
}

func endChild(pid int) {
	_ = syscall.Kill(pid, syscall.SIGKILL)
	for {
		if st, err := waitOne(pid); err != nil || st.over() {
			return
		}
		_ = ptrace(unix.PTRACE_CONT, pid, 0, 0)
	}
}

// ProbeBreakpoints tries out, on a child of its own, whether the processor's debug registers stop a thread. The error says
// why they are of no use here: there are virtual machines where they take what is written to them and never stop anybody.
func ProbeBreakpoints() error {
	return onChild(func(t *test) error {
		if err := t.toSystemCall(); err != nil {
			return err
		}
		var here callInfo
		if err := readCall(t.pid, &here); err != nil {
			return fmt.Errorf("ask a child where it is: %w", err)
		}
		if err := setBreakpoints(t.pid, []uint64{here.ip}, 1); err != nil {
			return fmt.Errorf("set a debug register: %w", err)
		}
		return t.stopsAt(here.ip)
	})
}

// toSystemCall lets the child go on to where it leaves the system call that it is in, or enters the next.
func (t *test) toSystemCall() error {
	in := injection{tid: t.pid}
	return in.toSystemCall()
}

// stopsAt lets the child go on, and tells whether the first thing that stops it is a breakpoint at an instruction.
func (t *test) stopsAt(address uint64) error {
	if err := ptrace(unix.PTRACE_SYSCALL, t.pid, 0, 0); err != nil {
		return fmt.Errorf("let a child go on: %w", err)
	}
	st, err := waitOne(t.pid)
	if err != nil || st.over() {
		return fmt.Errorf("let a child go on: it ended (status %#x)", uint32(st))
	}
	ip, ok := trappedAt(t.pid, trapHWBreakpoint)
	if st.event() != 0 || st.signal() != int(unix.SIGTRAP) || !ok || ip != address {
		return errDeaf
	}
	return nil
}

// errDeaf is a processor that is not what it says it is.
var errDeaf = errors.New("a debug register was set, and the thread ran on past it: this virtual machine does not heed them")

// forbidden says who most likely forbids ptrace and how to allow it.
func forbidden(what string, err error) error {
	how := "allow ptrace: in a container --cap-add SYS_PTRACE, or a seccomp profile that allows ptrace"
	if scope, e := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); e == nil {
		switch strings.TrimSpace(string(scope)) {
		case "2":
			how = "run as root, or sysctl kernel.yama.ptrace_scope=1"
		case "3":
			how = "kernel.yama.ptrace_scope is 3: boot with another value, it cannot be changed"
		}
	}
	return fmt.Errorf("hold threads: %s: %w: %s", what, err, how)
}
