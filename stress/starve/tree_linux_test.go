package starve

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// bench is a meter over a prepared tree, with a clock of its own and no sampler running.
type bench struct {
	tree
	m   *Meter
	now time.Time
}

func newBench(t *testing.T, prepare func(tree), cfg Config) *bench {
	b := &bench{tree: newTree(t), now: time.Unix(5000, 0)}
	b.machine()
	if prepare != nil {
		prepare(b.tree)
	}
	cfg.Proc, cfg.Cgroup, cfg.CPUs, cfg.still = b.proc(), b.cgroup(), 2, true
	cfg.Fastest = 1 // no attempt is too young to be looked at
	cfg.Now = func() time.Time { return b.now }
	b.m = openMeter(t, cfg)
	return b
}

// pass lets time go by and reads what the sampler would.
func (b *bench) pass(d time.Duration) {
	b.now = b.now.Add(d)
	b.m.host.readFast(b.now)
	b.m.host.readSlow(b.now)
	b.m.sampler.gauge.read(b.now)
}

// end makes the attempt a zombie whose main thread reads so and whose processes used so much CPU.
func (b *bench) end(a run.Attempt, pid int, cpu time.Duration) run.Result {
	res := b.endUnseen(a, pid, cpu)
	b.m.sampler.look(b.now) // gives the descriptors back
	return res
}

// endUnseen is end before the sampler notices.
func (b *bench) endUnseen(a run.Attempt, pid int, cpu time.Duration) run.Result {
	b.m.Zombie(a, pid)
	r := b.m.record(a)
	r.usage, r.usageErr = usage{minorFaults: 11, majorFaults: 2, voluntary: 33, involuntary: 4, cpu: cpu}, nil
	var res run.Result
	b.m.Finish(a, &res)
	return res
}

var one = run.Attempt{Seq: 1, Try: 1}

const ms = int64(time.Millisecond)

func TestEverySignalOfAnAttempt(t *testing.T) {
	b := newBench(t, nil, Config{})
	b.pass(0)
	b.pass(time.Second)
	b.thread(70, 70, 0, 0, 0, "")
	b.m.Started(one, 70, "", "")
	b.thread(70, 70, 10*ms, 8*ms, 1, "")
	b.thread(70, 71, 1*ms, 20*ms, 1, "")
	b.write("proc/70/fd", "a file whose size is the count")
	b.m.sampler.look(b.now)
	b.write("proc/70/fd", "1234")
	b.thread(70, 70, 20*ms, 9*ms, 2, "80")
	b.thread(70, 71, 30*ms, 50*ms, 2, "")
	b.thread(80, 80, 5*ms, 2*ms, 1, "")
	b.write("proc/80/fd", "12")
	b.m.sampler.look(b.now)

	b.pressure("cpu", 400_000, 0)
	b.pressure("memory", 3000, 1000)
	b.pressure("io", 200, 100)
	b.stat(50, 9000) // half a second, over two CPUs
	b.load(5)
	b.write("cgroup/cpu,cpuacct/here/cpu.stat", "nr_periods 19\nnr_throttled 6\nthrottled_time 9500000\n")
	b.pass(2 * time.Second)
	b.thread(70, 70, 40*ms, 10*ms, 3, "")
	res := b.end(one, 70, 75*time.Millisecond)
	require.Equal(t, run.Signals{
		run.SigMinorFaults: 11, run.SigMajorFaults: 2, run.SigVoluntary: 33, run.SigInvoluntary: 4,
		run.SigRunDelay: 62_000, run.SigRunDelayWorst: 50_000, run.SigLongestStall: 30_000, run.SigThreadStart: 20_000,
		run.SigThreads: 3, run.SigProcesses: 2, run.SigDescriptors: 30,
		run.SigPSICPUSome: 400_000, run.SigPSIMemorySome: 3000, run.SigPSIMemoryFull: 1000,
		run.SigPSIIOSome: 200, run.SigPSIIOFull: 100,
		run.SigSteal: 250_000, run.SigThrottled: 2500, run.SigThrottledTimes: 2,
		run.SigRunnable: 1000, // none and then four tasks beside the reader: two on average, one per CPU
	}, res.Evidence.Signals)
	require.Contains(t, b.m.NotCollected(), run.SigMigrations)
	require.Contains(t, b.m.NotCollected(), run.SigPSICPUFull)
	for _, name := range measuredSignals {
		_, have := res.Evidence.Signals[name]
		_, lacks := b.m.NotCollected()[name]
		require.True(t, have != lacks, "%s: a figure or a reason", name)
	}
}

func TestFinishedThreadsCountWithTheirLastReading(t *testing.T) {
	b := newBench(t, nil, Config{})
	b.thread(70, 70, 0, 0, 1, "")
	b.thread(70, 71, 50*ms, 6*ms, 1, "")
	b.m.Started(one, 70, "", "")
	b.m.sampler.look(b.now)
	b.remove("proc/70/task/71")
	b.m.sampler.look(b.now)
	b.thread(70, 72, 40*ms, 5*ms, 1, "")
	b.m.sampler.look(b.now)
	b.thread(70, 70, 1*ms, 1*ms, 2, "")
	res := b.end(one, 70, 95*time.Millisecond)
	require.EqualValues(t, 12_000, res.Evidence.Signals[run.SigRunDelay])
	require.EqualValues(t, 6_000, res.Evidence.Signals[run.SigRunDelayWorst])
	require.Equal(t, whyAtLeast, res.Evidence.NotCollected[run.SigRunDelay], "4 of 95 ms are of threads not seen to their end")
}

func TestUnseenThreadsLeaveTheFigureOut(t *testing.T) {
	for name, c := range map[string]struct {
		cpu  time.Duration
		look bool
		have bool
		why  string
	}{
		"nothing but the main thread":    {10 * time.Millisecond, false, true, ""},
		"rounding":                       {10*time.Millisecond + 3*time.Microsecond, false, true, ""},
		"a short thread was missed":      {10*time.Millisecond + 300*time.Microsecond, false, true, whyAtLeast},
		"most of it was missed":          {20 * time.Millisecond, false, false, whyShort},
		"most of it was missed all over": {20 * time.Millisecond, true, false, whyHidden},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil, Config{})
			b.thread(70, 70, 10*ms, 3*ms, 1, "")
			b.m.Started(one, 70, "", "")
			if c.look {
				b.m.sampler.look(b.now)
			}
			res := b.end(one, 70, c.cpu)
			_, have := res.Evidence.Signals[run.SigRunDelay]
			require.Equal(t, c.have, have)
			require.Equal(t, c.why, res.Evidence.NotCollected[run.SigRunDelay])
			_, have = res.Evidence.Signals[run.SigThreads]
			require.Equal(t, c.why == "" || c.look, have, "never a number of threads that nobody counted")
		})
	}
}

func TestShortAttemptsSayWhatTheyLack(t *testing.T) {
	b := newBench(t, nil, Config{})
	b.pass(0)
	b.pass(50 * time.Millisecond)
	b.thread(70, 70, ms, 3*ms, 1, "")
	b.m.Started(one, 70, "", "")
	b.pass(100 * time.Millisecond)
	res := b.end(one, 70, time.Millisecond)
	require.EqualValues(t, 3_000, res.Evidence.Signals[run.SigThreadStart])
	for _, name := range []string{run.SigPSICPUSome, run.SigSteal, run.SigRunnable, run.SigThrottled} {
		require.NotContains(t, res.Evidence.Signals, name)
		require.Equal(t, whyLate, res.Evidence.NotCollected[name])
	}
}

func TestWhatTheKernelDoesNotGiveIsSaidOnce(t *testing.T) {
	b := newBench(t, func(f tree) {
		f.remove("proc/pressure")
		f.remove("proc/stat")
		f.remove("proc/loadavg")
		f.remove("cgroup")
		f.write("proc/self/schedstat", "0 0 0\n")
	}, Config{})
	missing := b.m.NotCollected()
	for _, name := range measuredSignals {
		switch name {
		case run.SigMinorFaults, run.SigMajorFaults, run.SigVoluntary, run.SigInvoluntary, run.SigThreads, run.SigProcesses, run.SigDescriptors:
			require.NotContains(t, missing, name)
		default:
			require.NotEmpty(t, missing[name], name)
		}
	}
	require.Contains(t, missing[run.SigPSIIOSome], "CONFIG_PSI")
	require.Contains(t, missing[run.SigRunDelay], "CONFIG_SCHED_INFO")
	b.pass(0)
	b.pass(time.Second)
	b.thread(70, 70, 0, 0, 0, "")
	b.m.Started(one, 70, "", "")
	b.pass(5 * time.Second)
	res := b.end(one, 70, 0)
	for name := range missing {
		require.NotContains(t, res.Evidence.Signals, name, "zero is not a measurement")
		require.NotContains(t, res.Evidence.NotCollected, name, "the session says it already")
	}
}

func TestAttemptsOwnGroupComesFirst(t *testing.T) {
	b := newBench(t, nil, Config{})
	b.write("cgroup/mine/cpu.stat", "nr_periods 1\nnr_throttled 10\nthrottled_usec 1000\n")
	b.write("cgroup/mine/cgroup.procs", "70\n75\n")
	b.thread(70, 70, 0, 0, 1, "")
	b.thread(75, 75, ms, ms, 1, "")
	b.m.Started(one, 70, b.cgroup()+"/mine", b.cgroup()+"/mine")
	b.m.sampler.look(b.now)
	b.write("cgroup/mine/cpu.stat", "nr_periods 9\nnr_throttled 12\nthrottled_usec 8000\n")
	res := b.end(one, 70, 0)
	require.EqualValues(t, 7000, res.Evidence.Signals[run.SigThrottled], "what it was before the attempt does not count")
	require.EqualValues(t, 2, res.Evidence.Signals[run.SigThrottledTimes])
	require.EqualValues(t, 2, res.Evidence.Signals[run.SigProcesses], "found in its group, not as a child")
}

func TestTooFewDescriptors(t *testing.T) {
	for limit, sampled := range map[int]int{1: 1, 2: 2, 3: 2, 5: 3} {
		b := newBench(t, nil, Config{Descriptors: limit})
		for i := range 3 {
			pid := 70 + 10*i
			b.thread(pid, pid, 0, 0, 1, "")
			b.thread(pid, pid+1, ms, 2*ms, 1, "")
			b.m.Started(run.Attempt{Seq: int64(i), Try: 1}, pid, "", "")
		}
		b.m.sampler.look(b.now)
		stats := b.m.Stats()
		require.LessOrEqual(t, b.m.sampler.eyes.most, limit)
		require.EqualValues(t, 3-sampled, stats.Lost)
		with := 0
		for i := range 3 {
			res := b.endUnseen(run.Attempt{Seq: int64(i), Try: 1}, 70+10*i, time.Millisecond)
			if res.Evidence.Signals[run.SigRunDelay] == 2000 {
				with++
			} else {
				require.Equal(t, whyNoFile, res.Evidence.NotCollected[run.SigRunDelay])
			}
		}
		require.Equal(t, sampled, with, "a descriptor for its folder is enough to sample an attempt")
	}
}

func TestSomebodyElsesFigureStays(t *testing.T) {
	b := newBench(t, nil, Config{})
	b.thread(70, 70, 0, 9*ms, 1, "")
	b.m.Started(one, 70, "", "")
	b.m.Zombie(one, 70)
	res := run.Result{Evidence: run.Evidence{Signals: run.Signals{run.SigRunDelay: 12_345, run.SigMigrations: 3}}}
	b.m.Finish(one, &res)
	require.EqualValues(t, 12_345, res.Evidence.Signals[run.SigRunDelay])
	require.NotContains(t, res.Evidence.NotCollected, run.SigRunDelay)
}

func TestUnknownAttemptsAreLeftAlone(t *testing.T) {
	b := newBench(t, nil, Config{})
	var res run.Result
	b.m.Zombie(one, 70)
	b.m.Finish(one, &res)
	require.Empty(t, res.Evidence.Signals)
	b.thread(70, 70, 0, 0, 1, "")
	b.m.Started(one, 70, "", "")
	b.m.Finish(one, &res)
	require.Empty(t, res.Evidence.Signals)
	require.Equal(t, whyNoEnd, res.Evidence.NotCollected[run.SigRunDelay])
}

// Once an attempt's main process is reaped its number may be a stranger's.
func TestStrangersAreNotFollowed(t *testing.T) {
	b := newBench(t, nil, Config{})
	b.thread(70, 70, 0, 0, 1, "")
	rec := &record{pid: 70}
	w := b.m.sampler.eyes.follow(rec)
	require.NotNil(t, w)
	w.leave(&b.m.sampler.eyes)
	rec.gone.Store(true)
	require.Nil(t, b.m.sampler.eyes.follow(rec))
	require.Zero(t, b.m.sampler.eyes.open)
}

func TestOnlyShortPassesAreRationed(t *testing.T) {
	b := newBench(t, nil, Config{Ration: 10})
	read := func(lasted time.Duration, u usage) bool {
		return b.m.worthReading(&record{begin: moment{at: b.now}, end: moment{at: b.now.Add(lasted)}, usage: u})
	}
	require.True(t, read(time.Millisecond, usage{}), "the first one")
	require.False(t, read(10*time.Millisecond, usage{}))
	require.True(t, read(10*time.Millisecond, usage{bad: true}), "it failed")
	require.True(t, read(50*time.Millisecond, usage{}), "it took a while")
	b.now = b.now.Add(100 * time.Millisecond)
	require.True(t, read(time.Millisecond, usage{}))
	b.m.cfg.Ration = -1
	require.True(t, read(time.Millisecond, usage{}))
}

func TestMeasuredFinishesEveryAttempt(t *testing.T) {
	b := newBench(t, nil, Config{})
	b.thread(70, 70, 0, 9*ms, 1, "")
	r := Measured(runnerFunc(func(a run.Attempt, _ *run.Control) run.Result {
		b.m.Started(a, 70, "", "")
		b.m.Zombie(a, 70)
		return run.Result{Wall: time.Second, Usage: run.Usage{MinorFaults: 5, Voluntary: 6}}
	}), b.m)
	res := r.Run(one, nil)
	require.Equal(t, time.Second, res.Wall)
	require.EqualValues(t, 9000, res.Evidence.Signals[run.SigRunDelay])
	require.EqualValues(t, 6, res.Evidence.Signals[run.SigVoluntary], "the runner's own account, where the meter may not ask")
	require.Empty(t, b.m.records(nil))
}

type runnerFunc func(run.Attempt, *run.Control) run.Result

func (f runnerFunc) Run(a run.Attempt, ctl *run.Control) run.Result { return f(a, ctl) }

func TestDeadProcessesAreForgotten(t *testing.T) {
	b := newBench(t, nil, Config{})
	b.thread(70, 70, 0, 0, 1, "")
	b.m.Started(one, 70, "", "")
	for i := range 40 {
		pid := 100 + i
		b.thread(70, 70, 0, 0, 1, fmt.Sprint(pid))
		b.thread(pid, pid, ms, ms, 1, "")
		for range 8 {
			b.m.sampler.look(b.now)
		}
		b.remove(fmt.Sprintf("proc/%d/task/%d", pid, pid))
	}
	b.m.sampler.look(b.now)
	require.LessOrEqual(t, b.m.sampler.eyes.most, 6, "descriptors of dead processes are kept")
	res := b.end(one, 70, 40*time.Millisecond)
	require.EqualValues(t, 40_000, res.Evidence.Signals[run.SigRunDelay])
	require.EqualValues(t, 2, res.Evidence.Signals[run.SigProcesses])
}

func TestIntervalKeepsToTheBudget(t *testing.T) {
	cfg := Config{Share: 0.03}.withDefaults()
	require.Equal(t, cfg.Fastest, interval(time.Millisecond, cfg))
	require.Equal(t, time.Second, interval(30*time.Millisecond, cfg).Round(time.Microsecond))
	require.Equal(t, 4*time.Second, interval(120*time.Millisecond, cfg).Round(time.Microsecond), "over the slowest rate rather than over the budget")
}
