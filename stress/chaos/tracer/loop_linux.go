package tracer

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/chaos"
)

// loop is the tracer at work: one thread that waits for stops, looks at the clock and lets threads go on.
type loop struct {
	plan     *chaos.Plan
	clock    *clock
	strategy strategy
	ledger   *ledger

	breakpoints breakpoints
	bounds      budget
	each        terms // by which one thread may be delayed
	holds       queue
	fuses       []*fuse
	ticks       time.Duration // when the strategy wants to be called, 0 for never

	thread  int // this one
	root    int // the test's main process
	filters int // how many seccomp filters a process of the test has that added none
	tasks   map[int]*task
	order   []*task      // in the order of creation
	lost    map[int]bool // children that ended before their parent told of them
	info    callInfo     // of the stop that is looked at
	hurry   atomic.Bool  // set by another thread: hold nothing any more
	heard   atomic.Bool  // the loop has seen that, or is over
	quiet   bool         // nothing is held any more
	began   bool         // the test proper has begun somewhere
	over    bool         // the main process has ended
	overAt  time.Duration
	status  status
	usage   syscall.Rusage
	gone    *task // the last that ended
	spoiled string
	interim func() // writes what there is to report so far
	witness *witness
}

// linger is how long a test's other processes may outlive its main process, as in stress/proc, before they are left
// to the supervisor.
const linger = 20 * time.Millisecond

// run follows the test to its end.
func (l *loop) run() error {
	defer l.heard.Store(true)
	for len(l.tasks) > 0 {
		var usage syscall.Rusage
		tid, st, err := waitFor(-1, &usage)
		if errors.Is(err, syscall.ECHILD) {
			break
		}
		if err != nil {
			return fmt.Errorf("wait for the test: %w", err)
		}
		if tid != 0 {
			l.handle(tid, st, &usage)
		}
		if l.spoiled != "" && !l.began {
			return nil
		}
		if l.due() && l.elapse() {
			l.leave()
			break
		}
	}
	if l.witness.opens() {
		l.debug()
		return nil
	}
	if !l.over {
		return errors.New("the test's main process is gone and nothing told how it ended")
	}
	return nil
}

// due tells whether the clock must be looked at.
func (l *loop) due() bool { return l.clock.armed != 0 || l.hurry.Load() || l.witness.opens() }

// elapse does what it is time for; done tells that what is left of the test is to be left alone.
func (l *loop) elapse() (done bool) {
	now := l.clock.now()
	if l.hurry.Load() && !l.quiet {
		l.calm()
		if !l.over && l.interim != nil {
			l.interim()
		}
	}
	if l.over && now >= l.overAt+linger || l.witness.opens() {
		return true
	}
	for len(l.holds) > 0 && l.holds[0].until <= now {
		l.letGo(l.holds[0].task)
	}
	l.burn(now)
	if l.ticks != 0 && l.ticks <= now && !l.quiet {
		l.ticks = l.strategy.tick(now)
	}
	l.arm()
	return false
}

// arm sets the clock to what comes next.
func (l *loop) arm() {
	next := l.holds.next()
	sooner := func(at time.Duration) {
		if at != 0 && (next == 0 || at < next) {
			next = at
		}
	}
	if !l.quiet {
		sooner(l.ticks)
		sooner(l.nextFuse())
	}
	if l.over {
		sooner(l.overAt + linger)
	}
	l.clock.wakeAt(next)
}

// calm ends all holds and makes no more: the test is being stopped, or is over.
func (l *loop) calm() {
	l.quiet = true
	l.heard.Store(true)
	for len(l.holds) > 0 {
		l.letGo(l.holds[0].task)
	}
	l.bounds.refund(l.clock.now(), nil)
	for _, t := range l.tasks {
		t.pending, t.fuse = nil, nil
	}
	l.fuses = nil
	l.arm()
}

// handle looks at one change of one thread.
func (l *loop) handle(tid int, st status, usage *syscall.Rusage) {
	t := l.tasks[tid]
	if st.over() {
		l.ended(tid, t, st, usage)
		return
	}
	if t == nil || t.state == unclaimed {
		l.unknown(tid, st)
		return
	}
	l.ledger.stops++
	if t.held != nil {
		// Only SIGKILL gets a thread out of a stop.
		l.cut(t)
	}
	if t.state == dying && st.event() != unix.PTRACE_EVENT_EXEC {
		l.proceed(t)
		return
	}
	t.state = stopped
	if st.event() != unix.PTRACE_EVENT_SECCOMP {
		t.stray = false // any stop takes the place of the one asked for (ptrace_stop in kernel/signal.c)
	}
	switch st.event() {
	case 0:
		if st.systemCall() {
			l.atExit(t)
		} else {
			l.atSignal(t, st.signal())
		}
	case unix.PTRACE_EVENT_SECCOMP:
		l.atCall(t)
	case unix.PTRACE_EVENT_CLONE, unix.PTRACE_EVENT_FORK, unix.PTRACE_EVENT_VFORK:
		l.created(t, st.event())
	case unix.PTRACE_EVENT_VFORK_DONE:
		l.place(t, at(clone, leave))
	case unix.PTRACE_EVENT_EXEC:
		l.executed(t)
	case unix.PTRACE_EVENT_EXIT:
		l.ending(t)
	case unix.PTRACE_EVENT_STOP:
		l.atStop(t, st.signal())
	default:
		l.proceed(t)
	}
}

// unknown is a child that is here before its parent told of it.
func (l *loop) unknown(tid int, st status) {
	if l.tasks[tid] == nil && st.event() == unix.PTRACE_EVENT_STOP {
		l.tasks[tid] = &task{tid: tid, state: unclaimed, signal: st.signal()}
		if l.gone != nil {
			l.claimOrphans(l.gone)
		}
		return
	}
	// It was killed, even before its first stop, or in it: nothing else gets a thread out of one.
	delete(l.tasks, tid)
	l.lost[tid] = true
	_ = ptrace(unix.PTRACE_CONT, tid, 0, 0)
}

// proceed lets a stopped thread go on, with the signal it was stopped for.
func (l *loop) proceed(t *task) {
	request := unix.PTRACE_CONT
	switch {
	case t.call.kind != kindNone:
		request = unix.PTRACE_SYSCALL // to see its exit
	case t.state == dying:
	case t.patched != 0:
		l.lift(t)
		request = unix.PTRACE_SINGLESTEP
	case t.steps != nil:
		request = unix.PTRACE_SINGLESTEP
	}
	sig := t.signal
	t.signal = 0
	if t.state != dying {
		t.state = running
	}
	// ESRCH is normal: somebody killed it, and what comes next tells so.
	_ = ptrace(request, t.tid, 0, uintptr(sig))
}
