package tracer

import (
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
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the child is tied to this thread, which ends with it
		result <- probe()
	}()
	return <-result
}

func probe() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find heisen's own executable: %w", err)
	}
	t := &test{path: self, argv: []string{self, Command}, env: []string{}}
	attr := &syscall.ProcAttr{Env: t.env, Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL, Ptrace: true}}
	pid, err := syscall.ForkExec(t.path, t.argv, attr)
	if err != nil {
		return forbidden("start a child that asks to be traced", err)
	}
	defer func() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		for {
			if st, err := waitOne(pid); err != nil || st.over() {
				return
			}
			_ = ptrace(unix.PTRACE_CONT, pid, 0, 0)
		}
	}()
	t.pid = pid
	if st, err := waitOne(pid); err != nil || st.over() {
		return forbidden("stop a child at its exec", syscall.EPERM)
	}
	if err := ptrace(unix.PTRACE_DETACH, pid, 0, uintptr(unix.SIGSTOP)); err != nil {
		return forbidden("detach from a child", err)
	}
	if err := ptrace(unix.PTRACE_SEIZE, pid, 0, options); err != nil {
		return forbidden("seize a child (PTRACE_SEIZE)", err)
	}
	if err := t.toFirstCall(); err != nil {
		return err
	}
	var info callInfo
	if err := readCall(pid, &info); err != nil {
		return fmt.Errorf("hold threads: ask a child for its system call: %w: Linux 5.3 or later is needed", err)
	}
	if _, err := (&loop{}).install(pid, firstRules()); err != nil {
		return fmt.Errorf("hold threads: %w: allow seccomp and prctl in the container's seccomp profile", err)
	}
	return nil
}

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
