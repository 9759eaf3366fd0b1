package sched

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"heisen/stress/cpus"
)

// someCPU is a CPU this process may run on.
func someCPU(t *testing.T) int {
	list, err := cpus.Allowed()
	require.NoError(t, err)
	return list[0]
}

func TestRecordsAProcessFromItsFork(t *testing.T) {
	l := newLane(t, Config{})
	before := l.rec.now()
	r := l.startProgram(7, []string{"/bin/true"}, nil).finish()
	require.Equal(t, int64(7), r.Key)
	require.Zero(t, r.Lost)
	require.Len(t, r.Threads, 1)
	main := r.Threads[0]
	require.Greater(t, r.Began, before)
	require.Equal(t, r.Began, main.Created)
	require.Less(t, main.Created, main.FirstRun)
	require.Less(t, main.FirstRun, main.Exited)
	require.Less(t, main.Exited, r.Ended)
	require.Equal(t, "true", main.Name)
	require.True(t, main.Names[0].Exec)
	require.Greater(t, main.Names[0].At, main.FirstRun, "it ran before it executed")
	require.Equal(t, Created, r.Events[0].Kind)
	require.Equal(t, In, r.Events[1].Kind)
	require.Equal(t, Exited, r.Events[len(r.Events)-1].Kind)
	require.WithinDuration(t, time.Now(), l.rec.Time(main.Exited), time.Minute)
}

func TestWithoutFollowNothingIsRecorded(t *testing.T) {
	l := newLane(t, Config{})
	other := &lane{tb: t, rec: l.rec, work: make(chan func())}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for work := range other.work {
			work()
		}
	}()
	r := other.startProgram(1, []string{"/bin/true"}, nil).finish()
	close(other.work)
	<-done
	require.Empty(t, r.Events)
	require.Empty(t, r.Threads)
}

// TestSpansOfOneCPU runs three threads that want one CPU: they must take turns, and what the record says
// they had of it is what the kernel accounts.
func TestSpansOfOneCPU(t *testing.T) {
	l := newLane(t, Config{})
	stolen := steal(t, someCPU(t))
	p := l.start(1, "spin 3 150", someCPU(t))
	lines, usage := p.wait()
	stolen = steal(t, someCPU(t)) - stolen + 2*tick
	r := p.Finish()
	require.Zero(t, r.Lost)
	require.Zero(t, r.Dropped)
	spans := Spans(r)
	slices.SortFunc(spans, func(a, b Span) int { return int(a.From - b.From) })
	var busy time.Duration
	for i, s := range spans {
		require.Equal(t, someCPU(t), s.CPU)
		require.LessOrEqual(t, s.From, s.To)
		if i > 0 {
			require.LessOrEqual(t, spans[i-1].To, s.From, "spans %+v and %+v overlap", spans[i-1], s)
		}
		busy += time.Duration(s.To - s.From)
	}
	sum := Sum(r)
	require.Equal(t, busy, sum.CPUTime, "the two ways to add it up")
	require.Zero(t, sum.Gaps)
	require.Zero(t, sum.Migrations)
	require.Positive(t, sum.Preemptions, "three threads on one CPU, each 150 ms")
	require.Positive(t, sum.LongestStall)
	accounted := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	// Time that a hypervisor took away is in a span, and not in the kernel's account.
	require.GreaterOrEqual(t, busy, accounted*95/100)
	require.LessOrEqual(t, busy, accounted*105/100+stolen, "accounted %v, stolen %v", accounted, stolen)
	switchesAgree(t, r, lines[0])
}

// tick is the unit of /proc/stat: USER_HZ is 100 on all that Go runs on.
const tick = 10 * time.Millisecond

// steal is how long the hypervisor has kept a CPU to itself, from /proc/stat.
func steal(t *testing.T, cpu int) time.Duration {
	t.Helper()
	data, err := os.ReadFile("/proc/stat")
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); f[0] == fmt.Sprint("cpu", cpu) && len(f) > 8 {
			ticks, err := strconv.Atoi(f[8])
			require.NoError(t, err)
			return time.Duration(ticks) * tick
		}
	}
	return 0
}

// switchesAgree compares with what the program read of itself: between a time before and a time after,
// getrusage said how many switches there had been. They are the record's to the last one.
func switchesAgree(t *testing.T, r Record, line string) {
	t.Helper()
	var before, after, switches, cpu int64
	_, err := fmt.Sscan(line, &before, &after, &switches, &cpu)
	require.NoError(t, err)
	var least, most int64
	for _, e := range r.Events {
		if e.Kind != Out && e.Kind != Preempted {
			continue
		}
		if e.At < before {
			least++
		}
		if e.At <= after {
			most++
		}
	}
	require.GreaterOrEqual(t, switches, least)
	require.LessOrEqual(t, switches, most)
	require.Less(t, most-least, most/4, "the bounds say nothing")
}

func TestEveryThreadThatIsMadeEnds(t *testing.T) {
	l := newLane(t, Config{})
	r := l.start(1, "forks 20").finish()
	sum := Sum(r)
	require.Equal(t, 21, sum.Processes)
	executed := 0
	for i, th := range r.Threads {
		require.NotZero(t, th.Created, "thread %d", i)
		require.NotZero(t, th.Exited, "thread %d", i)
		if i > 0 {
			require.GreaterOrEqual(t, th.Parent, 0)
			require.Less(t, th.Parent, i, "a parent comes before its children")
		}
		if th.Name == "true" {
			executed++
			require.NotEqual(t, r.Threads[0].PID, th.PID)
		}
	}
	require.Equal(t, 20, executed)
	require.True(t, slices.IsSortedFunc(r.Events, func(a, b Event) int { return int(a.At - b.At) }))
}

func TestExecByAnotherThread(t *testing.T) {
	l := newLane(t, Config{})
	r := l.start(1, "exec").finish()
	last := r.Threads[r.Events[len(r.Events)-1].Thread]
	require.Equal(t, "true", last.Name)
	require.Equal(t, last.PID, last.TID)
	require.Zero(t, Sum(r).Gaps)
	for i, th := range r.Threads {
		require.NotZero(t, th.Exited, "thread %d", i)
	}
}

// TestStarvedThreadsStartLater compares the median new thread of a program at its ease with that of one
// that is niced and shares its CPU with two hogs.
func TestStarvedThreadsStartLater(t *testing.T) {
	l := newLane(t, Config{})
	cpu := someCPU(t)
	median := func(nice int) time.Duration {
		r := l.start(1, fmt.Sprintf("starts 15 %d", nice), cpu).finish()
		var starts []time.Duration
		for _, th := range r.Threads[1:] {
			if latency, ok := th.StartLatency(); ok {
				starts = append(starts, latency)
			}
		}
		require.GreaterOrEqual(t, len(starts), 15)
		slices.Sort(starts)
		return starts[len(starts)/2]
	}
	idle := median(0)
	for key := range int64(2) {
		hog := l.start(10+key, "hog", cpu)
		defer hog.kill()
		_, err := hog.out.Read(make([]byte, 1))
		require.NoError(t, err)
	}
	starved := median(10)
	t.Logf("median start latency: at ease %v, starved %v", idle, starved)
	require.Greater(t, starved, idle)
}

func TestFortyAtOnceLoseNothing(t *testing.T) {
	l := newLane(t, Config{})
	var running []*process
	for key := range int64(40) {
		running = append(running, l.start(key, "threads 4 5"))
	}
	require.Equal(t, 40, l.rec.Stats().Live)
	pids := map[int]int64{}
	for key, p := range running {
		r := p.finish()
		require.Equal(t, int64(key), r.Key)
		require.Zero(t, r.Lost)
		require.Zero(t, r.Dropped)
		require.Zero(t, Sum(r).Gaps)
		require.GreaterOrEqual(t, len(r.Threads), 5)
		for _, th := range r.Threads {
			require.Equal(t, p.pid, th.PID, "a thread of another attempt")
			require.NotZero(t, th.Exited)
		}
		pids[p.pid]++
	}
	require.Len(t, pids, 40)
	s := l.rec.Stats()
	require.Zero(t, s.Lost)
	require.Zero(t, s.Malformed)
	require.Zero(t, s.Live)
	require.NoError(t, l.rec.ask(func() {
		require.Empty(t, l.rec.lines.tasks)
		require.Empty(t, l.rec.lines.homes)
	}))
}

// TestAFullRingIsCounted keeps the reader out until the smallest ring has overflowed. The kernel says how many
// records it lost with the next one it has room for in the same ring, so both programs run on one CPU and the
// second starts when the ring has been read.
func TestAFullRingIsCounted(t *testing.T) {
	l := newLane(t, Config{RingBytes: minRing})
	cpu := someCPU(t)
	busy, free := make(chan bool), make(chan bool)
	go func() { _ = l.rec.ask(func() { close(busy); <-free }) }()
	<-busy
	p := l.start(3, "threads 2 3000", cpu)
	p.wait()
	close(free)
	r := p.Finish()
	l.start(4, "threads 2 10", cpu).finish()
	require.Positive(t, l.rec.Stats().Lost)
	require.NotEmpty(t, r.Events)
	require.Zero(t, l.rec.Stats().Malformed)
}

func TestDetachForgets(t *testing.T) {
	l := newLane(t, Config{})
	p := l.start(1, "threads 2 2")
	p.Detach()
	p.wait()
	s := l.rec.Stats()
	require.Zero(t, s.Live)
	require.Positive(t, s.Strays)
}

func TestAttachRefusesBeyondTheBudget(t *testing.T) {
	l := newLane(t, Config{MaxAttempts: 1})
	first := l.startProgram(1, []string{"/bin/true"}, nil)
	defer func() { require.Zero(t, l.rec.booked) }()
	_, err := l.rec.Attach(2, os.Getpid(), time.Now())
	require.ErrorIs(t, err, ErrBudget)
	first.finish()
	l.startProgram(3, []string{"/bin/true"}, nil).finish()
}

// TestAQuietAttemptIsNotForgotten: nothing woke the reader for a minute, so the fork's record and the name
// come to it together.
func TestAQuietAttemptIsNotForgotten(t *testing.T) {
	r := &Recorder{cfg: Config{}.withDefaults(), start: time.Now(), mono: int64(61 * time.Second)}
	r.lines = newLineage(r.cfg)
	r.lines.lanes[laneTID] = true
	fork := bytesOf(wire{kind: typeFork, at: int64(time.Second), pid: 5, tid: 5, ppid: 1, ptid: laneTID})
	r.merger.feeds = []feed{{buf: fork}}
	c, err := r.Attach(1, 5, r.Time(0))
	require.NoError(t, err)
	r.turn()
	require.Len(t, c.story.threads, 1)
	require.True(t, r.lines.live[c.story])
}

func TestTooManyCPUs(t *testing.T) {
	_, err := Open(Config{CPUs: make([]int, 65)})
	require.ErrorIs(t, err, ErrBudget)
}

func TestRingsShrinkToWhatTheKernelGives(t *testing.T) {
	rec, err := Open(Config{RingBytes: 1 << 40})
	if err != nil {
		t.Skip(err)
	}
	defer func() { require.NoError(t, rec.Close()) }()
	require.GreaterOrEqual(t, rec.RingBytes(), minRing)
	require.Less(t, rec.RingBytes(), 1<<40)
}

func TestNoDescriptorIsLeft(t *testing.T) {
	if err := Probe(); err != nil {
		t.Skip(err)
	}
	count := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(list)
	}
	before := count()
	t.Run("used", func(t *testing.T) {
		l := newLane(t, Config{})
		open := count()
		for key := range int64(20) {
			l.startProgram(key, []string{"/bin/true"}, nil).finish()
		}
		require.Equal(t, open, count(), "an attempt keeps a descriptor")
	})
	_, err := Open(Config{CPUs: []int{someCPU(t), 1 << 20}})
	require.ErrorIs(t, err, ErrUnavailable)
	require.NoError(t, Probe())
	require.Equal(t, before, count())
}

func TestClosedRecorder(t *testing.T) {
	l := newLane(t, Config{})
	rec, err := Open(Config{RingBytes: minRing})
	require.NoError(t, err)
	c, err := rec.Attach(1, 1, time.Now())
	require.NoError(t, err)
	require.NoError(t, rec.Close())
	require.Error(t, rec.Close())
	_, err = rec.Attach(1, 1, time.Now())
	require.Error(t, err)
	_, err = rec.Follow()
	require.Error(t, err)
	require.Empty(t, c.Finish().Events)
	require.Zero(t, rec.Stats().Live)
	l.startProgram(1, []string{"/bin/true"}, nil).finish()
}

func TestRemedies(t *testing.T) {
	for _, c := range []struct {
		err      error
		paranoid string
		want     string
	}{
		{unix.EACCES, "3", "perf_event_paranoid is 3"},
		{unix.EACCES, "4", "perf_event_paranoid is 4"},
		{unix.EPERM, "2", "seccomp"},
		{unix.EPERM, "", "seccomp"},
		{unix.EPERM, "-1", "seccomp"},
		{unix.ENOSYS, "", "CONFIG_PERF_EVENTS"},
		{errNoRoom, "2", "perf_event_mlock_kb"},
		{unix.EMFILE, "2", "open files"},
		{fmt.Errorf("map: %w: %w", errNoRoom, unix.EPERM), "2", "perf_event_mlock_kb"},
	} {
		require.Contains(t, remedy(c.err, c.paranoid), c.want)
	}
}
