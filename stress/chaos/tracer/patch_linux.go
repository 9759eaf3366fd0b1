package tracer

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// newPatches reads what is at the addresses in a stopped process.
func newPatches(tid int, addresses []uint64) (*patches, error) {
	if trapLength == 0 {
		return nil, errNoBreakpoints
	}
	p := &patches{addresses: addresses}
	for i, address := range addresses {
		word, err := peek(tid, address)
		if err != nil {
			return nil, fmt.Errorf("read the program's code: %w", err)
		}
		p.original[i] = byte(word)
	}
	return p, nil
}

// write puts the trap or the original byte to one place, through any stopped thread of the process.
func (p *patches) write(tid, i int, trap bool) error {
	word, err := peek(tid, p.addresses[i])
	if err != nil {
		return err
	}
	b := p.original[i]
	if trap {
		b = trapInstruction
	}
	if err := ptrace(unix.PTRACE_POKEDATA, tid, uintptr(p.addresses[i]), uintptr(word&^0xff|uint64(b))); err != nil {
		return err
	}
	p.written = p.written.without(i)
	if trap {
		p.written = p.written.with(i)
	}
	return nil
}

// patch brings the code of a stopped thread's process to what its threads are armed for.
func (l *loop) patch(t *task) error {
	p := t.proc.patches
	var wanted, passing places
	for _, o := range l.order {
		if o.proc.patches != p {
			continue
		}
		wanted |= o.watched.armed
		if o.patched != 0 && o.state == running {
			passing = passing.with(o.patched - 1) // in the middle of its step
		}
	}
	if l.quiet {
		wanted = 0
	}
	wanted &^= p.spent
	for i := range p.addresses {
		if passing.has(i) || p.written.has(i) == wanted.has(i) {
			continue
		}
		if err := p.write(t.tid, i, wanted.has(i)); err != nil {
			return err
		}
	}
	return nil
}

// atPatch is a thread that a SIGTRAP stopped, in a program with patches; false where that was none of them.
func (l *loop) atPatch(t *task) bool {
	p := t.proc.patches
	i, ok := p.hit(t)
	if !ok {
		return false
	}
	t.patched = i + 1
	p.written = p.written.with(i) // a child may have been copied from a parent in which it was just being changed
	if !t.watched.armed.has(i) {
		if p.unwanted[i]++; p.unwanted[i] == mostStops {
			p.spent = p.spent.with(i)
		}
		_ = l.patch(t) // nobody may want it any more
	}
	l.reach(t, i)
	return true
}

// hit finds at which patch a stopped thread is, and takes it back to before it.
func (p *patches) hit(t *task) (int, bool) {
	ip, ok := trappedAt(t.tid, trapCode)
	if !ok {
		return 0, false
	}
	for i, address := range p.addresses {
		if ip == address+trapLength {
			return i, jumpTo(t.tid, address) == nil
		}
	}
	return 0, false
}

// lift puts back the instruction at which a thread stands, which is about to run it.
func (l *loop) lift(t *task) {
	t.proc.stepped = true
	if p, i := t.proc.patches, t.patched-1; p.written.has(i) {
		_ = p.write(t.tid, i, false)
	}
}

// overPatch is a thread that has run the instruction at which it stood.
func (l *loop) overPatch(t *task) {
	t.patched = 0
	_ = l.patch(t)
}

// undo leaves the code of a stopped thread's process as it was.
func (p *patches) undo(t *task) {
	if t.patched == 0 {
		_, _ = p.hit(t) // it came to one just now
	}
	for i := range p.addresses {
		_ = p.write(t.tid, i, false)
	}
	t.patched = 0
}

// peek reads a word of a stopped thread's memory.
func peek(tid int, address uint64) (word uint64, err error) {
	err = ptraceInto(unix.PTRACE_PEEKDATA, tid, uintptr(address), unsafe.Pointer(&word))
	return word, err
}
