package starve

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// The budget: 300 attempts of eight threads that come to life and go on and off the CPU. Slow, because it
// lets the sampler run for a while.
func TestBudgetWithThreeHundredAttempts(t *testing.T) {
	if os.Getenv("HEISEN_SLOW_TESTS") == "" {
		t.Skip("starts 2,400 threads: set HEISEN_SLOW_TESTS=1")
	}
	m := openMeter(t, Config{})
	var all []*helper
	for range 300 {
		// The runtime of the helper has a few threads of its own: about eight together.
		all = append(all, launch(t, m, true, "threads", "4"))
	}
	before := m.Stats()
	time.Sleep(20 * time.Second)
	after := m.Stats()
	steady := Stats{
		Elapsed: after.Elapsed - before.Elapsed, CPU: after.CPU - before.CPU, Samples: after.Samples - before.Samples,
		Looks: after.Looks - before.Looks,
	}
	t.Logf("300 attempts: %.2f %% of one CPU, %.1f looks/s, %d threads a look, %d descriptors",
		100*steady.Share(), float64(steady.Looks)/steady.Elapsed.Seconds(), steady.Samples/max(steady.Looks, 1), after.Descriptors)
	t.Log(after)
	for _, h := range all {
		h.kill()
		h.ended = true
	}
	require.LessOrEqual(t, steady.Share(), 0.03, "over its budget")
	require.GreaterOrEqual(t, float64(steady.Looks)/steady.Elapsed.Seconds(), 0.4)
}

// What one attempt costs on its own goroutine, in CPU time. A process of its own for every attempt, because
// most of it is the kernel's making /proc/PID for the first reader and taking it away when it is reaped.
func TestHooksCostOfOneAttempt(t *testing.T) {
	if os.Getenv("HEISEN_SLOW_TESTS") == "" {
		t.Skip("measures for seconds: set HEISEN_SLOW_TESTS=1")
	}
	m := openMeter(t, Config{Ration: -1})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const rounds = 2000
	var started, zombie, finish time.Duration
	var reap [2]time.Duration // without and with a reading before
	spend := func(into *time.Duration, what func()) {
		before := threadCPU()
		what()
		*into += threadCPU() - before
	}
	for i := range 2 * rounds {
		a, with := run.Attempt{Seq: int64(i), Try: 1}, i%2
		cmd := exec.Command("/bin/true")
		require.NoError(t, cmd.Start())
		pid := cmd.Process.Pid
		if with == 1 {
			spend(&started, func() { m.Started(a, pid, "", "") })
		}
		require.NoError(t, waitZombie(pid))
		if with == 1 {
			spend(&zombie, func() { m.Zombie(a, pid) })
		}
		spend(&reap[with], func() { _, _ = unix.Wait4(pid, nil, 0, nil) })
		require.NoError(t, cmd.Process.Release())
		if with == 1 {
			var res run.Result
			spend(&finish, func() { m.Finish(a, &res) })
		}
	}
	t.Logf("of CPU each: started %v, zombie %v, reaping %v more, finish %v",
		started/rounds, zombie/rounds, (reap[1]-reap[0])/rounds, finish/rounds)
}

// What the hooks cost /bin/true at 64 at once: rounds with and without them in turn, so that a noisy minute
// of the machine hits both.
func TestHooksCostOfTrue(t *testing.T) {
	if os.Getenv("HEISEN_SLOW_TESTS") == "" {
		t.Skip("starts some ten thousand processes: set HEISEN_SLOW_TESTS=1")
	}
	m := openMeter(t, Config{Ration: 100})
	rates, costs := map[bool][]float64{}, map[bool][]float64{}
	for round := range 22 {
		with := round%2 == 1
		before := cpuUsed(t)
		n, rate := trues(t, m, with, 64, 1500*time.Millisecond)
		rates[with] = append(rates[with], rate)
		costs[with] = append(costs[with], float64((cpuUsed(t)-before).Microseconds())/float64(n))
	}
	for _, with := range []bool{false, true} {
		slices.Sort(rates[with])
		slices.Sort(costs[with])
		t.Logf("hooks %v: median %.0f/s of %.0f; %.0f us of CPU each, median of %.0f",
			with, rates[with][5], rates[with], costs[with][5], costs[with])
	}
	t.Logf("%.1f %% fewer a second, %.1f %% more CPU; %v",
		100*(1-rates[true][5]/rates[false][5]), 100*(costs[true][5]/costs[false][5]-1), m.Stats())
}

// cpuUsed is the CPU time of this process and of the children it has reaped.
func cpuUsed(t *testing.T) time.Duration {
	var sum int64
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var ru unix.Rusage
		require.NoError(t, unix.Getrusage(who, &ru))
		sum += ru.Utime.Nano() + ru.Stime.Nano()
	}
	return time.Duration(sum)
}

// Attempts that come and go while the sampler looks at them without a pause.
func TestShortAttemptsUnderABusySampler(t *testing.T) {
	m := openMeter(t, Config{Fastest: time.Millisecond, Share: 0.5})
	n, _ := trues(t, m, true, 8, 500*time.Millisecond)
	require.Positive(t, n)
	eventually(t, "all descriptors back", func() bool { return m.Stats().Descriptors == 0 })
	require.Positive(t, m.Stats().Samples)
	require.Empty(t, m.records(nil))
}

// trues runs /bin/true in so many goroutines for so long and returns how many, and how many a
// second.
func trues(t *testing.T, m *Meter, with bool, width int, d time.Duration) (n int64, rate float64) {
	var count atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range width {
		all.Go(func() {
			for time.Since(began) < d {
				a := run.Attempt{Seq: count.Add(1), Try: 1}
				cmd := exec.Command("/bin/true")
				if err := cmd.Start(); err != nil {
					t.Error(err)
					return
				}
				if with {
					m.Started(a, cmd.Process.Pid, "", "")
				}
				if err := waitZombie(cmd.Process.Pid); err != nil {
					t.Error(err)
				}
				if with {
					m.Zombie(a, cmd.Process.Pid)
				}
				if err := cmd.Wait(); err != nil {
					t.Error(err)
				}
				if with {
					var res run.Result
					m.Finish(a, &res)
					if res.Evidence.Signals[run.SigMinorFaults] == 0 || res.Evidence.NotCollected[run.SigRunDelay] == whyMain {
						t.Errorf("attempt %d: %+v", a.Seq, res.Evidence)
					}
				}
			}
		})
	}
	all.Wait()
	return count.Load(), float64(count.Load()) / time.Since(began).Seconds()
}
