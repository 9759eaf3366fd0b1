package tracer

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ptrace is the bare request (ptrace(2)). None of those used here blocks, so the Go scheduler need not know.
func ptrace(request, tid int, addr, data uintptr) error {
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// ptraceInto is a request that reads or writes the tracer's memory.
func ptraceInto(request, tid int, addr uintptr, data unsafe.Pointer) error {
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, uintptr(request), uintptr(tid), addr, uintptr(data), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// options are those of every tracee, inherited by what it creates.
const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACECLONE |
	unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACEEXIT | unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_TRACEVFORKDONE |
	unix.PTRACE_O_EXITKILL

// callInfo is struct ptrace_syscall_info (linux/ptrace.h, Linux 5.3): the same on every architecture.
type callInfo struct {
	op   uint8
	_    [3]uint8
	arch uint32
	ip   uint64
	sp   uint64
	// entry and seccomp: number, six arguments, and for seccomp the filter's data; exit: result, is_error.
	words [8]uint64
}

func (c *callInfo) number() uint64 { return c.words[0] }
func (c *callInfo) data() uint32   { return uint32(c.words[7]) }
func (c *callInfo) result() int64  { return int64(c.words[0]) }

func (c *callInfo) call(k kind) call {
	return call{kind: k, nr: c.words[0], ip: c.ip, sp: c.sp, args: [6]uint64(c.words[1:7])}
}

func readCall(tid int, into *callInfo) error {
	return ptraceInto(unix.PTRACE_GET_SYSCALL_INFO, tid, unsafe.Sizeof(*into), unsafe.Pointer(into))
}

func eventMessage(tid int) (int, error) {
	var message uintptr
	err := ptraceInto(unix.PTRACE_GETEVENTMSG, tid, 0, unsafe.Pointer(&message))
	return int(message), err
}

// signalInfo is the head of siginfo_t and room for the rest.
type signalInfo struct {
	signo, errno, code int32
	_                  int32
	pid                int32
	rest               [108]byte
}

func readSignal(tid int, into *signalInfo) error {
	return ptraceInto(unix.PTRACE_GETSIGINFO, tid, 0, unsafe.Pointer(into))
}

// trappedAt is where a SIGTRAP of a code stopped a thread; false where it was no such stop.
func trappedAt(tid int, code int32) (ip uint64, ok bool) {
	var signal signalInfo
	var at callInfo
	ok = readSignal(tid, &signal) == nil && signal.signo == int32(unix.SIGTRAP) && signal.code == code && readCall(tid, &at) == nil
	return at.ip, ok
}

func readMask(tid int) (mask uint64, err error) {
	err = ptraceInto(unix.PTRACE_GETSIGMASK, tid, 8, unsafe.Pointer(&mask))
	return mask, err
}

func writeMask(tid int, mask uint64) error {
	return ptraceInto(unix.PTRACE_SETSIGMASK, tid, 8, unsafe.Pointer(&mask))
}

// status is a wait status with the ptrace event in its upper half.
type status uint32

func (s status) over() bool {
	return syscall.WaitStatus(s).Exited() || syscall.WaitStatus(s).Signaled()
}
func (s status) signal() int      { return int(s>>8) & 0xff }
func (s status) event() int       { return int(s >> 16) }
func (s status) systemCall() bool { return s.event() == 0 && s.signal() == int(unix.SIGTRAP)|0x80 }

// waitFor waits for one thread, or for any (-1), and gives 0 where a signal came first.
func waitFor(tid int, usage *syscall.Rusage) (int, status, error) {
	var st uint32
	got, _, errno := syscall.Syscall6(syscall.SYS_WAIT4, uintptr(tid), uintptr(unsafe.Pointer(&st)), unix.WALL,
		uintptr(unsafe.Pointer(usage)), 0, 0)
	switch errno {
	case 0:
		return int(got), status(st), nil
	case syscall.EINTR:
		return 0, 0, nil
	}
	return 0, 0, errno
}
