package tracer

import (
	"hash/fnv"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// created is a parent whose child is there: the parent has not returned from the call yet.
func (l *loop) created(t *task, event int) {
	child, err := eventMessage(t.tid)
	if err != nil {
		l.proceed(t)
		return
	}
	l.claim(t, child, event)
	if event == unix.PTRACE_EVENT_VFORK {
		// It waits for the child now; when that is over another event comes.
		l.proceed(t)
		return
	}
	l.place(t, at(clone, leave))
}

// claim gives a child its place in the tree. Paths count children in the order in which their parent made them,
// whenever they first run.
func (l *loop) claim(parent *task, tid, event int) {
	path := parent.childPath()
	c, gone := l.tasks[tid], l.lost[tid]
	delete(l.lost, tid)
	early := c != nil && c.state == unclaimed
	switch {
	case early:
	case gone || c != nil: // claimOrphans was sooner
		return
	default:
		c = &task{tid: tid, state: running}
		l.tasks[tid] = c
	}
	c.path, c.hash, c.fresh = path, hashOf(path), true
	c.proc = parent.proc
	if event != unix.PTRACE_EVENT_CLONE || tgid(tid) == tid {
		copied := *parent.proc
		copied.pid = tid
		if event != unix.PTRACE_EVENT_VFORK {
			copied.patches = copied.patches.clone() // it has a copy of the memory they are in
		}
		c.proc = &copied
	}
	l.adopt(c, parent.index)
	if early {
		sig := c.signal
		c.state, c.signal = stopped, 0
		l.atStop(c, sig)
	}
}

// claimOrphans gives the children of a thread that was killed before it could tell of them a place below it: they
// would stand in their first stop for ever. A process whose parent is gone is the subreaper's, that is this
// process's; of one whose image is new only the thread that executed it is left, and it makes no child then.
func (l *loop) claimOrphans(t *task) {
	for tid, c := range l.tasks {
		if c.state != unclaimed || tgid(tid) != tid {
			continue
		}
		if parent, _ := strconv.Atoi(statusField(tid, "PPid:")); parent == os.Getpid() || parent == t.tid {
			l.claim(t, tid, unix.PTRACE_EVENT_FORK)
		}
	}
}

// adopt enters a thread into the books.
func (l *loop) adopt(t *task, parent int) {
	l.ledger.born(t, parent, l.clock.now())
	l.order = append(l.order, t)
}

func hashOf(path string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(path))
	return h.Sum64()
}

// tgid is the process of a thread, 0 where it is gone.
func tgid(tid int) int {
	id, _ := strconv.Atoi(statusField(tid, "Tgid:"))
	return id
}

// executed is a process with a new image, in the only thread that it has left: its number is the process's now,
// whatever it was before.
func (l *loop) executed(t *task) {
	former, err := eventMessage(t.tid)
	if err != nil {
		l.proceed(t)
		return
	}
	if former != t.tid {
		if caller := l.tasks[former]; caller != nil {
			// The old leader ends without a word.
			l.ledger.died(t, l.clock.now())
			l.forget(t)
			delete(l.tasks, former)
			caller.tid = t.tid
			l.tasks[t.tid] = caller
			t = caller
			t.state = stopped
		}
	}
	l.claimOrphans(t)
	if t.held != nil {
		l.cut(t)
	}
	t.call, t.broken, t.steps, t.fuse = call{}, call{}, nil, nil
	t.watched, t.patched = watched{}, 0 // the kernel has cleared them (flush_ptrace_hw_breakpoint in exec)
	before := t.proc
	t.proc = &process{pid: t.tid, prelude: true, full: before.full, refused: before.refused}
	if readCall(t.tid, &l.info) == nil && l.info.arch != auditArch {
		l.ledger.note("a program of another architecture ran: its calls were no places to hold")
	}
	if setuidFile("/proc/" + strconv.Itoa(t.tid) + "/exe") {
		l.spoil("it executed a setuid program, which has no more rights under a tracer than who runs it")
	}
	if before.prelude {
		l.proceed(t)
		return
	}
	l.place(t, at(execve, leave))
}

// ending is a thread on its way out, by itself or killed: the last place where it can be held. Who joins it or
// waits for it has not been told yet.
func (l *loop) ending(t *task) {
	t.call, t.broken, t.steps, t.fuse, t.signal, t.patched = call{}, call{}, nil, nil, 0, 0
	l.ledger.named(t)
	if t.proc.prelude {
		t.state = dying
		l.proceed(t)
		return
	}
	l.place(t, at(exit, entry))
}

// ended is a thread that is gone.
func (l *loop) ended(tid int, t *task, st status, usage *syscall.Rusage) {
	if t == nil {
		l.lost[tid] = true
		return
	}
	if t.state == unclaimed {
		delete(l.tasks, tid)
		l.lost[tid] = true
		return
	}
	if t.held != nil {
		l.cut(t)
	}
	now := l.clock.now()
	l.ledger.died(t, now)
	l.forget(t)
	delete(l.tasks, tid)
	l.gone = t
	l.claimOrphans(t)
	if tid == l.root {
		l.over, l.overAt, l.status, l.usage = true, now, st, *usage
		l.calm()
	}
}

// forget takes a thread out of everything but the table.
func (l *loop) forget(t *task) {
	if t.held != nil {
		l.cut(t)
	}
	for i, o := range l.order {
		if o == t {
			l.order = append(l.order[:i], l.order[i+1:]...)
			break
		}
	}
	t.fuse, t.pending = nil, nil
	if !l.quiet {
		l.strategy.gone(t)
	}
}

// reach bounds how long the tracer waits for what it leaves to stop: it needs a CPU for that, and a busy machine may
// not give it one for a while. What has not stopped by then dies with the tracer.
const reach = time.Second

// leave lets go of what outlived the test's main process. It is stopped, not continued: without a tracer the
// filter's calls would fail. The supervisor names it as a leak and kills it.
func (l *loop) leave() {
	for tid, t := range l.tasks {
		// A signal given with PTRACE_DETACH counts only in a stop for a signal, so one is sent as well.
		if t.proc != nil {
			_ = syscall.Kill(t.proc.pid, unix.SIGSTOP)
		}
		_ = ptrace(unix.PTRACE_INTERRUPT, tid, 0, 0)
	}
	patience := l.clock.now() + reach
	l.clock.wakeAt(patience)
	for len(l.tasks) > 0 {
		for tid, t := range l.tasks {
			if t.state != running {
				l.unwatch(t)
			}
			if t.state != running && ptrace(unix.PTRACE_DETACH, tid, 0, uintptr(unix.SIGSTOP)) == nil {
				delete(l.tasks, tid)
			}
		}
		if l.clock.now() > patience || len(l.tasks) == 0 {
			return
		}
		tid, st, err := waitFor(-1, nil)
		if err != nil {
			return
		}
		if tid == 0 {
			continue
		}
		if t := l.tasks[tid]; t != nil && !st.over() {
			l.unwatch(t)
		}
		if st.over() {
			delete(l.tasks, tid)
		} else if ptrace(unix.PTRACE_DETACH, tid, 0, uintptr(unix.SIGSTOP)) == nil {
			delete(l.tasks, tid)
		}
	}
}

// spoil says why this attempt's outcome would not be the test's own.
func (l *loop) spoil(why string) {
	if l.spoiled == "" {
		l.spoiled = why
	}
	l.hurry.Store(true)
}
