package tracer

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"
)

// A seccomp filter decides which system calls stop (seccomp(2), SECCOMP_RET_TRACE). It cannot be taken back, and
// every process inherits it, so there are two: the first stops only at what ends the part before the test proper,
// the second, added when that has happened, at every sync point. A call that a filter lets through whatever its
// arguments costs nothing at all (the kernel keeps a bitmap of those, Linux 5.11).

// mark is in the upper byte of what a filter returns with a stop, so that stops that some filter of the test's own
// asked for can be told apart.
const mark = 0x9e00

// rule says which calls of one number stop and as what: all of them, or those whose argument arg, masked, is one of
// values.
type rule struct {
	nr     uint32
	kind   kind
	arg    int // -1 for any
	mask   uint32
	values []uint32
	set    bool // any of the mask's bits is enough
}

// Offsets in struct seccomp_data (linux/seccomp.h). The lower half of an argument comes first on both
// architectures, which are little-endian.
const (
	atNumber = 0
	atArch   = 4
	atArgs   = 16
)

func load(at uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
}

func jump(op uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | op | unix.BPF_K, K: k, Jt: yes, Jf: no}
}

func verdict(k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
}

// program makes the filter. Calls of another architecture (a 32-bit program, int 0x80, x32) pass: their numbers mean
// something else.
func program(rules []rule) []unix.SockFilter {
	rules = slices.Clone(rules)
	slices.SortStableFunc(rules, func(a, b rule) int { return cmp.Compare(a.nr, b.nr) })
	head := []unix.SockFilter{
		load(atArch), jump(unix.BPF_JEQ, auditArch, 1, 0), verdict(unix.SECCOMP_RET_ALLOW),
		load(atNumber),
	}
	return append(head, search(rules)...)
}

// search is a binary search over the sorted rules; the number is in the accumulator.
func search(rules []rule) []unix.SockFilter {
	if len(rules) == 0 {
		return []unix.SockFilter{verdict(unix.SECCOMP_RET_ALLOW)}
	}
	first, last := rules[0].nr, rules[len(rules)-1].nr
	if first == last {
		return one(rules)
	}
	half := len(rules) / 2
	for half < len(rules) && rules[half].nr == first {
		half++
	}
	for rules[half-1].nr == rules[half].nr {
		half--
	}
	low, high := search(rules[:half]), search(rules[half:])
	code := []unix.SockFilter{
		jump(unix.BPF_JGE, rules[half].nr, 0, 1),
		{Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(len(low))},
	}
	return append(append(code, low...), high...)
}

// one decides about the rules of one number: the first that fits wins.
func one(rules []rule) []unix.SockFilter {
	code := []unix.SockFilter{jump(unix.BPF_JEQ, rules[0].nr, 1, 0), verdict(unix.SECCOMP_RET_ALLOW)}
	for _, r := range rules {
		stop := verdict(unix.SECCOMP_RET_TRACE | mark | uint32(r.kind))
		if r.arg < 0 {
			return append(code, stop)
		}
		code = append(code, load(atArgs+8*uint32(r.arg)))
		if r.set {
			code = append(code, jump(unix.BPF_JSET, r.mask, 0, 1), stop)
			continue
		}
		code = append(code, unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: r.mask})
		for _, v := range r.values {
			code = append(code, jump(unix.BPF_JEQ, v, 0, 1), stop)
		}
	}
	return append(code, verdict(unix.SECCOMP_RET_ALLOW))
}
