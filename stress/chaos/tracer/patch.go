package tracer

import "heisen/stress/chaos"

// patches are the breakpoints of a process in its code: an instruction that traps in the place of the first byte of each.
// All threads come to it, also those that are not to stop there, and one that goes on has its own instruction put back for
// the one step that it makes: another thread may slip by meanwhile. So they are for where the processor's registers
// cannot be had (see ProbeBreakpoints). The kernel copies a page of code when it is written (ptrace(2), PTRACE_POKETEXT),
// so no other process sees them. Writing this one byte while other threads run is what debuggers do: a processor
// sees the old instruction or the new one, as with text_poke's int3 (arch/x86/kernel/alternative.c).
type patches struct {
	addresses []uint64
	original  [chaos.MostBreakpoints]byte
	written   places                       // those that are in the code
	spent     places                       // those that are not to be written any more
	unwanted  [chaos.MostBreakpoints]int64 // how often a thread came that was not to stop
}

// clone is a copy for a process that has a copy of the memory.
func (p *patches) clone() *patches {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}
