package interleave

import (
	"slices"
	"time"

	"heisen/stress/run"
)

// layout puts the steps of a trace into their canonical order. It uses no recursion: a chain of threads each
// of which creates the next may be thousands long.
type layout struct {
	trace *run.Trace
	// own are each thread's creations and marks, in its order, and place where its creation stands among
	// its creator's.
	own   [][]step
	place []int
	exact []bool // of each thread: it has marks, and the place of a first run among its steps counts
	next  []int  // of each thread: its own steps before this one are written
	ran   []bool // the first run is written
	out   []step
}

func newLayout(t *run.Trace, own [][]step) *layout {
	l := &layout{trace: t, own: own, exact: make([]bool, len(own)), place: make([]int, len(own)), next: make([]int, len(own)), ran: make([]bool, len(own))}
	for i := range l.place {
		l.place[i] = -1
	}
	for p, steps := range own {
		for i, s := range steps {
			if s.kind == create {
				l.place[s.child] = i
			} else {
				l.exact[p] = true
			}
		}
	}
	return l
}

// all writes every mark, before it what its thread had done and what had to happen for the thread to be
// there, and then the rest thread by thread.
func (l *layout) all(marks []step) []step {
	for _, m := range marks {
		if m.thread < 0 {
			l.out = append(l.out, m)
			continue
		}
		l.bring(m.thread)
		for done := false; !done && l.next[m.thread] < len(l.own[m.thread]); {
			s := l.own[m.thread][l.next[m.thread]]
			done = s.kind == marked && s.point == m.point
			l.advance(m.thread)
		}
	}
	ended := make([]bool, len(l.own))
	for root := range l.own {
		for todo := []int{root}; len(todo) > 0; {
			p := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if ended[p] {
				continue
			}
			ended[p] = true
			for l.next[p] < len(l.own[p]) {
				l.advance(p)
			}
			l.end(p)
			for _, s := range slices.Backward(l.own[p]) {
				if s.kind == create {
					todo = append(todo, s.child)
				}
			}
		}
	}
	return l.out
}

// bring writes a thread's creation and first run, and its creator's before that.
func (l *layout) bring(thread int) {
	var line []int
	for t := thread; l.place[t] >= 0 && !l.ran[t] && len(line) < len(l.own); t = l.trace.Threads[t].Parent {
		line = append(line, t)
	}
	for _, t := range slices.Backward(line) {
		p := l.trace.Threads[t].Parent
		for until := max(l.slot(t), l.place[t]); l.next[p] <= until; {
			l.advance(p)
		}
		if l.trace.Threads[t].FirstRun != run.NotSeen {
			l.first(t)
		}
	}
}

// advance writes a thread's next own step, and after it the first runs whose place that is.
func (l *layout) advance(p int) {
	i := l.next[p]
	l.next[p]++
	l.out = append(l.out, l.own[p][i])
	for j := i; j >= 0 && i-j <= farthest; j-- {
		if s := l.own[p][j]; s.kind == create && l.slot(s.child) == i && (l.exact[p] || j == i) {
			l.first(s.child)
		}
		if !l.exact[p] {
			return
		}
	}
}

// farthest bounds how many of its creator's steps a first run is told apart by; what comes later is late.
const farthest = 64

// slot is the last of its creator's own steps that came before a thread's first run; -1 where it did not run
// before its creator's end.
func (l *layout) slot(child int) int {
	ran, p := l.trace.Threads[child].FirstRun, l.trace.Threads[child].Parent
	if ran == run.NotSeen || l.after(ran, p) {
		return -1
	}
	own, i := l.own[p], l.place[child]
	for last := i + farthest; i+1 < len(own) && i <= last && own[i+1].at <= ran; i++ {
	}
	return i
}

// first writes a first run, once.
func (l *layout) first(child int) {
	if !l.ran[child] {
		l.ran[child] = true
		l.out = append(l.out, step{kind: firstRun, thread: child, at: l.trace.Threads[child].FirstRun})
	}
}

// after tells that something came after a thread's end. A thread that first ran only after its creator's
// end mostly did so to be killed with the process.
func (l *layout) after(at time.Duration, p int) bool {
	end := l.trace.Threads[p].Exited
	return end != run.NotSeen && at > end
}

// end writes what is known at a thread's end: the children that had run by then although not at once, and
// the processes that had ended; then the end; then what came later.
func (l *layout) end(p int) {
	var later []step
	for _, s := range l.own[p] {
		if s.kind != create {
			continue
		}
		child := l.trace.Threads[s.child]
		switch {
		case child.FirstRun == run.NotSeen:
		case !l.after(child.FirstRun, p):
			l.first(s.child)
		case !l.ran[s.child]:
			l.ran[s.child] = true
			later = append(later, step{kind: firstRun, thread: s.child, at: child.FirstRun})
		}
		if child.PID == l.trace.Threads[p].PID || child.Exited == run.NotSeen {
			continue
		}
		if ended := (step{kind: exit, thread: s.child, at: child.Exited}); l.after(child.Exited, p) {
			later = append(later, ended)
		} else {
			l.out = append(l.out, ended)
		}
	}
	if at := l.trace.Threads[p].Exited; at != run.NotSeen && (len(later) > 0 || p == 0) {
		l.out = append(l.out, step{kind: exit, thread: p, at: at})
	}
	l.out = append(l.out, later...)
}
