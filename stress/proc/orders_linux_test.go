package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// background runs one attempt and hands over its result later.
func background(s *Supervisor, ctl *run.Control) <-chan run.Result {
	done := make(chan run.Result, 1)
	go func() { done <- s.Run(attempt(1), ctl) }()
	return done
}

func waitForFile(t *testing.T, path string) {
	t.Helper()
	eventually(t, path+" is there", func() bool { _, err := os.Stat(path); return err == nil })
}

func TestStopNow(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		dir := t.TempDir()
		cfg := sh(t, off, `trap 'echo caught' TERM; touch ready; while :; do sleep 0.05; done`)
		cfg.Spec.Command.Dir = dir
		ctl := run.NewControl(run.Orders{Timeout: patience})
		done := background(open(t, cfg), ctl)
		waitForFile(t, filepath.Join(dir, "ready"))
		ctl.Change(func(o *run.Orders) { o.Stop = run.StopNow })
		r := <-done
		require.True(t, r.Ending.Stopped)
		require.False(t, r.Ending.TimedOut)
		require.Equal(t, "SIGKILL", r.Ending.SignalName)
		require.Empty(t, text(r))
		require.EqualValues(t, -1, r.Evidence.DumpAt)
	})
}

func TestStopGentlySendsTermAndNoDumpSignal(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		dir := t.TempDir()
		cfg := sh(t, off, `trap 'echo bye; exit 4' TERM; trap 'echo dump' QUIT; touch ready; while :; do sleep 0.05; done`)
		cfg.Spec.Command.Dir, cfg.Spec.Timeout.Grace = dir, patience
		ctl := run.NewControl(run.Orders{Timeout: patience})
		done := background(open(t, cfg), ctl)
		waitForFile(t, filepath.Join(dir, "ready"))
		ctl.Change(func(o *run.Orders) { o.Stop = run.StopGently })
		r := <-done
		require.Positive(t, r.Ending.StopTook)
		r.Ending.StopTook = 0
		require.Equal(t, run.Ending{Code: 4, Stopped: true}, r.Ending)
		require.True(t, strings.HasSuffix(text(r), "bye\n"), text(r)) // the shell may name the signal first
		require.NotContains(t, text(r), "dump")
	})
}

// The shell dies of the dump signal at once; what it runs gets it too and has its grace to write the dump.
func TestDumpOfAProgramUnderAShell(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		dir := t.TempDir()
		script := `sh -c 'trap "sleep 0.2; echo the dump; exit 2" QUIT; echo ready; while :; do sleep 0.05; done'; true`
		cfg := sh(t, off, script)
		cfg.Spec.Command.Dir, cfg.Spec.Timeout.Grace = dir, patience
		r := open(t, cfg).Run(attempt(1), run.NewControl(run.Orders{Timeout: 500 * time.Millisecond}))
		require.True(t, r.Ending.TimedOut)
		require.Equal(t, "SIGQUIT", r.Ending.SignalName)
		require.Regexp(t, "^ready\n(Quit.*\n)?the dump\n$", text(r)) // the shell may name the signal
		require.EqualValues(t, len("ready\n"), r.Evidence.DumpAt)
	})
}

// beats counts the lines a test has written to a file.
func beats(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return strings.Count(string(data), "\n")
}

// paused tells whether the process that wrote its number to a file stands still: its cgroup is frozen, or it is
// stopped by a signal.
func paused(t *testing.T, file string) bool {
	t.Helper()
	pid, err := readNumber(file)
	require.NoError(t, err)
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	cgroup, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	require.NoError(t, err)
	events, _ := os.ReadFile(filepath.Join(parseHierarchies(mountinfo, cgroup)[""], "cgroup.events"))
	return strings.Contains(string(events), "frozen 1") || stopped(int(pid))
}

// stopped is also the parent of a vfork whose child was stopped before it executed: it cannot go on until then.
func stopped(pid int) bool {
	proc := procFS("/proc")
	s, err := proc.stat(pid)
	return err == nil && (s.State == 'T' || s.State == 'D' && slices.ContainsFunc(proc.children(pid), stopped))
}

func TestPauseStopsTheTreeAndItsClock(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		dir := t.TempDir()
		// Also a grandchild in a session of its own stands still.
		cfg := sh(t, off, `echo $$ >main; setsid sh -c 'echo $$ >far; while ! [ -e end ]; do echo >>beat; sleep 0.01; done' & while ! [ -e end ]; do sleep 0.01; done; wait`)
		cfg.Spec.Command.Dir = dir
		main, far, beat := filepath.Join(dir, "main"), filepath.Join(dir, "far"), filepath.Join(dir, "beat")
		ctl := run.NewControl(run.Orders{Timeout: patience})
		started := time.Now()
		done := background(open(t, cfg), ctl)
		waitForFile(t, beat)
		ctl.Change(func(o *run.Orders) { o.Paused = true })
		eventually(t, "the tree stands still", func() bool { return paused(t, main) && paused(t, far) })
		last := beats(t, beat)
		// A time-out that is over soon by the wall clock, and never by the attempt's.
		ran, pause := time.Since(started), time.Now()
		ctl.Change(func(o *run.Orders) { o.Timeout = ran + 100*time.Millisecond })
		time.Sleep(300 * time.Millisecond)
		require.Equal(t, last, beats(t, beat))
		stood := time.Since(pause)
		ctl.Change(func(o *run.Orders) { o.Paused, o.Timeout = false, patience })
		eventually(t, "the tree goes on", func() bool { return beats(t, beat) > last })
		require.NoError(t, os.WriteFile(filepath.Join(dir, "end"), nil, 0o600))
		r := <-done
		require.False(t, r.Ending.TimedOut)
		require.Zero(t, r.Ending.Code)
		require.GreaterOrEqual(t, r.Ending.Suspended, stood)
	})
}

func TestStopWhilePaused(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		dir := t.TempDir()
		cfg := sh(t, off, `trap 'exit 6' TERM; echo $$ >pid; mv pid ready; while :; do sleep 0.05; done`)
		cfg.Spec.Command.Dir, cfg.Spec.Timeout.Grace = dir, patience
		ctl := run.NewControl(run.Orders{Timeout: patience})
		done := background(open(t, cfg), ctl)
		waitForFile(t, filepath.Join(dir, "ready"))
		ctl.Change(func(o *run.Orders) { o.Paused = true })
		eventually(t, "the shell stands still", func() bool { return paused(t, filepath.Join(dir, "ready")) })
		ctl.Change(func(o *run.Orders) { o.Stop = run.StopGently })
		r := <-done
		require.Equal(t, 6, r.Ending.Code)
		require.True(t, r.Ending.Stopped)
		require.NotZero(t, r.Ending.Suspended)
	})
}

func TestEnvironmentArgumentsAndFolder(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "7"), 0o755))
	cfg := helper(t, switches{}, "environ", "a{attempt}", "{seed}-{slot}", "{port}", "{tmp}/x")
	cfg.Environ = []string{"A=1", "A=2", "TMPDIR=/old", CampaignVariable + "=outer", "broken", "=odd", "KEEP=yes"}
	cfg.Spec.Command.Dir = filepath.Join(dir, "{slot}")
	cfg.Spec.Command.Env = append(cfg.Spec.Command.Env, "MINE={attempt}", "HEISEN_SLOT=mine", "B={tmp}")
	s := open(t, cfg)
	r := s.Run(attempt(7), nil)
	lines := strings.Split(strings.TrimSpace(text(r)), "\n")
	require.Equal(t, "dir="+filepath.Join(dir, "7"), lines[0])
	require.True(t, strings.HasSuffix(lines[1], "|a7|42-7|20000|/nowhere/tmp/x"), lines[1])
	require.ElementsMatch(t, []string{
		"A=2", "KEEP=yes", CampaignVariable + "=" + cfg.Campaign, "TMPDIR=/nowhere/tmp", "HEISEN_ATTEMPT=7", "HEISEN_SEED=42",
		"HEISEN_PORT_BASE=20000", playVariable + "=environ", "MINE=7", "HEISEN_SLOT=mine", "B=/nowhere/tmp",
	}, lines[2:])
}

func TestChildInheritsNoIgnoredSignals(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for arg, want := range map[string]string{"default": "SigIgn:\t0000000000000000", "inherit": "SigIgn:\t0000000000180003"} {
		cfg := sh(t, switches{}, `trap "" HUP INT TSTP TTIN; exec "$0" `+arg)
		cfg.Spec.Command.Args = append(cfg.Spec.Command.Args, self)
		cfg.Spec.Command.Env = []string{playVariable + "=ignored", "PLAY_CAMPAIGN=" + newCampaign()}
		require.Equal(t, "code 0: "+want+"\n", text(once(t, cfg)), arg)
	}
}

func TestUsageAndZombieHook(t *testing.T) {
	cfg := sh(t, switches{}, `i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exit 3`)
	var schedstat []byte
	cfg.OnZombie = func(a run.Attempt, pid int) {
		schedstat, _ = os.ReadFile(procFS("/proc").path(pid, "schedstat"))
		require.EqualValues(t, 1, a.Seq)
	}
	r := once(t, cfg)
	require.Equal(t, run.Ending{Code: 3}, r.Ending)
	require.NotEmpty(t, strings.Fields(string(schedstat)))
	require.Positive(t, r.Usage.User+r.Usage.System)
	require.Greater(t, r.Usage.MaxRSS, int64(100<<10))
	require.LessOrEqual(t, r.Usage.User+r.Usage.System, r.Wall+20*time.Millisecond)
}

func TestRaisesOOMScore(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		// The figure may change between two reads of one opening, so a pattern and not its value is looked at.
		r := once(t, sh(t, off, `until grep -Eqx '[5-9][0-9]{2}|1000' /proc/$$/oom_score_adj; do sleep 0.02; done; echo raised`))
		require.Equal(t, "raised\n", text(r))
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, id := range []string{"", "../x", "a/b", "a b", strings.Repeat("x", 200)} {
		_, err := Open(Config{Campaign: id})
		require.ErrorContains(t, err, "an id is 1 to 128 letters", id)
	}
	for _, name := range []string{"KILL", "STOP", "NOSUCH"} {
		cfg := testConfig(t, "true")
		cfg.Spec.Timeout.DumpSignal = name
		_, err := Open(cfg)
		require.ErrorContains(t, err, "dump signal")
		requireNothingLeft(t, cfg.Campaign)
	}
	s, err := Open(testConfig(t, "/bin/true"))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing twice is harmless")
	require.Equal(t, "supervisor is closed", s.Run(attempt(1), nil).Ending.Harness)
}

// heisen is killed in mid-attempt: the main process dies with it, and a sweep finds the rest.
func TestSweepAfterHeisenWasKilled(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		tier, left := "A", "sleep 3031"
		if off.cgroup {
			tier, left = "D", "sleep 3032"
		}
		dead := newCampaign()
		script := "setsid " + left + " >/dev/null 2>&1 & exec sleep 3030"
		cfg := helper(t, switches{cgroup: true, kill: true, leaks: true, attribute: true}, "orphan", tier, script)
		cfg.Spec.Command.Env = append(cfg.Spec.Command.Env, "PLAY_CAMPAIGN="+dead)
		s := open(t, cfg)
		ctl := run.NewControl(run.Orders{Timeout: patience})
		done := background(s, ctl)
		eventually(t, "both run", func() bool { return alive(left, false) && alive("sleep 3030", false) })
		ctl.Change(func(o *run.Orders) { o.Stop = run.StopNow }) // SIGKILL to the supervisor, the test's own session escapes it
		<-done
		eventually(t, "the main process died with its supervisor", func() bool { return !alive("sleep 3030", false) })
		require.True(t, alive(left, false), "what left the group does not die by itself")

		none, err := Sweep(newCampaign())
		require.NoError(t, err)
		require.Empty(t, none)
		require.True(t, alive(left, false), "another campaign's sweep is no concern of it")
		killed, err := Sweep(dead)
		require.NoError(t, err)
		require.Len(t, killed, 1)
		require.Equal(t, left, killed[0].Command)
		require.False(t, alive(left, false))
		requireGroupGone(t, dead)
		eventually(t, "zombies are reaped", func() bool { return s.kin.look() == 0 })
	})
}

func requireGroupGone(t *testing.T, campaign string) {
	t.Helper()
	require.Empty(t, campaignGroups("/proc", campaign))
	require.Empty(t, carriers(campaign))
}

func TestProbeLeavesNothing(t *testing.T) {
	before := descriptors(t)
	c := Probe()
	require.NotEmpty(t, c.Tier.Name)
	for _, item := range c.List {
		require.NotEmpty(t, item.Name)
		require.NotEmpty(t, item.Detail, item.Name)
		t.Logf("%-32s %-5v %s %s", item.Name, item.OK, item.Detail, item.Remedy)
	}
	require.Equal(t, before, descriptors(t))
	for _, dir := range ownHierarchies("/proc") {
		found, _ := filepath.Glob(filepath.Join(dir, groupPrefix+"probe-*"))
		require.Empty(t, found)
	}
}

// The whole suite again without rights: tier D, and limits by RLIMIT_NPROC.
func TestUnprivileged(t *testing.T) {
	unprivileged(t, "TestLeaks|TestFault(01|06|10|11|12|13|17OutOfD)|TestLimitOn|TestStop|TestPause|TestDump|TestSweep|TestStray|TestProbe|TestRaises")
}
