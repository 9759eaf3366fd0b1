package code

import (
	"bytes"
	"debug/elf"

	"golang.org/x/arch/x86/x86asm"
)

// endbr64 begins functions that are compiled for indirect branch tracking; the decoder does not know it.
var endbr64 = []byte{0xf3, 0x0f, 0x1e, 0xfa}

// sites lists the instructions of a function that follow one after which it matters to lose the CPU.
func (f *function) sites(file *elf.File) (found []Site) {
	text := f.text(file)
	framed, after := false, true // its first instruction is one, too
	for at := 0; at < len(text); {
		if bytes.HasPrefix(text[at:], endbr64) {
			at += len(endbr64)
			continue
		}
		inst, err := x86asm.Decode(text[at:], 64)
		if err != nil {
			return found // vector instructions: where the next one begins is not known
		}
		if after && inst.Op != x86asm.UD2 && inst.Op != x86asm.INT {
			found = append(found, Site{Symbol: f.name, Delta: uint64(at), Offset: f.offset + uint64(at), address: f.address + uint64(at)})
		}
		framed = framed || setsFrame(&inst)
		at += inst.Len
		after = f.matters(file, &inst, f.address+uint64(at), framed)
	}
	return found
}

// text is the function's code.
func (f *function) text(file *elf.File) []byte {
	for _, p := range file.Progs {
		if p.Type != elf.PT_LOAD || p.Off > f.offset || f.offset >= p.Off+p.Filesz {
			continue
		}
		text := make([]byte, min(f.size, p.Off+p.Filesz-f.offset))
		if n, err := p.ReadAt(text, int64(f.offset-p.Off)); err == nil || n == len(text) {
			return text
		}
	}
	return nil
}

// setsFrame tells whether an instruction makes RBP the frame's pointer, so that what is addressed by it is the stack.
func setsFrame(inst *x86asm.Inst) bool {
	return inst.Op == x86asm.MOV && inst.Args[0] == x86asm.RBP && inst.Args[1] == x86asm.RSP
}

// matters tells whether another thread could see what an instruction did, or change what it has read. next is the
// address after it.
func (f *function) matters(file *elf.File, inst *x86asm.Inst, next uint64, framed bool) bool {
	switch inst.Op {
	case x86asm.CALL:
		return true
	case x86asm.LEA, x86asm.NOP, x86asm.JMP, x86asm.RET, x86asm.PREFETCHNTA, x86asm.PREFETCHT0, x86asm.PREFETCHT1, x86asm.PREFETCHT2, x86asm.PREFETCHW:
		return false
	}
	for _, arg := range inst.Args {
		if m, ok := arg.(x86asm.Mem); ok && f.shared(file, m, next, framed) {
			return true
		}
	}
	return false
}

// shared tells whether memory can be another thread's too: not the stack, nor what is the thread's own, nor what nobody
// writes to.
func (f *function) shared(file *elf.File, m x86asm.Mem, next uint64, framed bool) bool {
	switch {
	case m.Segment == x86asm.FS || m.Segment == x86asm.GS:
		return false // thread-local storage
	case m.Base == x86asm.RSP || m.Base == x86asm.RBP && framed:
		return false
	case m.Base == x86asm.R14 && f.isGo:
		return false // the goroutine's own record (cmd/compile/abi-internal.md)
	case m.Base == x86asm.RIP:
		return writable(file, next+uint64(m.Disp))
	}
	return true
}

// writable tells whether an address is in a section of variables.
func writable(file *elf.File, address uint64) bool {
	for _, s := range file.Sections {
		if s.Addr <= address && address < s.Addr+s.Size && s.Flags&elf.SHF_ALLOC != 0 {
			return s.Flags&elf.SHF_WRITE != 0 && s.Name != ".got" && s.Name != ".got.plt" && s.Flags&elf.SHF_TLS == 0
		}
	}
	return false
}
