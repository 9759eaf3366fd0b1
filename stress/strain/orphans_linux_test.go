package strain_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/proc"
	"heisen/stress/run"
	"heisen/stress/strain"
)

// TestHogsAreNotTakenForOrphans runs attempts beside hogs: the supervisor reaps and kills children that are
// not in heisen's session, and no others. A daemon that comes to it from elsewhere is the control: it is killed.
func TestHogsAreNotTakenForOrphans(t *testing.T) {
	cfg := proc.Config{Campaign: "strain-test", Environ: os.Environ()}
	cfg.Spec.Command = run.Command{Args: []string{"/bin/true"}, Path: "/bin/true", Dir: "/"}
	cfg.Spec.Keep.OutputBytes = 1 << 10
	s, err := proc.Open(cfg)
	require.NoError(t, err)
	h, err := strain.Start(strain.Load{CPU: 2}, strain.Config{})
	require.NoError(t, err)
	require.NoError(t, exec.Command("/usr/bin/setsid", "--fork", "sleep", "3651").Run())
	require.Eventually(t, func() bool { return daemon() > 0 }, time.Minute, time.Millisecond)
	// When a process began is known to a hundredth of a second: one that began in the same as an attempt, and left its
	// parent, can be the attempt's own.
	time.Sleep(30 * time.Millisecond)
	for i := range 20 {
		r := s.Run(run.Attempt{Seq: int64(i + 1), Try: 1, Slot: 1}, nil)
		require.Equal(t, run.Ending{}, r.Ending)
		require.Empty(t, r.Evidence.Leaks)
	}
	require.NoError(t, s.Close())
	require.Zero(t, daemon())
	require.Equal(t, strain.Stats{Hogs: 2, Running: 2}, h.Stats())
	require.NoError(t, h.Close())
	if strays := s.Strays(); strays.Count > 0 {
		require.Equal(t, int64(1), strays.Count)
		require.Equal(t, "sleep 3651", strays.Last.Command)
	}
}

// daemon is the number of the control's process, 0 when it is gone.
func daemon() int {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		if text, _ := os.ReadFile(line); string(text) == "sleep\x003651\x00" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(line)))
			return pid
		}
	}
	return 0
}

// TestUnprivileged does the same in the lesser tier, where orphans are attributed and killed.
func TestUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: the tests run without rights anyway")
	}
	if _, err := os.Stat("/usr/bin/setpriv"); err != nil {
		t.Skip("no setpriv (util-linux)")
	}
	dir, err := os.MkdirTemp("", "heisen-strain-")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, os.Chmod(dir, 0o755))
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	copied := filepath.Join(dir, "strain.test")
	require.NoError(t, os.WriteFile(copied, self, 0o755))
	cmd := exec.Command("/usr/bin/setpriv", "--reuid", "65534", "--clear-groups", copied, "-test.v",
		"-test.run", "TestHogsAreNotTakenForOrphans|TestHogsDieWithHeisen|TestHogsLoad")
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: TestHogsAreNotTakenForOrphans")
	for line := range bytes.Lines(out) {
		if bytes.Contains(line, []byte("--- SKIP")) {
			t.Logf("%s", line)
		}
	}
}
