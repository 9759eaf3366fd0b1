package tracer

import (
	"golang.org/x/sys/unix"

	"heisen/stress/chaos"
)

// debugRegisters is where struct user has them (arch/x86/include/asm/user_64.h): 0 to 3 are addresses, 7 says which of
// them count. Two bits of it belong to each; its upper half, left 0, makes them stop at execution.
const (
	debugRegisters = 848
	debugControl   = debugRegisters + 7*8
)

// setBreakpoints has a stopped thread stop at those of these instructions, at most chaos.DebugRegisters, that
// have a bit set.
func setBreakpoints(tid int, addresses []uint64, set places) error {
	for i, address := range addresses {
		if err := ptrace(unix.PTRACE_POKEUSR, tid, uintptr(debugRegisters+8*i), uintptr(address)); err != nil {
			return err
		}
	}
	return enableBreakpoints(tid, set)
}

// enableBreakpoints leaves those in force that have a bit set.
func enableBreakpoints(tid int, set places) error {
	var control uintptr
	for i := range chaos.DebugRegisters {
		if set.has(i) {
			control |= 1 << (2 * i)
		}
	}
	return ptrace(unix.PTRACE_POKEUSR, tid, debugControl, control)
}

// A trap in the code: int3 is one byte, and leaves the thread behind it (Intel SDM volume 3, 7.15, interrupt 3). The
// signal's code is SI_KERNEL (do_int3 in arch/x86/kernel/traps.c).
const (
	trapInstruction = 0xcc
	trapLength      = 1
	trapCode        = 0x80
)

// jumpTo sets where a stopped thread goes on.
func jumpTo(tid int, address uint64) error {
	const instructionPointer = 16 * 8 // rip in struct user_regs_struct (arch/x86/include/asm/user_64.h)
	return ptrace(unix.PTRACE_POKEUSR, tid, instructionPointer, uintptr(address))
}
