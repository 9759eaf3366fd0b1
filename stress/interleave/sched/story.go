package sched

import "time"

// story follows one attempt: it folds records, in the order of their times, into threads and events.
// Figures are made as records come, so that they hold also when events are not kept.
type story struct {
	key     int64
	began   int64
	max     int // threads
	threads []actor
	tape    tape
	lost    uint64
	refused int // threads
}

// actor is a thread and where it is now.
type actor struct {
	Thread
	running bool
	stalled bool // off the CPU, but could run
	ran     bool // it has been on a CPU: cpu is where
	cpu     int16
	since   int64 // when running or stalled began
}

// none stands for a thread that is not told apart, or not known.
const none = -1

// create adds a thread and gives its index, or none if there are too many.
func (s *story) create(w *wire, cpu int16, parent int, name string) int {
	if len(s.threads) >= s.max {
		s.refused++
		return none
	}
	a := actor{Thread: Thread{PID: int(w.pid), TID: int(w.tid), Parent: parent, Name: name, Created: w.at}}
	s.threads = append(s.threads, a)
	return s.note(w, cpu, len(s.threads)-1, Created)
}

// meet adds a thread whose creation was lost: it is first seen as it begins to run.
func (s *story) meet(w *wire) int {
	if len(s.threads) >= s.max {
		s.refused++
		return none
	}
	s.threads = append(s.threads, actor{Thread: Thread{PID: int(w.pid), TID: int(w.tid), Parent: none, Gaps: 1}})
	return len(s.threads) - 1
}

// heir finds the thread that goes on under its process's number: exec by another thread than the first
// ends all the others, and the one left takes the first one's number (execve(2)).
func (s *story) heir(w *wire) int {
	if w.tid != w.pid {
		return none
	}
	found := none
	for i := range s.threads {
		if s.threads[i].PID != int(w.pid) || s.threads[i].Exited != 0 {
			continue
		}
		if found != none {
			return none
		}
		found = i
	}
	return found
}

// apply folds what happened to thread i.
func (s *story) apply(w *wire, cpu int16, i int) {
	a := &s.threads[i]
	switch w.kind {
	case typeSwitch, typeSwitchC:
		s.note(w, cpu, i, a.change(w, cpu))
	case typeExit:
		a.leave(w.at)
		a.Exited = w.at
		a.stalled = false
		s.note(w, cpu, i, Exited)
	case typeComm:
		a.Name = w.name
		if len(a.Names) < maxNames {
			a.Names = append(a.Names, Naming{At: w.at, Name: w.name, Exec: w.misc&miscCommExec != 0})
		}
		s.note(w, cpu, i, Named)
	}
}

func (s *story) note(w *wire, cpu int16, i int, kind Kind) int {
	s.tape.add(Event{At: w.at, Thread: int32(i), CPU: cpu, Kind: kind})
	return i
}

// change moves a thread onto a CPU or off it.
func (a *actor) change(w *wire, cpu int16) Kind {
	if w.misc&miscSwitchOut == 0 {
		a.enter(w.at, cpu)
		return In
	}
	if !a.running {
		a.Gaps++
	}
	a.leave(w.at)
	if w.misc&miscPreempt == 0 {
		a.Sleeps++
		return Out
	}
	a.Preemptions++
	a.stalled, a.since = true, w.at
	return Preempted
}

func (a *actor) enter(at int64, cpu int16) {
	if a.running {
		// It must have left meanwhile, nobody knows when: what it ran before is not counted.
		a.Gaps++
	}
	a.endStall(at)
	a.Runs++
	if a.FirstRun == 0 {
		a.FirstRun = at
	}
	if a.ran && a.cpu != cpu {
		a.Migrations++
	}
	a.running, a.ran, a.cpu, a.since = true, true, cpu, at
}

func (a *actor) leave(at int64) {
	if a.running {
		a.CPUTime += time.Duration(max(at-a.since, 0))
	}
	a.running = false
}

func (a *actor) endStall(at int64) {
	if a.stalled {
		stall := time.Duration(max(at-a.since, 0))
		a.Stalled += stall
		if stall > a.LongestStall {
			a.LongestStall, a.StallAt = stall, a.since
		}
	}
	a.stalled = false
}

// record closes the story at a time: what still runs, or waits to run, does so until then.
func (s *story) record(now int64) Record {
	r := Record{Key: s.key, Threads: make([]Thread, len(s.threads)), Dropped: s.tape.lost,
		ThreadsDropped: s.refused, Lost: s.lost, Began: s.began, Ended: now}
	for i := range s.threads {
		a := s.threads[i]
		a.endStall(now)
		a.leave(now)
		r.Threads[i] = a.Thread
	}
	r.Events, r.Gap = s.tape.events()
	return r
}
