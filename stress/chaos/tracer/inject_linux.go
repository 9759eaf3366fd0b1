package tracer

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errGone is a thread that ended, or was killed, in the middle of what was done to it. That is normal: the loop
// learns how.
var errGone = errors.New("the thread is gone")

// injection is a thread, stopped as it enters a system call, that is made to run others first. Signals wait
// outside meanwhile: their handlers must find the registers of the test.
type injection struct {
	tid    int
	saved  registers
	mask   uint64
	first  bool // the call being entered has not been replaced yet
	paused bool // a SIGSTOP, which cannot be blocked, or a group stop came meanwhile
	final  status
}

func (l *loop) beginInjection(tid int) (*injection, error) {
	in := &injection{tid: tid, first: true}
	var err error
	if in.mask, err = readMask(tid); err != nil {
		return nil, goneOr(err)
	}
	if in.saved, err = readRegisters(tid); err != nil {
		return nil, goneOr(err)
	}
	return in, goneOr(writeMask(tid, ^uint64(0)))
}

func goneOr(err error) error {
	if err == syscall.ESRCH {
		return errGone
	}
	return err
}

// call runs one system call in the thread and gives its result: a negative errno where it failed.
func (in *injection) call(nr uintptr, args ...uint64) (int64, error) {
	var six [6]uint64
	copy(six[:], args)
	if in.first {
		in.first = false
		if err := in.saved.replace(in.tid, uint64(nr), six); err != nil {
			return 0, goneOr(err)
		}
	} else {
		if err := in.saved.again(in.tid, uint64(nr), six); err != nil {
			return 0, goneOr(err)
		}
		if err := in.toSystemCall(); err != nil {
			return 0, err
		}
	}
	if err := in.toSystemCall(); err != nil {
		return 0, err
	}
	r, err := readRegisters(in.tid)
	return r.result(), goneOr(err)
}

// skip leaves the call that is being entered undone.
func (in *injection) skip() error {
	in.first = false
	if err := in.saved.refuse(in.tid); err != nil {
		return goneOr(err)
	}
	return in.toSystemCall()
}

// toSystemCall lets the thread run to the next entry or exit of a system call.
func (in *injection) toSystemCall() error {
	for {
		if err := ptrace(unix.PTRACE_SYSCALL, in.tid, 0, 0); err != nil {
			return goneOr(err)
		}
		st, err := waitOne(in.tid)
		if err != nil {
			return err
		}
		switch {
		case st.systemCall():
			return nil
		case st.over() || st.event() == unix.PTRACE_EVENT_EXIT:
			in.final = st
			return errGone
		case st.event() == 0 && st.signal() == int(unix.SIGSTOP):
			in.paused = true
		case st.event() == unix.PTRACE_EVENT_STOP:
			in.paused = stopSignal(st.signal()) // else the group goes on
		}
	}
}

// end has the thread make its own call once more, from the instruction before it.
func (in *injection) end() error {
	if err := in.saved.again(in.tid, in.saved.number(), in.saved.arguments()); err != nil {
		return goneOr(err)
	}
	if err := writeMask(in.tid, in.mask); err != nil {
		return goneOr(err)
	}
	if in.paused {
		_, _, _ = syscall.RawSyscall(syscall.SYS_TKILL, uintptr(in.tid), uintptr(unix.SIGSTOP), 0)
	}
	return nil
}

// waitOne waits for one thread; interrupted by a signal it waits on.
func waitOne(tid int) (status, error) {
	for {
		got, st, err := waitFor(tid, nil)
		if err != nil {
			return 0, errGone
		}
		if got == tid {
			return st, nil
		}
	}
}

// install gives the thread a seccomp filter before the call that it is entering.
func (l *loop) install(tid int, rules []rule) (final status, err error) {
	in, err := l.beginInjection(tid)
	if err != nil {
		return 0, err
	}
	if err = in.filter(program(rules)); err == nil {
		err = in.end()
	}
	if t := l.tasks[tid]; t != nil {
		t.stray = false
	}
	return in.final, err
}

// errRefused is a filter that the kernel did not take.
var errRefused = errors.New("the kernel refused a seccomp filter")

func (in *injection) filter(code []unix.SockFilter) error {
	size := uint64(len(code)) * uint64(unsafe.Sizeof(code[0]))
	const head = uint64(unsafe.Sizeof(unix.SockFprog{}))
	room, err := in.call(unix.SYS_MMAP, 0, head+size, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uint64(0), 0)
	if err != nil {
		return err
	}
	if room < 0 && room > -4096 {
		return errors.Join(fmt.Errorf("%w: no memory for it: %w", errRefused, syscall.Errno(-room)), in.end())
	}
	at := uint64(room)
	header := [2]uint64{uint64(len(code)), at + head}
	if err := poke(in.tid, at, header[:], code); err != nil {
		return err
	}
	got, err := in.call(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, at)
	if err == nil && got == -int64(unix.EACCES) {
		// Without CAP_SYS_ADMIN a filter is taken only from those who can gain no privileges (seccomp(2)). Under a
		// tracer without privileges an exec gains none anyhow.
		if _, err = in.call(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err == nil {
			got, err = in.call(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, at)
		}
	}
	if err != nil {
		return err
	}
	if _, err := in.call(unix.SYS_MUNMAP, at, head+size); err != nil {
		return err
	}
	if got != 0 {
		return errors.Join(fmt.Errorf("%w: %w", errRefused, syscall.Errno(-got)), in.end())
	}
	return nil
}

// poke writes the header and the program into the thread's memory.
func poke(tid int, at uint64, header []uint64, code []unix.SockFilter) error {
	size := len(header)*8 + len(code)*int(unsafe.Sizeof(code[0]))
	local := []unix.Iovec{
		{Base: (*byte)(unsafe.Pointer(&header[0])), Len: uint64(len(header) * 8)},
		{Base: (*byte)(unsafe.Pointer(&code[0])), Len: uint64(size - len(header)*8)},
	}
	n, err := unix.ProcessVMWritev(tid, local, []unix.RemoteIovec{{Base: uintptr(at), Len: size}}, 0)
	if err != nil || n != size {
		return fmt.Errorf("write a filter into the test: %d of %d bytes: %w", n, size, err)
	}
	return nil
}
