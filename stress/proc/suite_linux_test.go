package proc

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"heisen/stress/run"
)

// patience is how long a test waits for what must come sooner or later.
const patience = 60 * time.Second

// eachTier runs one test in every tier this machine has for the present user.
func eachTier(t *testing.T, test func(t *testing.T, off switches)) {
	t.Run("A or B", func(t *testing.T) {
		if dir, why := campaignGroup(ownHierarchies("/proc"), "probe-"+newCampaign()); dir == "" {
			t.Skip("no cgroup v2 for this user: " + why)
		} else {
			require.NoError(t, removeGroup(dir))
		}
		test(t, switches{})
	})
	t.Run("D", func(t *testing.T) { test(t, switches{cgroup: true}) })
}

// open opens a supervisor and checks at the test's end that nothing of it is left: no process, cgroup,
// descriptor or goroutine.
func open(t *testing.T, cfg Config) *Supervisor {
	t.Helper()
	s, end := begin(t, cfg)
	t.Cleanup(end)
	return s
}

func begin(t *testing.T, cfg Config) (s *Supervisor, end func()) {
	t.Helper()
	warmUp(t)
	before := descriptors(t)
	s, err := Open(cfg)
	require.NoError(t, err)
	return s, func() {
		require.NoError(t, s.Close())
		requireNothingLeft(t, cfg.Campaign)
		require.Equal(t, before, descriptors(t), "descriptors")
		goleak.VerifyNone(t)
	}
}

// warmUp has the Go runtime open the descriptors of its poller.
func warmUp(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	r.Close()
	w.Close()
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}

func requireNothingLeft(t *testing.T, campaign string) {
	t.Helper()
	require.Empty(t, carriers(campaign), "processes of the campaign")
	require.Empty(t, campaignGroups("/proc", campaign), "cgroups of the campaign")
	require.Empty(t, procFS("/proc").children(os.Getpid()), "children of this process")
}

// carriers lists the processes with a campaign's id in their environment.
func carriers(campaign string) []string {
	proc := procFS("/proc")
	pids, _ := proc.pids()
	var found []string
	for _, pid := range pids {
		environ, _ := proc.environ(pid)
		if id, _ := lookup(environ, CampaignVariable); id == campaign {
			found = append(found, proc.command(pid))
		}
	}
	return found
}

// sh is a campaign that runs a shell script.
func sh(tb testing.TB, off switches, script string) Config {
	cfg := testConfig(tb, "/bin/sh", "-c", script)
	cfg.off = off
	return cfg
}

// helper is a campaign that runs a program the test binary plays.
func helper(tb testing.TB, off switches, name string, args ...string) Config {
	self, err := os.Executable()
	require.NoError(tb, err)
	cfg := testConfig(tb, append([]string{self}, args...)...)
	cfg.Spec.Command.Env = []string{playVariable + "=" + name}
	cfg.off = off
	return cfg
}

func attempt(seq int64) run.Attempt {
	return run.Attempt{Seq: seq, Try: 1, Slot: int(seq), Seed: 42, PortBase: 20000, Temp: "/nowhere/tmp", Running: 1, Timeout: patience}
}

// once opens a supervisor, runs one attempt and returns what came of it.
func once(t *testing.T, cfg Config) run.Result {
	t.Helper()
	s, end := begin(t, cfg)
	defer end()
	return s.Run(attempt(1), nil)
}

func text(r run.Result) string { return string(r.Evidence.Output.Bytes()) }

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, 2*time.Millisecond, what)
}

// alive tells whether a process runs whose command line has these words, and kills it if asked to.
func alive(words string, kill bool) bool {
	proc := procFS("/proc")
	pids, _ := proc.pids()
	found := false
	for _, pid := range pids {
		s, err := proc.stat(pid)
		if err != nil || s.over() || pid == os.Getpid() || proc.command(pid) != words {
			continue
		}
		found = true
		if kill {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return found
}

// scrub kills and reaps what a negative control left behind on purpose.
func scrub(t *testing.T, s *Supervisor, words string) {
	t.Helper()
	require.True(t, alive(words, true), "the negative control left nothing behind: %s", words)
	eventually(t, words+" is gone", func() bool { s.kin.look(); return !alive(words, false) })
	eventually(t, "zombies are reaped", func() bool { return s.kin.look() == 0 })
}

// unprivileged runs some tests of this binary again as a user without rights.
func unprivileged(t *testing.T, tests string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("not root: the tests run without rights anyway")
	}
	if _, err := os.Stat("/usr/bin/setpriv"); err != nil {
		t.Skip("no setpriv (util-linux)")
	}
	dir, err := os.MkdirTemp("", "heisen-proc-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	copied := filepath.Join(dir, "proc.test")
	require.NoError(t, os.WriteFile(copied, self, 0o755))

	cfg := testConfig(t, "/usr/bin/setpriv", "--reuid", "65534", "--clear-groups", copied, "-test.run", tests, "-test.v", "-test.timeout", "5m")
	cfg.Spec.Command.Dir = "/"
	cfg.Spec.Command.Env = []string{"TMPDIR=/tmp"}
	cfg.Spec.Keep.OutputBytes = 1 << 20
	cfg.off.cgroup = true
	r := once(t, cfg)
	require.Equal(t, run.Ending{}, r.Ending, text(r))
	require.Contains(t, text(r), "--- PASS")
	require.NotContains(t, text(r), "no tests to run")
	for line := range strings.Lines(text(r)) {
		if strings.Contains(line, "--- SKIP") {
			t.Log(strings.TrimSpace(line))
		}
	}
}
