package doctor

import (
	"errors"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// noProgram is a path that can never be executed (self's own folder has no such entry): a child that gets
// as far as executing it has done all the kernel was asked to do before, and dies of ENOENT.
const noProgram = "/proc/self/heisen-no-such-program"

// forkOnly forks a child as told, lets it fail to execute and has syscall reap it. It returns nil where
// everything before the execution worked.
func forkOnly(attr *syscall.SysProcAttr) error {
	_, err := syscall.ForkExec(noProgram, []string{"heisen"}, &syscall.ProcAttr{Sys: attr})
	if errors.Is(err, syscall.ENOENT) {
		return nil
	}
	return err
}

// namespaces forks a child into a user and a pid namespace of its own (user_namespaces(7)).
func namespaces() Check {
	err := forkOnly(&syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: unix.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: unix.Getgid(), Size: 1}},
	})
	if err != nil {
		return Check{State: Missing, Found: "user and pid namespaces: " + err.Error(),
			Lost:   "the tier that supervises without root through namespaces: a pid namespace dies as a whole",
			Remedy: "sysctl user.max_user_namespaces=10000, kernel.unprivileged_userns_clone=1 (Debian) or kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu); in a container a seccomp profile that allows clone with namespaces"}
	}
	return Check{State: OK, Found: "user and pid namespaces can be made"}
}

// tracing stops a child at its execution and then seizes it, as the tracer does. Yama's ptrace_scope 1
// still allows a parent its child; 2 wants CAP_SYS_PTRACE and 3 forbids all (Documentation/admin-guide/LSM/Yama.rst).
func tracing(r root) Check {
	scope, err := r.read("proc/sys/kernel/yama/ptrace_scope")
	if err != nil {
		scope = "absent"
	}
	if err := traceChild(); err != nil {
		return Check{State: Missing, Found: "ptrace: " + err.Error() + " (yama ptrace_scope " + scope + ")",
			Lost:   "chaos by holding threads at sync points, and stack dumps of programs that make none",
			Remedy: "sysctl kernel.yama.ptrace_scope=1, as root; in a container a seccomp profile that allows ptrace, or --cap-add SYS_PTRACE"}
	}
	return Check{State: OK, Found: "a child was traced and seized; yama ptrace_scope " + scope}
}

// traceChild has a child ask to be traced, which stops it before the first instruction of its program,
// lets go of it in a stop and seizes it again. The child is killed and reaped whatever happens. All
// requests must come from one thread (ptrace(2)).
func traceChild() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"heisen"}, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL, Setpgid: true},
	})
	if err != nil {
		return err
	}
	defer bury(pid)
	if _, err := wait(pid, unix.WALL); err != nil {
		return err
	}
	// SIGSTOP in place of the trap: the child stays stopped while nobody traces it.
	if _, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_DETACH, uintptr(pid), 0, uintptr(unix.SIGSTOP), 0, 0); errno != 0 {
		return errno
	}
	return unix.PtraceSeize(pid)
}

// bury kills a child and reaps it; a child that is stopped or traced dies of SIGKILL all the same.
func bury(pid int) {
	_ = unix.Kill(pid, unix.SIGKILL)
	for {
		status, err := wait(pid, unix.WALL)
		if err != nil || status.Exited() || status.Signaled() {
			return
		}
	}
}

func wait(pid, options int) (unix.WaitStatus, error) {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &status, options, nil)
		if err != unix.EINTR {
			return status, err
		}
	}
}
