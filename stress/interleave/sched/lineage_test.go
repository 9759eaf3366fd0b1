package sched

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const laneTID = 900

// script feeds records by hand.
type script struct {
	*lineage
}

func newScript(cfg Config) script {
	l := newLineage(cfg.withDefaults())
	l.lanes[laneTID] = true
	return script{l}
}

func (s script) root(at int64, pid int32) {
	s.take(0, &wire{kind: typeFork, at: at, pid: pid, tid: pid, ppid: 899, ptid: laneTID})
}

func (s script) thread(at int64, pid, tid, creator int32) {
	s.take(0, &wire{kind: typeFork, at: at, pid: pid, tid: tid, ppid: pid, ptid: creator})
}

func (s script) in(at int64, pid, tid int32, cpu int16) {
	s.take(cpu, &wire{kind: typeSwitch, at: at, pid: pid, tid: tid})
}

func (s script) out(at int64, pid, tid int32, cpu int16) {
	s.take(cpu, &wire{kind: typeSwitch, misc: miscSwitchOut, at: at, pid: pid, tid: tid})
}

func (s script) preempt(at int64, pid, tid int32, cpu int16) {
	s.take(cpu, &wire{kind: typeSwitch, misc: miscSwitchOut | miscPreempt, at: at, pid: pid, tid: tid})
}

func (s script) exit(at int64, pid, tid int32, cpu int16) {
	s.take(cpu, &wire{kind: typeExit, at: at, pid: pid, tid: tid})
}

func (s script) name(at int64, pid, tid int32, name string, exec bool) {
	w := &wire{kind: typeComm, at: at, pid: pid, tid: tid, name: name}
	if exec {
		w.misc = miscCommExec
	}
	s.take(0, w)
}

func (s script) attach(pid int32, after int64) *story { return s.claim(1, pid, after) }

func TestOneAttemptFromItsForkToItsEnd(t *testing.T) {
	s := newScript(Config{})
	s.root(10, 5)
	a := s.attach(5, 9)
	s.in(20, 5, 5, 0)
	s.name(25, 5, 5, "main", true)
	s.thread(30, 5, 6, 5)
	s.preempt(40, 5, 5, 0)
	s.in(41, 5, 6, 0)
	s.name(42, 5, 6, "worker", false)
	s.out(50, 5, 6, 0)
	s.in(70, 5, 5, 1)
	s.thread(80, 5, 7, 5)
	s.exit(90, 5, 6, 0)
	s.exit(100, 5, 5, 1)
	r := a.record(120)
	require.Len(t, r.Threads, 3)
	main, worker, late := r.Threads[0], r.Threads[1], r.Threads[2]
	require.Equal(t, Thread{PID: 5, TID: 5, Parent: -1, Name: "main", Names: []Naming{{25, "main", true}},
		Created: 10, FirstRun: 20, Exited: 100, CPUTime: 50, Runs: 2, Preemptions: 1, Migrations: 1, Stalled: 30, LongestStall: 30, StallAt: 40}, main)
	require.Equal(t, Thread{PID: 5, TID: 6, Parent: 0, Name: "worker", Names: []Naming{{42, "worker", false}},
		Created: 30, FirstRun: 41, Exited: 90, CPUTime: 9, Runs: 1, Sleeps: 1}, worker)
	require.True(t, late.NeverRan())
	require.Equal(t, "main", late.Name)
	require.Equal(t, []int{2}, NeverRan(r))
	latency, ok := worker.StartLatency()
	require.True(t, ok)
	require.Equal(t, 11*time.Nanosecond, latency)
	_, ok = late.StartLatency()
	require.False(t, ok)
	worst, who := WorstStart(r)
	require.Equal(t, 40*time.Nanosecond, worst, "the one that never ran has waited longest")
	require.Equal(t, 2, who)
	require.True(t, worker.RanBy(41))
	require.False(t, worker.RanBy(40))
	require.Equal(t, []Span{{0, 0, 20, 40, Preempted}, {1, 0, 41, 50, Out}, {0, 1, 70, 100, Exited}}, Spans(r))
	require.Equal(t, Totals{CPUTime: 59, Runs: 3, Sleeps: 1, Preemptions: 1, Migrations: 1, LongestStall: 30, Stalled: 0, Processes: 1}, Sum(r))
	require.Equal(t, 2, Sum(r).Switches())
}

func TestAttachMayComeBeforeTheRecords(t *testing.T) {
	s := newScript(Config{})
	a := s.attach(5, 9)
	s.root(10, 5)
	s.in(20, 5, 5, 0)
	require.Len(t, a.threads, 1)
	require.Equal(t, int64(10), a.began)
	require.Empty(t, s.claims)
	require.Zero(t, s.strays)
}

func TestANumberUsedAgainIsAnotherAttempt(t *testing.T) {
	s := newScript(Config{})
	s.root(10, 5) // its exec fails: nobody names it
	s.exit(12, 5, 5, 0)
	b := s.attach(5, 19)
	require.Empty(t, b.threads, "the earlier process is not it")
	s.root(20, 5)
	s.in(21, 5, 5, 0)
	require.Len(t, b.threads, 1)
	require.Len(t, s.roots, 1)
	s.forget(b)
	s.in(22, 5, 5, 0)
	require.Equal(t, uint64(1), s.strays)
}

func TestNobodyNamesIt(t *testing.T) {
	s := newScript(Config{MaxAttempts: 2})
	s.root(10, 5)
	s.expire(int64(claimWithin) + 9)
	require.Len(t, s.roots, 1)
	s.expire(int64(claimWithin) + 11)
	require.Empty(t, s.roots)
	for pid := range int32(9) {
		s.root(100, 10+pid)
	}
	require.Len(t, s.roots, 4, "the oldest give way")
	require.Len(t, s.live, 4)
}

func TestTwoAttemptsStayApart(t *testing.T) {
	s := newScript(Config{})
	s.root(10, 5)
	s.root(11, 6)
	a, b := s.attach(5, 9), s.attach(6, 9)
	s.in(20, 5, 5, 0)
	s.in(21, 6, 6, 1)
	s.take(0, &wire{kind: typeFork, at: 22, pid: 7, tid: 7, ppid: 5, ptid: 5})
	s.in(23, 7, 7, 0)
	require.Len(t, a.threads, 2)
	require.Len(t, b.threads, 1)
	require.Equal(t, 0, a.threads[1].Parent)
	require.Equal(t, 2, Sum(a.record(30)).Processes)
}

func TestBudgets(t *testing.T) {
	t.Run("threads", func(t *testing.T) {
		s := newScript(Config{MaxThreads: 10})
		a := s.attach(5, 0)
		s.root(10, 5)
		for i := range int32(10_000) {
			s.thread(20, 5, 100+i, 5)
			s.in(21, 5, 100+i, 0)
		}
		r := a.record(30)
		require.Len(t, r.Threads, 10)
		require.Equal(t, 9_991, r.ThreadsDropped)
		s.forget(a)
		require.Empty(t, s.tasks)
	})
	t.Run("events", func(t *testing.T) {
		s := newScript(Config{MaxEvents: 10})
		a := s.attach(5, 0)
		s.root(1, 5)
		for i := range int64(1_000_000) {
			s.in(10+2*i, 5, 5, 0)
			s.out(11+2*i, 5, 5, 0)
		}
		r := a.record(3_000_000)
		require.Len(t, r.Events, 10)
		require.Equal(t, 2_000_001-10, r.Dropped)
		require.Equal(t, 5, r.Gap)
		require.Equal(t, int64(13), r.Events[4].At)
		require.Equal(t, int64(10+2*999_999+1), r.Events[9].At)
		require.Equal(t, 1_000_000*time.Nanosecond, r.Threads[0].CPUTime, "figures count what is not kept")
		require.Len(t, Spans(r), 4, "no span across the gap")
	})
	t.Run("all events together", func(t *testing.T) {
		s := newScript(Config{MaxEvents: 100, TotalEvents: 12})
		a, b := s.attach(5, 0), s.attach(6, 0)
		s.root(1, 5)
		s.root(1, 6)
		for i := range int64(20) {
			s.in(10+i, 5, 5, 0)
		}
		require.Zero(t, s.budget.left)
		s.in(50, 6, 6, 0)
		require.Equal(t, 10, a.record(60).Dropped)
		require.Equal(t, 1, b.record(60).Dropped)
		s.forget(a)
		require.Equal(t, 11, s.budget.left)
		s.forget(b)
		require.Equal(t, 12, s.budget.left)
	})
}

func TestNamesAreBounded(t *testing.T) {
	s := newScript(Config{})
	a := s.attach(5, 0)
	s.root(1, 5)
	for range 100 {
		s.name(2, 5, 5, "again", false)
	}
	require.Len(t, a.threads[0].Names, maxNames)
}

func TestLostRecords(t *testing.T) {
	t.Run("counted for all who were there", func(t *testing.T) {
		s := newScript(Config{})
		a := s.attach(5, 0)
		s.take(0, &wire{kind: typeLost, lost: 7})
		b := s.attach(6, 0)
		s.take(1, &wire{kind: typeLost, lost: 2})
		require.Equal(t, uint64(9), a.record(1).Lost)
		require.Equal(t, uint64(2), b.record(1).Lost)
		require.Equal(t, uint64(9), s.lost)
	})
	t.Run("a creation", func(t *testing.T) {
		s := newScript(Config{})
		a := s.attach(5, 0)
		s.root(1, 5)
		s.out(2, 5, 77, 0)
		s.exit(2, 5, 78, 0)
		require.Equal(t, uint64(2), s.strays)
		s.in(3, 5, 77, 0)
		r := a.record(10)
		require.Len(t, r.Threads, 2)
		require.Equal(t, -1, r.Threads[1].Parent)
		require.Equal(t, 1, r.Threads[1].Gaps)
		require.False(t, r.Threads[1].NeverRan())
		_, ok := r.Threads[1].StartLatency()
		require.False(t, ok)
	})
	t.Run("a departure and an arrival", func(t *testing.T) {
		s := newScript(Config{})
		a := s.attach(5, 0)
		s.root(1, 5)
		s.in(10, 5, 5, 0)
		s.in(20, 5, 5, 1) // left CPU 0, nobody knows when
		s.out(25, 5, 5, 1)
		s.out(30, 5, 5, 0) // came back, nobody knows when
		r := a.record(40)
		require.Equal(t, 2, r.Threads[0].Gaps)
		require.Equal(t, 5*time.Nanosecond, r.Threads[0].CPUTime)
		require.Equal(t, []Span{{0, 1, 20, 25, Out}}, Spans(r))
	})
	t.Run("an exit", func(t *testing.T) {
		s := newScript(Config{})
		a, b := s.attach(5, 0), s.attach(6, 0)
		s.root(1, 5)
		s.root(1, 6)
		s.thread(2, 5, 9, 5)
		s.thread(3, 6, 9, 6) // the number is someone else's now
		s.in(4, 6, 9, 0)
		require.Zero(t, a.threads[1].Runs)
		require.Equal(t, 1, b.threads[1].Runs)
		s.forget(a)
		require.Equal(t, b, s.tasks[9].story)
	})
}

func TestExecByAnotherThreadThanTheFirst(t *testing.T) {
	s := newScript(Config{})
	a := s.attach(5, 0)
	s.root(1, 5)
	s.thread(2, 5, 6, 5)
	s.in(3, 5, 6, 0)
	s.exit(4, 5, 5, 0)
	s.name(5, 5, 5, "next", true) // thread 6 goes on as 5
	s.out(9, 5, 5, 0)
	r := a.record(10)
	require.Len(t, r.Threads, 2)
	require.Equal(t, 5, r.Threads[1].TID)
	require.Equal(t, "next", r.Threads[1].Name)
	require.Equal(t, 6*time.Nanosecond, r.Threads[1].CPUTime)
	require.NotContains(t, s.tasks, int32(6))
}

func TestAStallThatHasNotEnded(t *testing.T) {
	s := newScript(Config{})
	a := s.attach(5, 0)
	s.root(1, 5)
	s.in(2, 5, 5, 0)
	s.preempt(3, 5, 5, 0)
	r := a.record(100)
	require.Equal(t, 97*time.Nanosecond, r.Threads[0].LongestStall)
	require.Equal(t, int64(3), r.Threads[0].StallAt)
	s.exit(50, 5, 5, 0) // killed while it waited: it has not stalled since
	require.Zero(t, a.record(100).Threads[0].LongestStall)
}
