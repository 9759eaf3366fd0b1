package starve

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// eventually waits for the sampler, which may be slow on a busy machine but never fails to come.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 60*time.Second, 5*time.Millisecond, what)
}

func seenOf(m *Meter, h *helper) seen {
	r := m.record(h.attempt)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen
}

func TestSingleThreadIsMeasuredWholly(t *testing.T) {
	m := openMeter(t, Config{})
	// dd is one thread from its fork to its end, so its last reading is all there is.
	h := begin(t, m, exec.Command("dd", "if=/dev/zero", "of=/dev/null", "bs=1M", "count=50", "status=none"))
	res := h.finish()
	s, why := res.Evidence.Signals, res.Evidence.NotCollected
	t.Log(s, why)
	require.Equal(t, int64(1), s[run.SigThreads])
	require.Equal(t, int64(1), s[run.SigProcesses])
	require.Positive(t, s[run.SigMinorFaults])
	require.Contains(t, s, run.SigRunDelay)
	require.Equal(t, s[run.SigRunDelay], s[run.SigRunDelayWorst])
	for _, name := range []string{run.SigRunDelay, run.SigRunDelayWorst, run.SigThreads, run.SigProcesses} {
		require.NotContains(t, why, name, "it is exact")
	}
	require.NotContains(t, s, run.SigMigrations)
	require.Contains(t, m.NotCollected(), run.SigMigrations)
	usage, ok := h.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	require.True(t, ok)
	require.Equal(t, usage.Minflt, s[run.SigMinorFaults], "the zombie's usage is the reaped process's")
	require.Equal(t, usage.Nvcsw, s[run.SigVoluntary])
	require.Equal(t, usage.Nivcsw, s[run.SigInvoluntary])
}

func TestThreadsAndChildrenAreFound(t *testing.T) {
	m := openMeter(t, Config{Fastest: 10 * time.Millisecond})
	threads := launch(t, m, true, "threads", "20")
	parent := launch(t, m, true, "parent", "3")
	eventually(t, "twenty threads", func() bool { return seenOf(m, threads).threads > 20 })
	eventually(t, "three children", func() bool { return seenOf(m, parent).processes == 4 })
	res := threads.finish()
	require.GreaterOrEqual(t, res.Evidence.Signals[run.SigThreads], int64(21))
	require.Equal(t, int64(1), res.Evidence.Signals[run.SigProcesses])
	require.Contains(t, res.Evidence.NotCollected[run.SigThreads], "at least")
	res = parent.finish()
	require.Equal(t, int64(4), res.Evidence.Signals[run.SigProcesses])
}

func TestDescriptorsAreCounted(t *testing.T) {
	m := openMeter(t, Config{Fastest: 10 * time.Millisecond})
	few, many := launch(t, m, true, "files", "1"), launch(t, m, true, "files", "41")
	parent := launch(t, m, true, "parent", "3")
	eventually(t, "all are counted", func() bool {
		return seenOf(m, few).descriptors > 0 && seenOf(m, many).descriptors > 40 && seenOf(m, parent).processes == 4
	})
	one, all := few.finish().Evidence, many.finish().Evidence
	require.Equal(t, int64(40), all.Signals[run.SigDescriptors]-one.Signals[run.SigDescriptors], "the same program with 40 files more")
	require.NotContains(t, all.NotCollected, run.SigDescriptors)
	// Each sleep has its three standard files, and the parent at least as many.
	require.GreaterOrEqual(t, parent.finish().Evidence.Signals[run.SigDescriptors], int64(12), "those of all its processes together")
}

// TestEntriesAreCountedWhereTheKernelTellsNoSize is how it works before Linux 6.2.
func TestEntriesAreCountedWhereTheKernelTellsNoSize(t *testing.T) {
	fd, err := openFile("/proc/self/fd")
	require.NoError(t, err)
	defer fd.close()
	n := int64(0)
	require.NoError(t, fd.eachEntry(make([]byte, 4096), func(int) { n++ }))
	if size := fd.size(); size > 0 {
		require.InDelta(t, size, n, 10, "goroutines of the test open and close files meanwhile")
	}
	require.GreaterOrEqual(t, n, int64(4))
}

func TestDescriptorsThatNobodyMayCount(t *testing.T) {
	for why, s := range map[string]seen{
		whyLocked: {hidden: true, descriptors: 7, samples: 3}, whyNoFile: {lost: true, descriptors: 7}, whyShort: {},
	} {
		var res run.Result
		figures{result: &res}.descriptors(s)
		require.NotContains(t, res.Evidence.Signals, run.SigDescriptors, "part of them is no figure, and neither is zero")
		require.Equal(t, why, res.Evidence.NotCollected[run.SigDescriptors])
	}
}

// Two programs do the same work on one CPU beside one hog, and one of them has a ninth of the weight: it must
// wait longer, whatever else runs on the machine. dd is one thread all the way, so both figures are exact.
func TestStarvedWaitsLongerThanUnstarved(t *testing.T) {
	m := openMeter(t, Config{Fastest: 10 * time.Millisecond})
	hog := launch(t, m, true, "hog", "0")
	defer hog.kill()
	work := func(nice string) *helper {
		return begin(t, m, exec.Command("nice", "-n", nice, "taskset", "-c", "0",
			"dd", "if=/dev/zero", "of=/dev/null", "bs=1M", "count=300", "status=none"))
	}
	starved, plain := work("10"), work("0")
	unfed, fed := starved.finish().Evidence, plain.finish().Evidence
	t.Log("starved", unfed.Signals, "plain", fed.Signals)
	for _, e := range []run.Evidence{unfed, fed} {
		require.NotContains(t, e.NotCollected, run.SigRunDelay)
		require.Positive(t, e.Signals[run.SigRunDelay])
		if stall, have := e.Signals[run.SigLongestStall]; have {
			require.LessOrEqual(t, stall, e.Signals[run.SigRunDelay])
		}
	}
	require.Greater(t, unfed.Signals[run.SigRunDelay], fed.Signals[run.SigRunDelay])
}

// begin starts an attempt of a program that neither reads nor is waited for.
func begin(t *testing.T, m *Meter, cmd *exec.Cmd) *helper {
	t.Helper()
	attempts++
	h := &helper{t: t, m: m, attempt: run.Attempt{Seq: attempts, Try: 1}, cmd: cmd}
	require.NoError(t, cmd.Start())
	t.Cleanup(h.kill)
	m.Started(h.attempt, cmd.Process.Pid, "", "")
	return h
}

func TestExitStatusOfAZombie(t *testing.T) {
	for script, bad := range map[string]bool{"exit 0": false, "exit 3": true, "kill -9 $$": true, "exit 256": false} {
		cmd := exec.Command("sh", "-c", script)
		require.NoError(t, cmd.Start())
		require.NoError(t, waitZombie(cmd.Process.Pid))
		u, err := usageOfZombie(cmd.Process.Pid)
		require.NoError(t, err)
		require.Equal(t, bad, u.bad, script)
		require.Equal(t, bad, cmd.Wait() != nil, script)
		_, err = usageOfZombie(cmd.Process.Pid)
		require.Error(t, err, "reaped")
	}
}

func TestVoluntarySwitchesAreCounted(t *testing.T) {
	m := openMeter(t, Config{})
	few := launch(t, m, false, "nap", "1").finish()
	many := launch(t, m, false, "nap", "100").finish()
	require.GreaterOrEqual(t, many.Evidence.Signals[run.SigVoluntary], few.Evidence.Signals[run.SigVoluntary]+50)
}

func TestMeasuredWithoutPrivilege(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the other tests run unprivileged already")
	}
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Skip("needs setpriv of util-linux to give up root")
	}
	// Not t.TempDir, which others may not enter.
	copied, err := os.MkdirTemp("", "heisen-starve-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(copied) })
	require.NoError(t, os.Chmod(copied, 0o755))
	binary := copied + "/starve.test"
	data, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(binary, data, 0o755))
	cmd := exec.Command(setpriv, "--reuid", "65534", "--clear-groups", binary,
		"-test.run", "^(TestSingleThread|TestThreadsAndChildren)", "-test.v")
	cmd.Dir = copied
	cmd.Env = append(os.Environ(), "TMPDIR=/tmp")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "--- PASS: TestThreadsAndChildrenAreFound")
	require.Contains(t, string(out), "--- PASS: TestSingleThreadIsMeasuredWholly")
}

func TestManyAttemptsAtOnce(t *testing.T) {
	m := openMeter(t, Config{Fastest: 10 * time.Millisecond})
	var all []*helper
	for i := range 12 {
		all = append(all, launch(t, m, true, "threads", strconv.Itoa(i)))
	}
	for i, h := range all {
		eventually(t, "threads of "+strconv.Itoa(i), func() bool { return seenOf(m, h).threads >= i+1 })
	}
	for i, h := range all {
		res := h.finish()
		require.GreaterOrEqual(t, res.Evidence.Signals[run.SigThreads], int64(i+1))
		require.Less(t, res.Evidence.Signals[run.SigThreads], int64(i+10), "threads of another attempt")
	}
	eventually(t, "all descriptors back", func() bool { return m.Stats().Descriptors == 0 })
	require.Positive(t, m.Stats().Samples)
	require.EqualValues(t, 12, m.Stats().Attempts)
}
