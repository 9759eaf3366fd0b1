package python

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

// interpreters are the CPythons of this machine: the one in PATH, and those of pyenv where it is used.
func interpreters(t *testing.T) []string {
	t.Helper()
	var found []string
	if path, err := exec.LookPath("python3"); err == nil {
		found = append(found, path)
	}
	if home, err := os.UserHomeDir(); err == nil {
		more, err := filepath.Glob(filepath.Join(home, ".pyenv/versions/3.*/bin/python3"))
		require.NoError(t, err)
		found = append(found, more...)
	}
	if len(found) == 0 {
		t.Skip("no python3 in PATH")
	}
	return found
}

// attempt runs one program under the hooks and gives its output and what was recorded.
type attempt struct {
	t      *testing.T
	python string
	plan   chaos.Plan
	env    []string
}

func (a attempt) run(args ...string) (string, chaos.Report, error) {
	a.t.Helper()
	dir := a.t.TempDir()
	hooks, err := Install(dir)
	require.NoError(a.t, err)
	files := Files{Record: filepath.Join(dir, "record"), Plan: filepath.Join(dir, "plan")}
	require.NoError(a.t, os.WriteFile(files.Record, nil, 0o600))
	require.NoError(a.t, os.WriteFile(files.Plan, PlanFile(&a.plan), 0o600))
	cmd := exec.Command(a.python, args...)
	base := append(os.Environ(), a.env...)
	cmd.Env = append(base, hooks.Environ(a.plan, files, func(name string) string {
		for i := len(base) - 1; i >= 0; i-- {
			if value, ok := strings.CutPrefix(base[i], name+"="); ok {
				return value
			}
		}
		return ""
	})...)
	out, err := cmd.CombinedOutput()
	record, readErr := readRecord(files.Record)
	require.NoError(a.t, readErr)
	return string(out), Collect(record, a.plan, 0), err
}

// modern tells whether the hooks know this interpreter.
func modern(t *testing.T, python string) bool {
	t.Helper()
	return exec.Command(python, "-c", "import sys; sys.exit(sys.version_info < (3, 8))").Run() == nil
}

func always(settings map[string]string) chaos.Plan {
	s := map[string]string{SetRate: "1", SetLongest: "0.0001"}
	for k, v := range settings {
		s[k] = v
	}
	return chaos.Plan{Version: chaos.PlanVersion, Strategy: Strategy, Seed: 1, Budget: time.Minute, Settings: s, MaxPoints: 100_000, MaxDecisions: 100_000}
}

// Every operation still does what it is for, on every interpreter, and every kind of point is passed.
func TestOperationsStayRight(t *testing.T) {
	for _, python := range interpreters(t) {
		t.Run(python, func(t *testing.T) {
			t.Parallel()
			out, r, err := attempt{t: t, python: python, plan: always(map[string]string{SetSwitch: "1e-05", SetGC: "50,10,10"})}.run("testdata/operations.py")
			require.NoError(t, err, out)
			require.Equal(t, "all right\n", out)
			if !modern(t, python) {
				require.NotEmpty(t, r.Unsupported, "an older Python is left alone, and that is said")
				return
			}
			require.Empty(t, r.Unsupported)
			require.Empty(t, r.Notes)
			require.Zero(t, r.Dropped)
			require.Equal(t, r.Chaos.Planned, r.Chaos.Made)
			seen := map[string]bool{}
			for _, m := range r.Made {
				seen[m.Kind] = true
				if strings.HasPrefix(m.Kind, "lock.") {
					require.Contains(t, m.Site, "operations.py:", "only the program's own locks have points")
				}
			}
			for _, group := range kinds {
				for _, kind := range group {
					if !strings.Contains(unused, kind) {
						require.Contains(t, seen, kind)
					}
				}
			}
			require.Contains(t, paths(r), "0.1", "the first thread that main made")
		})
	}
}

// unused are kinds the program under test does not come to.
const unused = "process.signal.entry process.signal.exit process.poll.entry process.poll.exit future.cancel.entry future.cancel.exit"

func paths(r chaos.Report) map[string]bool {
	all := map[string]bool{}
	for _, m := range r.Made {
		all[m.Thread] = true
	}
	return all
}

// What was made is made again, at the same places and nowhere else.
func TestReplayMakesTheSameDecisions(t *testing.T) {
	python := newest(t)
	program := "import threading\ne = threading.Event()\nt = threading.Thread(target=e.set)\nt.start()\ne.wait()\nt.join()\nprint(1)\n"
	script := filepath.Join(t.TempDir(), "program.py")
	require.NoError(t, os.WriteFile(script, []byte(program), 0o600))
	_, first, err := attempt{t: t, python: python, plan: always(nil)}.run(script)
	require.NoError(t, err)
	require.Greater(t, len(first.Made), 5)
	chosen := []chaos.Decision{first.Made[2].Decision, first.Made[4].Decision}
	chosen[0].Hold = 3 * time.Millisecond
	again := always(nil)
	again.Replay, again.Decisions, again.Seed = true, chosen, 99
	_, second, err := attempt{t: t, python: python, plan: again}.run(script)
	require.NoError(t, err)
	var made []chaos.Decision
	for _, m := range second.Made {
		made = append(made, m.Decision)
		require.GreaterOrEqual(t, m.Held, m.Hold, "time really passed")
	}
	require.ElementsMatch(t, chosen, made)
}

// The same seed draws the same pauses, another one draws others.
func TestDecisionsComeFromTheSeed(t *testing.T) {
	python := newest(t)
	script := filepath.Join(t.TempDir(), "program.py")
	require.NoError(t, os.WriteFile(script, []byte("import threading\ne = threading.Event()\nfor _ in range(40):\n    e.set(); e.clear()\n"), 0o600))
	drawn := func(seed uint64) string {
		plan := always(map[string]string{SetRate: "0.5"})
		plan.Seed = seed
		_, r, err := attempt{t: t, python: python, plan: plan}.run(script)
		require.NoError(t, err)
		var all []string
		for _, m := range r.Made {
			all = append(all, fmt.Sprint(m.Decision))
		}
		return strings.Join(all, "\n")
	}
	require.NotEmpty(t, drawn(1))
	require.Equal(t, drawn(1), drawn(1))
	require.NotEqual(t, drawn(1), drawn(2))
}

func newest(t *testing.T) string {
	t.Helper()
	for _, python := range interpreters(t) {
		if modern(t, python) {
			return python
		}
	}
	t.Skip("no CPython 3.8 or newer")
	return ""
}

// A project's own sitecustomize runs as if ours were not there, and the program's path shows nothing of it.
func TestOwnSitecustomizeIsKept(t *testing.T) {
	for _, python := range interpreters(t) {
		t.Run(python, func(t *testing.T) {
			t.Parallel()
			own := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(own, "sitecustomize.py"), []byte("import sys\nsys.own = __file__\n"), 0o600))
			out, _, err := attempt{t: t, python: python, plan: always(nil), env: []string{"PYTHONPATH=" + own}}.run("-c",
				"import os, sys, sitecustomize; print(sys.own == sitecustomize.__file__, any('python' == os.path.basename(p) and os.path.exists(p + '/heisen_hooks.py') for p in sys.path), 'HEISEN_PYTHON_LOADED' in os.environ)")
			require.NoError(t, err, out)
			require.Equal(t, "True False False\n", out)
		})
	}
}

func TestSubinterpretersAreLeftAlone(t *testing.T) {
	for _, python := range interpreters(t) {
		t.Run(python, func(t *testing.T) {
			t.Parallel()
			if !modern(t, python) || exec.Command(python, "-c", "import _xxsubinterpreters").Run() != nil {
				t.Skip("this Python has no module _xxsubinterpreters")
			}
			out, r, err := attempt{t: t, python: python, plan: always(nil)}.run("-c",
				"import _xxsubinterpreters as s; i = s.create(); s.run_string(i, 'import threading; threading.Event().set(); print(hasattr(threading.Event.set, \"__wrapped__\"))')")
			require.NoError(t, err, out)
			require.Equal(t, "False\n", out)
			require.Zero(t, r.Chaos.Made)
			require.Empty(t, r.Unsupported)
		})
	}
}

func TestIsolatedModeIsSaid(t *testing.T) {
	out, r, err := attempt{t: t, python: newest(t), plan: always(nil)}.run("-I", "-c", "print(1)")
	require.NoError(t, err)
	require.Equal(t, "1\n", out)
	require.Contains(t, r.Unsupported, "-I")
	require.Zero(t, r.Chaos.Made)
}

// The budget bounds all pauses together; what was drawn beyond it is counted as skipped.
func TestBudgetIsKept(t *testing.T) {
	plan := always(map[string]string{SetLongest: "0.001"})
	plan.Budget = 2 * time.Millisecond
	_, r, err := attempt{t: t, python: newest(t), plan: plan}.run("-c", "import threading\ne = threading.Event()\nfor _ in range(200):\n    e.set()\n")
	require.NoError(t, err)
	var total time.Duration
	for _, m := range r.Made {
		total += m.Hold
	}
	require.LessOrEqual(t, total, plan.Budget)
	require.Positive(t, r.Chaos.Skipped)
	require.Equal(t, r.Chaos.Planned, r.Chaos.Made+r.Chaos.Skipped)
}

// Nor is any part of an attempt lengthened by more than the burst and three times what it takes without.
func TestNoPartIsLengthenedBeyondTheBurst(t *testing.T) {
	const busy = "import threading, time\ne = threading.Event()\nend = time.monotonic() + 0.3\nwhile time.monotonic() < end:\n    e.set()\n"
	plan := always(map[string]string{SetShortest: "0.002", SetLongest: "0.004"})
	run := func(burst time.Duration) chaos.Report {
		plan.Burst = burst
		_, r, err := attempt{t: t, python: newest(t), plan: plan}.run("-c", busy)
		require.NoError(t, err)
		require.Greater(t, len(r.Made), 10)
		return r
	}
	require.Zero(t, run(0).Chaos.Skipped)
	r := run(20 * time.Millisecond)
	require.Positive(t, r.Chaos.Skipped)
	for i, first := range r.Made {
		var total time.Duration
		for _, m := range r.Made[i:] {
			total += m.Hold
			passed := m.At + m.Hold - first.At - total
			require.LessOrEqual(t, total, plan.Burst+3*max(passed, 0)+4*time.Millisecond, "from %v to %v", first.At, m.At)
		}
	}
}

// A program that closes every descriptor and reuses their numbers never finds our lines in its files.
func TestRecordIsNotWrittenIntoTheProgramsFiles(t *testing.T) {
	own := filepath.Join(t.TempDir(), "own")
	out, r, err := attempt{t: t, python: newest(t), plan: always(nil)}.run("-c", `
import os, sys, threading
threading.Event().set()
os.closerange(3, 64)
fds = [os.open(sys.argv[1], os.O_CREAT | os.O_RDWR) for _ in range(20)]
threading.Event().set()
`, own)
	require.NoError(t, err, out)
	data, err := os.ReadFile(own)
	require.NoError(t, err)
	require.Empty(t, data)
	require.Greater(t, r.Chaos.Made, int64(3))
}

// A program that looks at its descriptors, and one that is warned of its own lines, finds nothing of the hooks.
func TestHooksAreNotSeen(t *testing.T) {
	out, r, err := attempt{t: t, python: newest(t), plan: always(nil)}.run("-Xwarn_default_encoding", "-Wdefault", "-c", `
import os, subprocess, sys, threading, warnings
threading.Event().set()
mine = ["/proc/self/fd/" + fd for fd in os.listdir("/proc/self/fd")]
opened = [os.readlink(fd) for fd in mine if os.path.lexists(fd)]
assert not any(name.endswith("/record") for name in opened), opened
listed = subprocess.run([sys.executable, "-c", "import os; print(sorted(os.listdir('/proc/self/fd')))"], stdout=subprocess.PIPE)
assert listed.stdout == b"['0', '1', '2', '3']\n", listed.stdout
with warnings.catch_warnings(record=True) as caught:
    subprocess.run("true", shell=True, universal_newlines=True, stdout=subprocess.PIPE)
assert [w.filename for w in caught] == ["<string>"] * len(caught), caught
assert len(caught) > 0 or sys.version_info < (3, 10)
`)
	require.NoError(t, err, out)
	require.Empty(t, r.Notes)
	require.Greater(t, r.Chaos.Made, int64(3))
}

func TestRecognise(t *testing.T) {
	dir := t.TempDir()
	script := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
		return path
	}
	for path, want := range map[string]bool{
		"/usr/bin/python3": true, "/opt/v/bin/python3.13t": true, "python": true, "/usr/bin/pytest": true,
		"/usr/bin/pypy3": false, "/usr/bin/pythonista": false, "/nowhere": false,
		script("a", "#!/usr/bin/env python3\n"): true, script("b", "#!/venv/bin/python3.8 -u\n"): true,
		script("c", "#!/bin/sh\npython3\n"): false, script("d", ""): false, script("e", "\x7fELF"): false,
	} {
		require.Equal(t, want, Recognise(path), path)
	}
}

// What loading the hooks adds to the start of an interpreter.
func BenchmarkStart(b *testing.B) {
	python, err := exec.LookPath("python3")
	if err != nil {
		b.Skip("no python3 in PATH")
	}
	dir := b.TempDir()
	hooks, err := Install(dir)
	require.NoError(b, err)
	record := filepath.Join(dir, "record")
	require.NoError(b, os.WriteFile(record, nil, 0o600))
	loaded := hooks.Environ(always(nil), Files{Record: record}, func(string) string { return "" })
	for _, tc := range []struct {
		name string
		env  []string
	}{{"plain", nil}, {"hooks", loaded}} {
		b.Run(tc.name, func(b *testing.B) {
			for b.Loop() {
				cmd := exec.Command(python, "-c", "import threading")
				cmd.Env = append(os.Environ(), tc.env...)
				require.NoError(b, cmd.Run())
			}
		})
	}
}
