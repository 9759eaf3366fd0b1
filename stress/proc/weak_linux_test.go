package proc

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"heisen/stress/cpus"
	"heisen/stress/run"
)

func TestQuotaTime(t *testing.T) {
	for _, c := range []struct {
		name     string
		fraction float64
		cpus     float64
		share    time.Duration
		period   time.Duration
	}{
		{"a quarter of two", 0.25, 2, 5 * time.Millisecond, quotaPeriod},
		{"a quarter of eight is two", 0.25, 8, 20 * time.Millisecond, quotaPeriod},
		{"all of four", 1, 4, 40 * time.Millisecond, quotaPeriod},
		{"rounded to a nanosecond", 0.33333, 3, 9_999_900 * time.Nanosecond, quotaPeriod},
		{"a twentieth of one needs twice the period", 0.05, 1, time.Millisecond, 20 * time.Millisecond},
		{"less than the kernel takes", 0.0001, 1, time.Millisecond, time.Second},
	} {
		share, period := quotaTime(c.fraction, c.cpus)
		require.Equal(t, c.share, share, c.name)
		require.Equal(t, c.period, period, c.name)
	}
	require.NoError(t, checkCPU(0))
	require.NoError(t, checkCPU(1))
	for _, bad := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1)} {
		require.ErrorContains(t, checkCPU(bad), "at most 1")
		cfg := testConfig(t, "/bin/true")
		cfg.Spec.Limits.CPU = bad
		_, err := Open(cfg)
		require.Error(t, err)
	}
}

// weakly opens a supervisor that keeps a CPU limit by a quota, or skips.
func weakly(t *testing.T, cfg Config, fraction float64) *Supervisor {
	t.Helper()
	cfg.Spec.Limits.CPU = fraction
	s := open(t, cfg)
	if s.layout.pins.each > 0 {
		t.Skip("no CPU quota here: " + strings.Join(s.tier.Lacks, "; "))
	}
	return s
}

func throttled(t *testing.T, dir string) uint64 {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "cpu.stat"))
	require.NoError(t, err)
	n, ok := counter(data, "nr_throttled")
	require.True(t, ok, "nr_throttled in %s", data)
	return uint64(n)
}

// TestWeakByQuota holds whatever else the machine does: a quota is an upper bound, and one of 1 ms in 50
// is used up by whoever wants 20. Two attempts in one cell: the second is not held up by what the first used.
func TestWeakByQuota(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		all := float64(len(allowedCPUs(t)))
		cfg := helper(t, off, "burn", "20")
		var at Place
		cfg.OnStart = func(_ run.Attempt, _ int, p Place) { at = p }
		s := weakly(t, cfg, 0.02/all)
		for i := range 2 {
			r := s.Run(attempt(int64(i+1)), nil)
			require.Equal(t, run.Ending{}, r.Ending, text(r))
			require.NotZero(t, throttled(t, at.CPU))
			used := r.Usage.User + r.Usage.System
			require.Less(t, used, r.Wall*6/10, "CPU time against wall time")
			require.Equal(t, off.cgroup, at.Group == "")
			idle, err := os.ReadFile(s.cells.free[0].quota.file)
			require.NoError(t, err)
			require.Equal(t, s.cells.free[0].quota.off, strings.TrimSpace(string(idle)), "no limit between attempts")
		}
		require.Len(t, s.cells.all, 1)
	})
}

// TestWeakControl: without the limit there is no quota, no folder and no throttling.
func TestWeakControl(t *testing.T) {
	cfg := helper(t, switches{}, "affinity")
	var at Place
	cfg.OnStart = func(_ run.Attempt, _ int, p Place) { at = p }
	r := once(t, cfg)
	require.Equal(t, run.Ending{}, r.Ending)
	require.Empty(t, at.CPU)
}

// TestWeakWhatItForks: the limit holds for daemons too, which leave the group and the session.
func TestWeakWhatItForks(t *testing.T) {
	cfg := sh(t, switches{cgroup: true}, `setsid sh -c 'cat /proc/self/cgroup' | cat`)
	var at Place
	cfg.OnStart = func(_ run.Attempt, _ int, p Place) { at = p }
	s := weakly(t, cfg, 0.5)
	r := s.Run(attempt(1), nil)
	require.Contains(t, text(r), ":cpu")
	require.Contains(t, text(r), filepath.Join(filepath.Base(filepath.Dir(at.CPU)), filepath.Base(at.CPU))+"\n")
}

func TestWeakWithOtherLimits(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: no memory cgroup here")
	}
	eachTier(t, func(t *testing.T, off switches) {
		cfg := helper(t, off, "eat", "256")
		cfg.Spec.Limits = run.Limits{MemoryBytes: 48 << 20, Processes: 200, CPU: 0.5}
		require.Equal(t, run.Ending{Signal: 9, SignalName: "SIGKILL", OOMKills: 1}, once(t, cfg).Ending)
		cfg = helper(t, off, "affinity")
		cfg.Spec.Limits = run.Limits{MemoryBytes: 48 << 20, Processes: 200, CPU: 0.5}
		cfg.off.quota = true
		require.Equal(t, run.Ending{}, once(t, cfg).Ending)
	})
}

func TestWeakByPinning(t *testing.T) {
	allowed := allowedCPUs(t)
	if len(allowed) < 2 {
		t.Skip("one CPU: nothing to pin to")
	}
	eachTier(t, func(t *testing.T, off switches) {
		off.quota = true
		cfg := helper(t, off, "affinity")
		require.Equal(t, fmt.Sprintln(allowed), text(once(t, cfg)), "control: not pinned without the limit")
		cfg.Spec.Limits.CPU = 1 / float64(len(allowed))
		s := open(t, cfg)
		require.Contains(t, strings.Join(s.Tier().Lacks, "\n"), "pinned to the same 1 of")
		for i := range allowed { // the same CPU for all
			r := s.Run(attempt(int64(i+1)), nil)
			require.Equal(t, run.Ending{}, r.Ending, text(r))
			require.Equal(t, fmt.Sprintln(allowed[len(allowed)-1:]), text(r))
			_, err := s.cells.take() // its cell is busy now, so the next attempt gets another
			require.NoError(t, err)
		}
		require.Equal(t, allowed, allowedCPUs(t), "heisen itself is not pinned")
	})
}

// TestWeakAttemptsAreFollowed: the record of who ran when begins on the thread that a confined cell forks from,
// and ends with it.
func TestWeakAttemptsAreFollowed(t *testing.T) {
	for _, refused := range []bool{false, true} {
		var threads []int
		released := 0
		cfg := testConfig(t, "/bin/true")
		cfg.Spec.Limits.CPU = 0.5
		cfg.off.quota = true
		cfg.Followed = func(run.Attempt) bool { return true }
		cfg.Follow = func() (func() error, error) {
			if threads = append(threads, unix.Gettid()); refused && len(threads) > 1 {
				return nil, unix.EMFILE
			}
			return func() error { released++; return nil }, nil
		}
		var at Place
		cfg.OnStart = func(_ run.Attempt, _ int, p Place) { at = p }
		s, end := begin(t, cfg)
		require.Equal(t, run.Ending{}, s.Run(attempt(1), nil).Ending)
		require.Equal(t, !refused, at.Followed)
		require.Len(t, threads, 2, "the shared lane's and the cell's own")
		end()
		require.Equal(t, map[bool]int{false: 2, true: 1}[refused], released)
	}
}

func TestWeakUnprivileged(t *testing.T) {
	unprivileged(t, "^TestWeakByPinning$")
}

// TestWeakQuarter compares with an attempt that is not confined; it needs a machine that is nearly idle.
func TestWeakQuarter(t *testing.T) {
	if os.Getenv("HEISEN_SLOW_TESTS") == "" {
		t.Skip("set HEISEN_SLOW_TESTS=1 on an idle machine: it measures shares of the CPU")
	}
	share := func(fraction float64) float64 {
		cfg := helper(t, switches{}, "burn", "2000")
		cfg.Spec.Limits.CPU = fraction
		r := once(t, cfg)
		require.Equal(t, run.Ending{}, r.Ending)
		return float64(r.Usage.User+r.Usage.System) / float64(r.Wall) / float64(len(allowedCPUs(t)))
	}
	weak, free := share(0.25), share(0)
	t.Logf("share of the machine: %.3f under 0.25, %.3f without a limit", weak, free)
	require.Less(t, weak, 0.6*free)
	require.Less(t, weak, 0.3)
}

func allowedCPUs(t *testing.T) []int {
	t.Helper()
	list, err := cpus.Allowed()
	require.NoError(t, err)
	return list
}
