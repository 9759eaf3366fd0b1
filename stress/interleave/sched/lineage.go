package sched

import (
	"maps"
	"slices"
)

// lineage knows which attempt a thread belongs to. Attempts are the processes that followed threads fork;
// whatever those create belongs to them.
type lineage struct {
	cfg    Config
	budget budget
	lanes  map[int32]bool   // threads followed, by tid
	tasks  map[int32]member // living threads of attempts, by tid
	homes  map[int32]*story // attempts by pid, for threads whose creation was lost
	roots  []root           // main processes nobody has named yet, oldest first
	claims map[*story]claim // Attach came before the fork's record
	live   map[*story]bool
	strays uint64
	lost   uint64
}

type member struct {
	story *story
	index int
}

// root is a main process before Attach.
type root struct {
	pid   int32
	at    int64
	story *story
}

// claim is an attempt before its main process was seen. A number is given to many processes in turn: the
// one meant was forked at or after a time and had not been reaped when it was named.
type claim struct {
	pid   int32
	after int64
}

func newLineage(cfg Config) *lineage {
	return &lineage{
		cfg: cfg, budget: budget{left: cfg.TotalEvents},
		lanes: map[int32]bool{}, tasks: map[int32]member{}, homes: map[int32]*story{},
		claims: map[*story]claim{}, live: map[*story]bool{},
	}
}

// take deals with one record.
func (l *lineage) take(cpu int16, w *wire) {
	switch w.kind {
	case typeFork:
		l.fork(cpu, w)
	case typeLost:
		l.lost += w.lost
		for s := range l.live {
			s.lost += w.lost
		}
	case typeSwitch, typeSwitchC, typeComm, typeExit:
		l.happen(cpu, w)
	}
}

// fork gives a new thread to its creator's attempt; the fork of a followed thread begins an attempt.
func (l *lineage) fork(cpu int16, w *wire) {
	if parent, ok := l.tasks[w.ptid]; ok {
		name := ""
		if parent.index != none {
			name = parent.story.threads[parent.index].Name // a thread begins with its creator's name
		}
		l.adopt(parent.story, w, cpu, parent.index, name)
		return
	}
	switch {
	case l.lanes[w.ptid] && w.pid != w.ppid:
		l.adopt(l.begin(w), w, cpu, none, "")
	case l.homes[w.ppid] != nil:
		l.adopt(l.homes[w.ppid], w, cpu, none, "")
	default:
		l.strays++
	}
}

func (l *lineage) adopt(s *story, w *wire, cpu int16, parent int, name string) {
	l.tasks[w.tid] = member{s, s.create(w, cpu, parent, name)}
	l.homes[w.pid] = s
}

// begin finds the attempt of a new main process, or makes one that waits to be named.
func (l *lineage) begin(w *wire) *story {
	for s, c := range l.claims {
		if c.pid == w.pid && c.after <= w.at {
			delete(l.claims, s)
			s.began = w.at
			return s
		}
	}
	if len(l.roots) >= 2*l.cfg.MaxAttempts { // those attached but not yet told, and failed starts
		l.forget(l.roots[0].story)
		l.roots = slices.Delete(l.roots, 0, 1)
	}
	s := l.open()
	s.began = w.at
	l.roots = append(l.roots, root{w.pid, w.at, s})
	return s
}

func (l *lineage) open() *story {
	s := &story{max: l.cfg.MaxThreads, tape: tape{budget: &l.budget, half: max(l.cfg.MaxEvents/2, 1)}}
	l.live[s] = true
	return s
}

// happen folds a record of a thread that exists.
func (l *lineage) happen(cpu int16, w *wire) {
	m, ok := l.tasks[w.tid]
	if !ok {
		if m, ok = l.stranger(w); !ok {
			l.strays++
			return
		}
		l.tasks[w.tid] = m
	}
	if m.index != none {
		m.story.apply(w, cpu, m.index)
	}
	if w.kind == typeExit {
		delete(l.tasks, w.tid)
	}
}

// stranger finds out about a thread that is in an attempt's process and has a number nobody has heard of.
func (l *lineage) stranger(w *wire) (member, bool) {
	s := l.homes[w.pid]
	if s == nil {
		return member{}, false
	}
	if i := s.heir(w); i != none {
		delete(l.tasks, int32(s.threads[i].TID))
		s.threads[i].TID = int(w.tid)
		return member{s, i}, true
	}
	// A thread that ends, or leaves a CPU it was not seen to enter, is not worth an entry.
	if w.kind == typeExit || w.kind != typeComm && w.misc&miscSwitchOut != 0 {
		return member{}, false
	}
	return member{s, s.meet(w)}, true
}

// claim names the attempt of a main process. Its fork may have been seen or not.
func (l *lineage) claim(key int64, pid int32, after int64) *story {
	for i, r := range l.roots {
		if r.pid == pid && r.at >= after {
			l.roots = slices.Delete(l.roots, i, i+1)
			r.story.key = key
			return r.story
		}
	}
	s := l.open()
	s.key = key
	l.claims[s] = claim{pid, after}
	return s
}

// expire drops main processes that nobody named in time.
func (l *lineage) expire(now int64) {
	n := 0
	for n < len(l.roots) && now-l.roots[n].at > int64(claimWithin) {
		l.forget(l.roots[n].story)
		n++
	}
	l.roots = slices.Delete(l.roots, 0, n)
}

// forget removes an attempt and all its threads.
func (l *lineage) forget(s *story) {
	for i := range s.threads {
		pid, tid := int32(s.threads[i].PID), int32(s.threads[i].TID)
		if l.tasks[tid].story == s {
			delete(l.tasks, tid)
		}
		if l.homes[pid] == s {
			delete(l.homes, pid)
		}
	}
	if s.refused > 0 {
		maps.DeleteFunc(l.tasks, func(_ int32, m member) bool { return m.story == s })
	}
	delete(l.claims, s)
	delete(l.live, s)
	s.tape.release()
}
