package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/stress/interleave/sched"
)

// What it takes to assert on a sentence: fewer failures than that show no cause.
const (
	enoughFailures = 10
	enoughPasses   = 20
)

// Tests that start a thread and suppose that it runs at once, in three languages, with nothing marked: the
// scheduler's record alone says which thread did not run in time.
func TestTheSchedulersRecordNamesTheLateThread(t *testing.T) {
	if err := sched.Probe(); err != nil {
		t.Skip(err)
	}
	if os.Getenv("HEISEN_SLOW_TESTS") == "" {
		t.Skip("set HEISEN_SLOW_TESTS=1: it keeps the machine busy for a minute, and whether a thread starts late is the machine's to say")
	}
	heisen := installed(t)
	for _, c := range []struct {
		name    string
		command func(t *testing.T) []string
		// sentence is what the finding must be. The thread's number depends on how many the runtime makes.
		sentence string
	}{
		{"C", compiled, `^@2 "late", created by main, (never ran before main's end|first ran|ran before main's end)`},
		{"Python", func(t *testing.T) []string {
			return []string{pythonItself(t), "-I", "-S", filepath.Join(here(t), "testdata/late/late.py")}
		}, `^@2 "[^"]+", created by main, (never ran before main's end|first ran|ran before main's end)`},
		{"Go", func(*testing.T) []string { return []string{heisen, plantedArg, "late-start"} },
			`^@\d+ "heisen", created by main, first ran `},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := huntLoaded(t, heisen, c.command(t))
			if r.Attempts.ByOutcome["fail"] < enoughFailures || r.Attempts.ByOutcome["pass"] < enoughPasses {
				t.Skipf("too few to compare under this machine's load: %v", r.Attempts.ByOutcome)
			}
			require.NotNil(t, r.Divergence)
			t.Log(r.Divergence.Sentence)
			require.True(t, r.Divergence.Separated, r.Divergence.Sentence)
			require.Regexp(t, c.sentence, r.Divergence.Sentence)
			require.Greater(t, len(r.Variants), 1)
			require.Greater(t, r.Interleavings.Attempts, int64(enoughFailures))
		})
	}
}

// A Python test that marks what it does through the client: the sentence speaks in its words.
func TestAMarkedTestIsToldInItsOwnWords(t *testing.T) {
	if err := sched.Probe(); err != nil {
		t.Skip(err)
	}
	if os.Getenv("HEISEN_SLOW_TESTS") == "" {
		t.Skip("set HEISEN_SLOW_TESTS=1: it keeps the machine busy, and whether a thread starts late is the machine's to say")
	}
	r := huntLoaded(t, installed(t), []string{pythonItself(t), filepath.Join(here(t), "../../scripts/demo/starved_thread.py")})
	if r.Attempts.ByOutcome["fail"] < enoughFailures || r.Attempts.ByOutcome["pass"] < enoughPasses {
		t.Skipf("too few to compare under this machine's load: %v", r.Attempts.ByOutcome)
	}
	require.NotNil(t, r.Divergence)
	t.Log(r.Divergence.Sentence)
	require.True(t, r.Divergence.Separated, r.Divergence.Sentence)
	require.Contains(t, r.Divergence.Sentence, "before main's second list_all")
	require.Contains(t, r.Divergence.Sentence, "created by main")
	failing, passing := false, false
	for _, v := range r.Variants {
		failing, passing = failing || v.Fail > 0, passing || v.Pass > 0
	}
	require.True(t, failing && passing, "both variants are counted")
}

// huntLoaded hunts under load and returns the report as scripts see it.
func huntLoaded(t *testing.T, heisen string, command []string) reports.Report {
	t.Helper()
	dir := t.TempDir()
	args := append([]string{"hunt", "--dir", dir, "-j", "48", "--load", "cpu=4", "--sched", "on",
		"--failures", "14", "--for", "25s", "--"}, command...)
	hunt := exec.Command(heisen, args...)
	hunt.Env = append(os.Environ(), "TMPDIR="+os.TempDir())
	out, err := hunt.CombinedOutput()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit, "%s", out)
		require.Contains(t, []int{exitFailures}, exit.ExitCode(), "%s", out)
	}
	shown, err := exec.Command(heisen, "show", "--dir", dir, "last", "--json").Output()
	require.NoError(t, err)
	var r reports.Report
	require.NoError(t, json.Unmarshal(shown, &r))
	return r
}

// installed is this program under the name by which it plays heisen (see TestMain).
func installed(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	data, err := os.ReadFile(self)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "heisen")
	require.NoError(t, os.WriteFile(path, data, 0o700))
	return path
}

func compiled(t *testing.T) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "late")
	out, err := exec.Command(found(t, "cc"), "-O1", "-pthread", "-o", path, "testdata/late/late.c").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return []string{path}
}

// pythonItself is the interpreter itself: python3 may be a script that looks for one.
func pythonItself(t *testing.T) string {
	t.Helper()
	out, err := exec.Command(found(t, "python3"), "-c", "import sys; print(sys.executable)").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

func found(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skip(err)
	}
	return path
}

func here(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	return dir
}
