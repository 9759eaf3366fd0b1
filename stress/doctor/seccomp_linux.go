package doctor

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errFilterIgnored is a filter that was taken and does nothing: some sandboxes pretend.
var errFilterIgnored = errors.New("the filter was accepted but had no effect")

// systemCallStops installs a seccomp filter and sees it work, and asks whether one may stop a system call
// for a tracer (SECCOMP_RET_TRACE, seccomp(2)).
func systemCallStops() Check {
	var err error
	onThrowawayThread(func() { err = tryFilter() })
	if err != nil {
		return Check{State: Missing, Found: "seccomp: " + err.Error(),
			Lost:   "stopping only chosen system calls: a tracer must stop them all, about ten times as dear",
			Remedy: "a kernel with CONFIG_SECCOMP_FILTER=y; in a container a seccomp profile that allows seccomp and prctl"}
	}
	return Check{State: OK, Found: "a filter was installed without privilege and worked; stops for a tracer are offered"}
}

// tryFilter is for a thread that ends afterwards: neither no_new_privs nor a filter can be taken back.
func tryFilter() error {
	action := uint32(unix.SECCOMP_RET_TRACE)
	if err := seccomp(unix.SECCOMP_GET_ACTION_AVAIL, unsafe.Pointer(&action)); err != nil {
		return fmt.Errorf("ask for stops: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	filter := refuse(unix.SYS_GETPRIORITY, unix.EDOM)
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := seccomp(unix.SECCOMP_SET_MODE_FILTER, unsafe.Pointer(&program)); err != nil {
		return fmt.Errorf("install a filter: %w", err)
	}
	if _, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err != unix.EDOM {
		return errFilterIgnored
	}
	return nil
}

// refuse is a filter that lets everything through but one call, which fails with an errno it never has.
func refuse(call uint32, errno unix.Errno) []unix.SockFilter {
	const numberAt = 0 // offset of nr in struct seccomp_data
	return []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: numberAt},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 0, Jf: 1, K: call},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
}

func seccomp(operation int, argument unsafe.Pointer) error {
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, uintptr(operation), 0, uintptr(argument))
	if errno != 0 {
		return errno
	}
	return nil
}

// onThrowawayThread runs f on a thread that ends when f returns, so that what f does to its thread dies
// with it: a thread is the smallest child there is. The main thread cannot end, so where the scheduler
// hands us that one, it is held while another does the work.
func onThrowawayThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the runtime ends the thread with its goroutine
		if unix.Gettid() == unix.Getpid() {
			defer runtime.UnlockOSThread()
			onThrowawayThread(f)
			return
		}
		f()
	}()
	<-done
}
