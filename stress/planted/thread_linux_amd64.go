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

// thread is one that writes down its first moment and ends. It is not one of Go's: Go may wake a thread that is idle
// instead of making one, or make others beside it, and then another wait is measured.
type thread struct {
	stack   *[256]uint64 // a system call needs none, and nothing else is called
	first   *firstMoment
	created unix.Timespec
}

// makeThread makes a thread; join must be called before it is forgotten.
func makeThread() (*thread, error) {
	// A signal that the thread took would be handled by Go, on a thread Go cannot know. It inherits the mask.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^uint64(0)
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before); err != nil {
		return nil, fmt.Errorf("block signals: %w", err)
	}
	t := &thread{stack: new([256]uint64), first: new(firstMoment)}
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t.created)
	tid := clone(threadFlags, unsafe.Pointer(&t.stack[len(t.stack)-2]), t.first)
	if err == nil {
		err = unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)
	}
	switch {
	case tid < 0:
		return nil, fmt.Errorf("make a thread: %w", unix.Errno(-tid))
	case err != nil:
		t.join()
		return nil, fmt.Errorf("make a thread: %w", err)
	}
	return t, nil
}

// begun tells whether the thread has run.
func (t *thread) begun() bool { return t.first.done.Load() != 0 }

// join waits until the thread has run.
func (t *thread) join() {
	for !t.begun() {
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 100_000}, nil)
	}
	runtime.KeepAlive(t.stack)
}

// late is how long after it was made the thread first ran, once it has been joined.
func (t *thread) late() time.Duration {
	return time.Duration(t.first.at.Nano() - t.created.Nano())
}

// newThread makes a thread and tells how long after that it ran.
func newThread() (time.Duration, error) {
	t, err := makeThread()
	if err != nil {
		return 0, err
	}
	t.join()
	return t.late(), nil
}

// pause sleeps in the kernel on this very thread; Go's own sleep parks the goroutine and leaves the thread to others.
func pause(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&left, &left) == unix.EINTR {
	}
}
