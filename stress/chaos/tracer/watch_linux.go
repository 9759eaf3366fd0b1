package tracer

import (
	"errors"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"heisen/stress/chaos"
)

// breakpoints are the plan's, and who came to them. Few are the processor's own, set for each thread by itself in its debug
// registers (Intel SDM volume 3, 19.2): the program's code stays as it is. More than there are registers, and all where
// those are of no use, are in the code: see patches.
type breakpoints struct {
	wanted  []chaos.Breakpoint
	reached []chaos.Reached
	inCode  bool
	refused bool // there are none to be had here
	// anyThread tells that threads are not told apart at them: see chaos.AnyThread.
	anyThread bool
}

// trapHWBreakpoint is the signal code of a breakpoint in a register (TRAP_HWBKPT in asm-generic/siginfo.h).
const trapHWBreakpoint = 4

var errNoBreakpoints = errors.New("breakpoints are set on amd64 alone")

// mostStops is how often a thread stops at one breakpoint: a loop that goes by it a million times goes on freely.
const mostStops = 64

// newBreakpoints takes from a plan those that it needs: of a replay, those where something is decided, since even a stop
// that holds nobody delays a thread.
func newBreakpoints(plan *chaos.Plan) breakpoints {
	decided := func(b chaos.Breakpoint) bool {
		return plan.Stacks != nil && plan.Stacks.Site == b.Site ||
			slices.ContainsFunc(plan.Decisions, func(d chaos.Decision) bool { return d.Site == b.Site })
	}
	var b breakpoints
	b.anyThread = plan.TrapsUnblocked
	for _, w := range plan.Breakpoints {
		if len(b.wanted) < chaos.MostBreakpoints && (!plan.Replay || decided(w)) {
			b.wanted = append(b.wanted, w)
		}
	}
	b.inCode = plan.InCode || len(b.wanted) > chaos.DebugRegisters
	b.reached = make([]chaos.Reached, len(b.wanted))
	return b
}

// locate finds where the breakpoints are in a process whose test proper begins.
func (l *loop) locate(p *process) {
	p.instructions, p.patches, p.came = nil, nil, [chaos.MostBreakpoints]int64{}
	b := &l.breakpoints
	if len(b.wanted) == 0 || b.refused {
		return
	}
	file, err := os.Readlink("/proc/" + strconv.Itoa(p.pid) + "/exe")
	if err != nil || file != l.plan.Program {
		return
	}
	if !l.plan.TrapsUnblocked && catches(&task{tid: p.pid}, unix.SIGTRAP) {
		// A breakpoint hit while SIGTRAP is blocked would take the handler away (see walk).
		l.ledger.note("a program has a handler for SIGTRAP: it was not stopped at breakpoints")
		return
	}
	p.maps = readMaps(p.pid)
	addresses := make([]uint64, 0, len(b.wanted))
	for _, w := range b.wanted {
		address, ok := loaded(p.maps, file, w.Offset)
		if !ok {
			return
		}
		addresses = append(addresses, address)
	}
	if b.inCode {
		if p.patches, err = newPatches(p.pid, addresses); err != nil {
			l.refuse(err)
			return
		}
	}
	p.instructions = addresses
}

// loaded is where an offset of a file is in memory, as code.
func loaded(maps []mapping, file string, offset uint64) (uint64, bool) {
	for _, m := range maps {
		if m.code && m.file == file && m.offset <= offset && offset < m.offset+(m.to-m.from) {
			return m.from + (offset - m.offset), true
		}
	}
	return 0, false
}

// watch sets a stopped thread's breakpoints. A new thread has none of its parent's (copy_thread in
// arch/x86/kernel/process.c).
func (l *loop) watch(t *task) {
	if t.proc.prelude || len(t.proc.instructions) == 0 || t.watched.armed != 0 || l.quiet {
		return
	}
	var set places
	for i, w := range l.breakpoints.wanted {
		if t.watched.until[i] = l.strategy.until(t, w.Site); t.watched.until[i] > 0 {
			set = set.with(i)
		}
	}
	if set == 0 {
		return
	}
	t.watched.armed = set
	var err error
	if t.proc.patches != nil {
		err = l.patch(t)
	} else {
		err = setBreakpoints(t.tid, t.proc.instructions, set)
	}
	switch {
	case err == nil:
	case !errors.Is(err, unix.ESRCH):
		t.watched.armed = 0
		l.refuse(err)
	}
}

// refuse has no more breakpoints set.
func (l *loop) refuse(err error) {
	l.breakpoints.refused = true
	l.ledger.note("no breakpoint can be set here: " + err.Error())
}

// unwatch takes a stopped thread's breakpoints away: without a tracer they would kill it.
func (l *loop) unwatch(t *task) {
	if t.proc != nil && t.proc.patches != nil {
		t.proc.patches.undo(t)
	} else if t.watched.armed != 0 {
		_ = enableBreakpoints(t.tid, 0)
	}
	t.watched.armed = 0
}

// disarm has a thread not stop at a breakpoint any more.
func (l *loop) disarm(t *task, i int) {
	t.watched.armed = t.watched.armed.without(i)
	if t.proc.patches != nil {
		_ = l.patch(t) // fails for a thread that is gone
	} else {
		_ = enableBreakpoints(t.tid, t.watched.armed)
	}
}

// atInstruction is a thread that a SIGTRAP stopped; false where that was no breakpoint of the plan's.
func (l *loop) atInstruction(t *task) bool {
	if t.proc.patches != nil {
		return l.atPatch(t)
	}
	ip, ok := trappedAt(t.tid, trapHWBreakpoint)
	if !ok {
		return false
	}
	for i, address := range t.proc.instructions {
		if address != ip || !t.watched.armed.has(i) {
			continue
		}
		l.reach(t, i)
		return true
	}
	return false
}

// reach is a thread at a breakpoint, be it one of those that are to stop there or not (see patches).
func (l *loop) reach(t *task, i int) {
	w, b := &t.watched, &l.breakpoints
	company := len(l.order) > 1
	w.stops[i]++
	if company {
		if w.times[i] == 0 {
			b.reached[i].Threads++
		}
		w.times[i]++
		t.proc.came[i]++
		b.reached[i].Times++
	}
	s := spot{t.path, at(breakpoint, entry), w.times[i], b.wanted[i].Site}
	if b.anyThread {
		s.thread, s.n = chaos.AnyThread, t.proc.came[i]
	}
	if w.armed.has(i) && (s.n >= w.until[i] || w.stops[i] >= mostStops) {
		l.disarm(t, i)
	}
	if !company {
		l.proceed(t) // there is nobody whom its being late could matter to
		return
	}
	l.come(t, s)
}
