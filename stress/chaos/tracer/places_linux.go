package tracer

import (
	"cmp"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/chaos"
)

// place is a thread stopped where it may be held.
func (l *loop) place(t *task, p point) {
	t.seen[p]++
	l.come(t, spot{thread: t.path, point: p, n: int64(t.seen[p])})
}

// come is a thread at a point.
func (l *loop) come(t *task, s spot) {
	t.last.spot = s
	p, now := s.point, l.clock.now()
	l.ledger.passed(t, p, now)
	if p.kind() == exit {
		defer func() {
			if t.held == nil {
				t.state = dying
			}
		}()
	}
	switch {
	case l.quiet || t.proc.prelude && !p.always():
		l.goOn(t, p)
		return
	case t.pending != nil:
		o := t.pending
		t.pending = nil
		l.hold(t, o.act, o.from)
		return
	case t.steps != nil || t.fuse != nil:
		// It is on its way to where it will be held.
		l.goOn(t, p)
		return
	}
	if l.plan.Strategy == chaos.PCT {
		t.last.cpu = cpuTime(t) // it interrupts threads, and says how far they were
	}
	if l.witness.meets(t, len(l.holds) > 0) {
		l.hold(t, act{hold: answerTime}, l.here(t))
		l.ask(t)
		return
	}
	a, from := l.strategy.at(t, p, s.n), l.here(t)
	l.obey(t, a, from)
	if a == (act{}) && p.kind() == breakpoint && !l.plan.Replay {
		l.ledger.stop(from, t.tid, now, min(l.clock.now()-now, l.plan.MaxHold))
	}
}

func (l *loop) goOn(t *task, p point) {
	if p.kind() == exit {
		t.state = dying
	}
	l.proceed(t)
}

// here is the address of the point at which a thread is.
func (l *loop) here(t *task) chaos.Address {
	return chaos.Address{Thread: cmp.Or(t.last.thread, t.path), Kind: t.last.point.String(), Site: t.last.site, N: t.last.n}
}

// obey does to a stopped thread what was decided.
func (l *loop) obey(t *task, a act, from chaos.Address) {
	switch {
	case a == act{}:
		l.goOn(t, t.last.point)
	case !t.delays.allow(l.clock.now(), a.hold, l.each):
		l.skip(t)
	case a.steps > 0 && t.last.point.kind() != exit:
		l.walk(t, a, from)
	case a.cpu > 0 && t.last.point.kind() != exit:
		l.light(t, a, from)
		l.proceed(t)
	default:
		l.hold(t, a, from)
	}
}

// hold keeps a stopped thread, if the bounds allow it.
func (l *loop) hold(t *task, a act, from chaos.Address) {
	now := l.clock.now()
	l.ledger.planned++
	long := a.hold
	if a.park {
		long = t.delays.room(now, min(l.plan.MaxStarve, l.bounds.left(now)), l.each)
	}
	if a.park && long == 0 || !a.park && !l.bounds.take(now, long) {
		l.ledger.skipped++
		l.goOn(t, t.last.point)
		return
	}
	h := &held{task: t, from: now, until: now + long, park: a.park}
	h.made = l.ledger.hold(func() chaos.Made {
		return chaos.Made{Decision: chaos.Decision{Address: from, Hold: long}, At: now, TID: t.tid,
			Name: threadName(t), Call: describe(t), PC: where(t)}
	})
	l.ledger.begin(h)
	t.held, t.state = h, holding
	l.holds.add(h)
	l.arm()
}

// letGo ends a hold; the thread goes on, unless its stack is to be taken first.
func (l *loop) letGo(t *task) {
	if !l.quiet && l.witness.meets(t, true) {
		l.ask(t)
		return
	}
	l.finish(t)
	l.goOn(t, t.last.point)
	l.arm()
}

// cut ends the hold of a thread that is not there any more, or was killed.
func (l *loop) cut(t *task) {
	l.finish(t)
	l.bounds.refund(l.clock.now(), l.holds)
	l.arm()
}

func (l *loop) finish(t *task) {
	h, now := t.held, l.clock.now()
	t.held = nil
	l.holds.remove(h)
	t.delays.add(h.from, now, l.each)
	if h.park {
		l.bounds.charge(h.from, now)
	}
	l.ledger.released(h, now)
}

// walk has a thread run single instructions and then be held. The kernel answers a step with a SIGTRAP that it forces: if
// the thread has that blocked, as it has all signals in the middle of pthread_create(3), the test's own handler would be
// taken away (force_sig_info_to_task in kernel/signal.c). Where there is one, CPU time takes the place of steps.
func (l *loop) walk(t *task, a act, from chaos.Address) {
	if catches(t, unix.SIGTRAP) {
		l.ledger.note("a program has a handler for SIGTRAP: it was stopped after some CPU time instead of single steps")
		a.cpu, a.steps = time.Duration(a.steps), 0
		l.light(t, a, from)
		l.proceed(t)
		return
	}
	from.Steps = a.steps
	now := l.clock.now()
	if l.bounds.left(now) == 0 {
		l.skip(t)
		return
	}
	t.proc.stepped = true
	t.steps = &walk{from: from, left: a.steps, act: act{hold: a.hold, park: a.park}, began: now, paid: now}
	l.ledger.walks++
	l.proceed(t)
}

// longestWalk is after what time a thread has walked far enough: beside hundreds of others a step may take as long as a
// turn of the CPU. It is held where it has come to. A replay walks as far as it did.
const longestWalk = 100 * time.Millisecond

// stepsToPay is after how many steps their time is put on the account: a step costs thousands of times what an instruction
// does, and a walk that nothing is left for must end soon.
const stepsToPay = 64

// step is a thread after one instruction.
func (l *loop) step(t *task) {
	l.ledger.steps++
	w := t.steps
	w.left--
	paid := true
	if w.left%stepsToPay == 0 {
		now := l.clock.now()
		if paid = l.bounds.take(w.paid, now-w.paid); !paid {
			l.bounds.charge(w.paid, now)
		}
		w.paid = now
		if l.each.most > 0 && now-w.began >= longestWalk {
			w.from.Steps, w.left = w.from.Steps-w.left, 0
		}
	}
	if paid && w.left > 0 {
		_ = ptrace(unix.PTRACE_SINGLESTEP, t.tid, 0, 0)
		t.state = running
		return
	}
	t.steps = nil
	t.delays.add(w.began, l.clock.now(), l.each)
	if !paid || l.quiet {
		l.skip(t)
		return
	}
	l.hold(t, w.act, w.from)
	l.tellParked(t)
}

// skip is a decision that there is no time for: the thread goes on.
func (l *loop) skip(t *task) {
	l.ledger.planned++
	l.ledger.skipped++
	l.goOn(t, t.last.point)
}

// tellParked tells the strategy of a thread that was parked where it was not asked.
func (l *loop) tellParked(t *task) {
	if t.held != nil && t.held.park {
		l.strategy.gone(t)
	}
}

// interrupted is a thread that was stopped on demand, or because its group goes on.
func (l *loop) interrupted(t *task) {
	if t.pending == nil || l.quiet {
		l.proceed(t)
		return
	}
	o := t.pending
	t.pending = nil
	l.hold(t, o.act, o.from)
	l.tellParked(t)
}

// where is the instruction that a stopped thread will run next.
func where(t *task) string {
	var info callInfo
	if readCall(t.tid, &info) != nil {
		return ""
	}
	for range 2 {
		if found := name(t.proc.maps, info.ip); found != "" {
			return found
		}
		t.proc.maps = readMaps(t.proc.pid) // not read yet, or it has mapped more since
	}
	return ""
}

func (l *loop) now() time.Duration { return l.clock.now() }

// spent is for strategies.
func (l *loop) spent() bool { return l.bounds.left(l.clock.now()) == 0 }

// living is for strategies.
func (l *loop) living() []*task { return l.order }

// interrupt is for strategies.
func (l *loop) interrupt(t *task, a act) {
	if t.state != running || t.pending != nil {
		return
	}
	from := l.here(t)
	from.CPU = max(cpuTime(t)-t.last.cpu, time.Nanosecond)
	l.stopAt(t, a, from)
}

// stopAt stops a thread as soon as it can be, wherever it is, and holds it.
func (l *loop) stopAt(t *task, a act, from chaos.Address) {
	t.pending = &order{act: a, from: from}
	if t.state != running || t.call.kind != kindNone {
		return // it is held, or in the kernel, and is stopped when it comes out
	}
	if ptrace(unix.PTRACE_INTERRUPT, t.tid, 0, 0) == nil {
		t.stray = true
	}
}

// release is for strategies.
func (l *loop) release(t *task) {
	if t.held != nil && t.held.park {
		l.letGo(t)
	}
}
