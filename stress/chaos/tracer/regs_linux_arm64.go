package tracer

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// registers are those of a stopped thread, and the number of its system call, which arm64 keeps apart.
type registers struct {
	unix.PtraceRegsArm64
	call int32
}

// instruction is the length of the instruction that makes a system call.
const instruction = 4

// steppedCall is the signal code of a single step over a system call: SI_USER, from process 0
// (user_single_step_report in include/linux/ptrace.h).
const steppedCall = 0

// Register sets (linux/elf.h).
const (
	ntPRStatus   = 1
	ntSystemCall = 0x404
)

func readRegisters(tid int) (r registers, err error) {
	if err = unix.PtraceGetRegSetArm64(tid, ntPRStatus, &r.PtraceRegsArm64); err != nil {
		return r, err
	}
	r.call = int32(r.Regs[8])
	return r, nil
}

func (r registers) write(tid int) error {
	return unix.PtraceSetRegSetArm64(tid, ntPRStatus, &r.PtraceRegsArm64)
}

// writeCall changes the number of the call that is being entered.
func writeCall(tid int, nr int32) error {
	vector := unix.Iovec{Base: (*byte)(unsafe.Pointer(&nr)), Len: 4}
	err := ptraceInto(unix.PTRACE_SETREGSET, tid, ntSystemCall, unsafe.Pointer(&vector))
	runtime.KeepAlive(&nr)
	return err
}

// replace makes the call that is being entered another one.
func (r registers) replace(tid int, nr uint64, args [6]uint64) error {
	copy(r.Regs[:6], args[:])
	r.Regs[8] = nr
	if err := r.write(tid); err != nil {
		return err
	}
	return writeCall(tid, int32(nr))
}

// again goes back to the instruction that made the call, which then makes this one.
func (r registers) again(tid int, nr uint64, args [6]uint64) error {
	copy(r.Regs[:6], args[:])
	r.Regs[8] = nr
	r.Pc -= instruction
	return r.write(tid)
}

// number and arguments are those of the call that is being entered.
func (r *registers) number() uint64 { return uint64(r.call) }

func (r *registers) arguments() (a [6]uint64) {
	copy(a[:], r.Regs[:6])
	return a
}

// result is what a call returned, at its exit.
func (r *registers) result() int64 { return int64(r.Regs[0]) }

// refuse skips the call that is being entered; it returns -ENOSYS.
func (r registers) refuse(tid int) error {
	r.Regs[0] = ^uint64(37)
	if err := r.write(tid); err != nil {
		return err
	}
	return writeCall(tid, -1)
}

// clearTrapFlag has nothing to do: single steps are no part of the flags that a program sees.
func clearTrapFlag(int) bool { return false }
