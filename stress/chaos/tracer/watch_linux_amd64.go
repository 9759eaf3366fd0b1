package tracer

import "golang.org/x/sys/unix"

// debugRegisters is where struct user has them (arch/x86/include/asm/user_64.h): 0 to 3 are addresses, 7 says which of
// them count. Two bits of it belong to each; its upper half, left 0, makes them stop at execution.
const (
	debugRegisters = 848
	debugControl   = debugRegisters + 7*8
)

// setBreakpoints has a stopped thread stop at those of these instructions, at most chaos.MostBreakpoints, that
// have a bit set.
func setBreakpoints(tid int, addresses []uint64, set uint8) error {
	for i, address := range addresses {
		if err := ptrace(unix.PTRACE_POKEUSR, tid, uintptr(debugRegisters+8*i), uintptr(address)); err != nil {
			return err
		}
	}
	return enableBreakpoints(tid, set)
}

// enableBreakpoints leaves those in force that have a bit set.
func enableBreakpoints(tid int, set uint8) error {
	var control uintptr
	for i := range 4 {
		if set&(1<<i) != 0 {
			control |= 1 << (2 * i)
		}
	}
	return ptrace(unix.PTRACE_POKEUSR, tid, debugControl, control)
}
