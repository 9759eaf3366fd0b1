package tracer

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// alarm is the signal that gets the tracer's thread out of wait4(2), which takes no time-out: a real-time signal
// that Go handles (to no effect) and uses for nothing.
const alarm = syscall.Signal(50)

// clock wakes one thread at a chosen time. Polling would cost CPU time, and a SIGCHLD with a descriptor to
// wait on costs three system calls more for every stop.
type clock struct {
	began time.Time
	timer int32
	armed time.Duration // 0 for not
}

// retry is how soon the alarm comes again: one that came between the look at the clock and wait4 wakes nobody.
const retry = 500 * time.Microsecond

// sigevent is struct sigevent (asm-generic/siginfo.h).
type sigevent struct {
	value  uintptr
	signo  int32
	notify int32
	tid    int32
	_      [44]byte
}

const sigevThreadID = 4

// newClock makes the clock of the calling thread, and sees that the alarm and stopped children do not restart and
// do not disturb it.
func newClock() (*clock, error) {
	if err := editAction(alarm, func(a *sigaction) { a.flags &^= saRestart }); err != nil {
		return nil, fmt.Errorf("prepare the tracer's alarm: %w", err)
	}
	if err := editAction(syscall.SIGCHLD, func(a *sigaction) { a.flags |= saNoChildStop }); err != nil {
		return nil, fmt.Errorf("silence SIGCHLD for stops: %w", err)
	}
	c := &clock{began: time.Now()}
	event := sigevent{signo: int32(alarm), notify: sigevThreadID, tid: int32(unix.Gettid())}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&event)),
		uintptr(unsafe.Pointer(&c.timer))); errno != 0 {
		return nil, fmt.Errorf("create the tracer's timer: %w", errno)
	}
	return c, nil
}

// now is the time since the attempt began.
func (c *clock) now() time.Duration { return time.Since(c.began) }

// wakeAt has the thread's next or present wait interrupted at that time; 0 for never.
func (c *clock) wakeAt(at time.Duration) {
	if at == c.armed {
		return
	}
	c.armed = at
	var spec unix.ItimerSpec
	if at != 0 {
		spec.Value = unix.NsecToTimespec(max(int64(at-c.now()), 1))
		spec.Interval = unix.NsecToTimespec(int64(retry))
	}
	_, _, _ = syscall.RawSyscall6(syscall.SYS_TIMER_SETTIME, uintptr(c.timer), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
}

// sigaction is struct sigaction as the kernel has it.
type sigaction struct {
	handler, flags uintptr
	rest           [2]uintptr // amd64: restorer, mask; arm64: mask
}

const (
	saRestart     = 0x10000000
	saNoChildStop = 1
)

// editAction changes what happens at a signal and leaves Go's handler in its place.
func editAction(sig syscall.Signal, edit func(*sigaction)) error {
	var a sigaction
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), 0, uintptr(unsafe.Pointer(&a)), 8, 0, 0); errno != 0 {
		return errno
	}
	edit(&a)
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&a)), 0, 8, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
