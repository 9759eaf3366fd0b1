package tracer

import "golang.org/x/sys/unix"

// registers are those of a stopped thread.
type registers unix.PtraceRegs

// instruction is the length of the instruction that makes a system call.
const instruction = 2

// steppedCall is the signal code of a single step over a system call: TRAP_BRKPT (user_single_step_report in
// arch/x86/kernel/ptrace.c); a breakpoint instruction has SI_KERNEL.
const steppedCall = 1

func readRegisters(tid int) (r registers, err error) {
	err = unix.PtraceGetRegs(tid, (*unix.PtraceRegs)(&r))
	return r, err
}

func (r registers) write(tid int) error { return unix.PtraceSetRegs(tid, (*unix.PtraceRegs)(&r)) }

// replace makes the call that is being entered another one.
func (r registers) replace(tid int, nr uint64, args [6]uint64) error {
	r.Orig_rax, r.Rax = nr, ^uint64(37) // -ENOSYS, as the kernel itself has it at entry
	r.setArguments(args)
	return r.write(tid)
}

// again goes back to the instruction that made the call, which then makes this one.
func (r registers) again(tid int, nr uint64, args [6]uint64) error {
	r.Orig_rax, r.Rax = ^uint64(0), nr // no call: nothing for the kernel to restart
	r.Rip -= instruction
	r.setArguments(args)
	return r.write(tid)
}

func (r *registers) setArguments(a [6]uint64) {
	r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9 = a[0], a[1], a[2], a[3], a[4], a[5]
}

// number and arguments are those of the call that is being entered.
func (r *registers) number() uint64       { return r.Orig_rax }
func (r *registers) arguments() [6]uint64 { return [6]uint64{r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9} }

// result is what a call returned, at its exit.
func (r *registers) result() int64 { return int64(r.Rax) }

// refuse skips the call that is being entered; it returns -ENOSYS.
func (r registers) refuse(tid int) error {
	r.Orig_rax, r.Rax = ^uint64(0), ^uint64(37)
	return r.write(tid)
}

// clearTrapFlag takes back what single steps left in a program that has no more of them to make: a pushf that is stepped over
// stores the processor's trap flag (Intel SDM volume 3, 19.3.1.4), and the popf that belongs to it, any time later, sets it.
// False where it is not set.
func clearTrapFlag(tid int) bool {
	const trapFlag = 1 << 8
	r, err := readRegisters(tid)
	if err != nil || r.Eflags&trapFlag == 0 {
		return false
	}
	r.Eflags &^= trapFlag
	return r.write(tid) == nil
}
