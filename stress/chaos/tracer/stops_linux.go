package tracer

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// What a system call gives inside the kernel when it was interrupted and is to be made again (linux/errno.h).
const (
	restartSystemCall  = -512
	restartAlways      = -513
	restartNoHandler   = -514
	restartAnotherCall = -516 // by restart_syscall(2)
)

// atCall is a thread that enters a system call which a filter stops.
func (l *loop) atCall(t *task) {
	info := &l.info
	if readCall(t.tid, info) != nil {
		l.proceed(t)
		return
	}
	k := kind(info.data() & 0xff)
	if info.op != unix.PTRACE_SYSCALL_INFO_SECCOMP || info.data()&0xff00 != mark || k == kindNone || k >= allKinds {
		l.atForeignStop(t)
		return
	}
	if k == tracing {
		l.spoil("the test traces processes itself with ptrace, which a traced process cannot")
		l.proceed(t)
		return
	}
	if t.proc.prelude {
		args := [6]uint64(info.words[1:7])
		if k.endsPrelude(&args) {
			l.begin(t)
			return
		}
		l.proceed(t)
		return
	}
	if t.stray {
		l.dodge(t)
		return
	}
	if l.resumed(t, k, info) {
		l.proceed(t)
		return
	}
	t.broken = call{}
	if k = l.resolve(t, k, info); k == kindNone {
		l.proceed(t)
		return
	}
	c := info.call(k)
	if k == clone || k == execve {
		// Their own events come in the place of the exit.
		t.last.call = c
	} else {
		t.call = c
	}
	l.place(t, at(k, entry))
}

// atForeignStop is a stop that a filter of the test's own asked for. Without a tracer such a call fails with ENOSYS
// (seccomp(2)), and so it does here.
func (l *loop) atForeignStop(t *task) {
	if r, err := readRegisters(t.tid); err == nil {
		_ = r.refuse(t.tid)
	}
	l.proceed(t)
}

// begin ends the part before the test proper of one process image. The call that ended it is made once more, and
// stops as what it is.
func (l *loop) begin(t *task) {
	l.began = true
	t.proc.prelude = false
	l.locate(t.proc)
	l.watch(t)
	if maps, err := os.ReadFile("/proc/" + strconv.Itoa(t.proc.pid) + "/maps"); err == nil && sanitized(string(maps)) {
		l.ledger.note(leaksUnchecked)
	}
	if !t.proc.full && !t.proc.refused {
		if filtersOf(t.proc.pid) > l.filters {
			// A sandbox of the test's own: what it does to calls that are put into its mouth is not ours to try.
			t.proc.refused = true
		} else if final, err := l.install(t.tid, fullRules()); err == errGone {
			l.lateEvent(t, final)
			return
		} else if err != nil {
			t.proc.refused = true
		} else {
			t.proc.full = true
			l.proceed(t)
			return
		}
		l.ledger.note("a process installed seccomp filters of its own, or refuses more: only some of its calls were places to hold")
	}
	t.state = stopped
	l.atCall(t)
}

// lateEvent handles an event that came in the middle of an injection.
func (l *loop) lateEvent(t *task, final status) {
	if final != 0 {
		l.handle(t.tid, final, &syscall.Rusage{})
	}
}

// dodge keeps a call from being made right after an interrupt was asked for: the kernel still has the thread marked as
// one with a signal pending, and some calls, epoll_wait(2) among them, would fail with EINTR, which nothing but the
// tracer is to blame for. On its way back to its own code the mark goes, and the call is made then.
func (l *loop) dodge(t *task) {
	t.stray = false
	in, err := l.beginInjection(t.tid)
	if err == nil {
		if err := in.skip(); err != nil {
			l.lateEvent(t, in.final)
			return
		}
		_ = in.end() // fails for a thread that is gone, and the wait loop hears of that
	}
	l.proceed(t)
}

// resumed tells whether a call is the rest of one that was interrupted: it has been counted, only its exit is to come.
func (l *loop) resumed(t *task, k kind, info *callInfo) bool {
	b := t.broken
	if b.kind == kindNone {
		return false
	}
	if k == restart || b.nr == info.number() && b.ip == info.ip && b.sp == info.sp {
		t.call, t.broken = b, call{}
		return true
	}
	return false
}

// resolve finds out what a call that depends on its descriptor is about; kindNone for nothing to stop at.
func (l *loop) resolve(t *task, k kind, info *callInfo) kind {
	if k < kinds {
		return k
	}
	switch k {
	case output:
		k = write
	case read, write:
	default:
		return kindNone
	}
	var buf [64]byte
	path := "/proc/" + strconv.Itoa(t.proc.pid) + "/fd/" + strconv.FormatUint(info.words[1], 10)
	n, err := unix.Readlink(path, buf[:])
	if err != nil {
		return kindNone
	}
	return descriptorKind(string(buf[:n]), k)
}

// atExit is a thread that leaves a system call.
func (l *loop) atExit(t *task) {
	c := t.call
	t.call = call{}
	if c.kind == kindNone || readCall(t.tid, &l.info) != nil {
		l.proceed(t)
		return
	}
	switch l.info.result() {
	case restartSystemCall, restartAlways, restartNoHandler, restartAnotherCall:
		t.broken = c
		l.proceed(t)
		return
	}
	t.last.call = c
	l.place(t, at(c.kind, leave))
}

// atSignal is a thread about to be given a signal, or one that has made a single step.
func (l *loop) atSignal(t *task, sig int) {
	if sig == int(unix.SIGTRAP) && l.atTrap(t) {
		return
	}
	t.signal = sig
	if t.proc.prelude {
		l.proceed(t)
		return
	}
	l.place(t, at(signalled, entry))
}

// atTrap is a thread that a SIGTRAP stopped; false where that was the test's own.
func (l *loop) atTrap(t *task) bool {
	switch {
	case (t.steps != nil || t.patched != 0) && l.stepped(t):
		if t.patched != 0 {
			l.overPatch(t)
		}
		if t.steps != nil {
			l.step(t)
		} else {
			l.proceed(t)
		}
		return true
	case t.proc.stepped && l.stepped(t) && clearTrapFlag(t.tid):
		l.proceed(t)
		return true
	case t.watched.armed != 0 || t.proc.patches != nil:
		return l.atInstruction(t)
	}
	return false
}

// stepped tells whether a SIGTRAP is the kernel's answer to a single step: TRAP_TRACE, what the architecture gives at the
// end of a system call (user_single_step_report), or what comes where the step was into a signal handler
// (signal_setup_done in kernel/signal.c). A breakpoint of the test's own has another code.
func (l *loop) stepped(t *task) bool {
	const trapTrace, handlerEntered = 2, int32(unix.SIGTRAP)
	var info signalInfo
	if readSignal(t.tid, &info) != nil {
		return false
	}
	return info.code == trapTrace || info.code == handlerEntered || info.code == steppedCall && (steppedCall != 0 || info.pid == 0)
}

// atStop is a thread in a stop that is no call and no signal: its first, a group stop, an interrupt.
func (l *loop) atStop(t *task, sig int) {
	switch {
	case t.fresh:
		t.fresh = false
		if sig != int(unix.SIGTRAP) {
			// Born into a stopped group: it starts when the group goes on.
			t.late = true
			l.listen(t)
			return
		}
		l.watch(t)
		l.place(t, at(threadStart, entry))
	case stopSignal(sig):
		l.listen(t)
	case t.late:
		t.late = false
		l.watch(t)
		l.place(t, at(threadStart, entry))
	default:
		l.interrupted(t)
	}
}

// stopSignal tells whether a signal is one that stops a process.
func stopSignal(sig int) bool {
	switch syscall.Signal(sig) {
	case unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU:
		return true
	}
	return false
}

// listen leaves a thread in its group stop, from where SIGCONT gets it (PTRACE_LISTEN).
func (l *loop) listen(t *task) {
	t.state = listening
	_ = ptrace(unix.PTRACE_LISTEN, t.tid, 0, 0)
}

// setuidFile tells whether executing a file changes the privileges: the kernel leaves that out under a tracer that
// has none itself (cap_bprm_creds_from_file in security/commoncap.c).
func setuidFile(path string) bool {
	if os.Geteuid() == 0 {
		return false
	}
	var st syscall.Stat_t
	if syscall.Stat(path, &st) != nil {
		return false
	}
	const setgidExecutable = syscall.S_ISGID | 0o010
	if st.Mode&syscall.S_ISUID != 0 && int(st.Uid) != os.Geteuid() ||
		st.Mode&setgidExecutable == setgidExecutable && int(st.Gid) != os.Getegid() {
		return true
	}
	n, err := unix.Getxattr(path, "security.capability", nil)
	return err == nil && n > 0
}
