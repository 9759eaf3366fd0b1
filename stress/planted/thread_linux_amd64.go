package planted

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// threadFlags are those of pthread_create, without what needs a C library (clone(2)).
const threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_SYSVSEM

// firstMoment is where a thread writes when it first ran: the time, then that it is there.
type firstMoment struct {
	at   unix.Timespec
	done atomic.Uint32
}

// clone makes a thread that writes into first and ends; it returns the thread's number or, below 0, an error's.
// The thread runs a few instructions of clone's own and no Go, which does not know of it.
//
//go:noescape
func clone(flags uintptr, stack unsafe.Pointer, first *firstMoment) (tid int64)

// newThread makes a thread and tells how long after that it ran. It is not one of Go's: Go may wake a thread that
// is idle instead of making one, or make others beside it, and then another wait is measured.
func newThread() (time.Duration, error) {
	// A signal that the thread took would be handled by Go, on a thread Go cannot know. It inherits the mask.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^uint64(0)
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before); err != nil {
		return 0, fmt.Errorf("block signals: %w", err)
	}
	stack := new([256]uint64) // a system call needs none, and nothing else is called
	first := new(firstMoment)
	var created unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &created)
	tid := clone(threadFlags, unsafe.Pointer(&stack[len(stack)-2]), first)
	if err == nil {
		err = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
	}
	if tid < 0 {
		return 0, fmt.Errorf("make a thread: %w", unix.Errno(-tid))
	}
	for first.done.Load() == 0 {
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 100_000}, nil)
	}
	runtime.KeepAlive(stack)
	return time.Duration(first.at.Nano() - created.Nano()), err
}
