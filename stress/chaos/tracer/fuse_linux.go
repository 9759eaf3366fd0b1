package tracer

import (
	"time"

	"heisen/stress/chaos"
)

// Looks at a thread that uses no CPU time come ever later.
const (
	soonest = 50 * time.Microsecond
	latest  = 20 * time.Millisecond
)

// light begins a fuse at the point where the thread is stopped.
func (l *loop) light(t *task, a act, from chaos.Address) {
	from.CPU = a.cpu
	used := cpuTime(t)
	t.fuse = &fuse{task: t, from: from, act: act{hold: a.hold, park: a.park}, end: used + a.cpu,
		due: l.clock.now() + max(a.cpu, soonest), wait: soonest}
	l.fuses = append(l.fuses, t.fuse)
	l.arm()
}

// burn looks at the fuses that are due.
func (l *loop) burn(now time.Duration) {
	kept := l.fuses[:0]
	for _, f := range l.fuses {
		if f.task.fuse != f {
			continue // put out
		}
		if f.due > now {
			kept = append(kept, f)
			continue
		}
		rest := f.end - cpuTime(f.task)
		if rest > 0 {
			f.wait = min(2*f.wait, latest)
			f.due = now + max(rest, f.wait)
			kept = append(kept, f)
			continue
		}
		f.task.fuse = nil
		l.stopAt(f.task, f.act, f.from)
	}
	clear(l.fuses[len(kept):])
	l.fuses = kept
}

// nextFuse is when the next look is due, 0 for never.
func (l *loop) nextFuse() (next time.Duration) {
	for _, f := range l.fuses {
		if next == 0 || f.due < next {
			next = f.due
		}
	}
	return next
}
