//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"heisen/stress/chaos/tracer"
	"heisen/stress/interleave/sched"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"heisen": func() { os.Exit(Main(os.Args, os.Stdout, os.Stderr)) },
		"flaky":  func() { os.Exit(flaky(os.Args[1:])) },
	})
}

// flaky fails every n-th attempt: a test whose failing attempts are known beforehand. A second argument is another
// place at which it fails, a third the number of the first attempt that may.
func flaky(args []string) int {
	n, _ := strconv.Atoi(args[0])
	seq, _ := strconv.Atoi(os.Getenv("HEISEN_ATTEMPT"))
	fmt.Printf("attempt %d of %d\n", seq, os.Getpid())
	name, first := "TestFlaky", 0
	if len(args) > 1 {
		name = "Test" + args[1]
	}
	if len(args) > 2 {
		first, _ = strconv.Atoi(args[2])
	}
	if seq >= first && n > 0 && seq%n == 0 {
		fmt.Fprintf(os.Stderr, "--- FAIL: %s (0.00s)\n    flaky_test.go:7: got %d at 0x%x, want 0\n", name, 1, 0xc000000000+seq)
		return 1
	}
	return 0
}

// TestScripts runs the command lines of testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("TMPDIR", os.TempDir()) // short: the scripts' own folder makes long socket names
			cache, err := exec.Command("go", "env", "GOCACHE").Output()
			env.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			return err
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "perf":
				return sched.Probe() == nil, nil
			case "ptrace":
				return tracer.Probe() == nil, nil
			case "cpus":
				return runtime.NumCPU() > 1, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"json":    jsonCommand,
			"exits":   exitsCommand,
			"example": exampleCommand,
			"damage":  damageCommand,
			"hunted":  huntedCommand,
			"watched": watchedCommand,
			"nothingleft": func(ts *testscript.TestScript, _ bool, args []string) {
				nothingLeft(ts, args[0])
			},
		},
	})
}

// jsonCommand checks one value of the JSON on the last command's standard output: json a.b.0 value.
func jsonCommand(ts *testscript.TestScript, neg bool, args []string) {
	var doc any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &doc))
	got := "absent"
	if v, ok := dig(doc, strings.Split(args[0], ".")); ok {
		got = fmt.Sprint(v)
	}
	if (got == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], got)
	}
}

func dig(doc any, path []string) (any, bool) {
	for _, step := range path {
		switch d := doc.(type) {
		case map[string]any:
			v, ok := d[step]
			if !ok {
				return nil, false
			}
			doc = v
		case []any:
			if step == "length" {
				return len(d), true
			}
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(d) {
				return nil, false
			}
			doc = d[i]
		default:
			return nil, false
		}
	}
	return doc, true
}

// exitsCommand runs a command and checks its exit code: exits 10 heisen hunt ...
func exitsCommand(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if (got == args[0]) == neg {
		ts.Fatalf("exit code is %s", got)
	}
}

// exampleCommand runs a line that stands in its command's help, and checks its exit code: example 0 heisen list.
func exampleCommand(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Exec("heisen", "help", args[2]))
	line := "   " + strings.Join(args[1:], " ") + "\n"
	if !strings.Contains(ts.ReadFile("stdout"), line) {
		ts.Fatalf("the help of %s has no line %q", args[2], line)
	}
	exitsCommand(ts, neg, args)
}

// huntedCommand sets HUNT to the oldest campaign of a folder and BUNDLE to its first failure: hunted .heisen.
func huntedCommand(ts *testscript.TestScript, _ bool, args []string) {
	campaigns, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "2*"))
	ts.Check(err)
	bundles, err := filepath.Glob(filepath.Join(campaigns[0], "bundles", "*", "*", "manifest.json"))
	ts.Check(err)
	for _, b := range bundles {
		if !strings.Contains(b, "/pass/") && !strings.Contains(b, "/variant/") {
			ts.Setenv("HUNT", campaigns[0])
			ts.Setenv("BUNDLE", filepath.Dir(b))
			return
		}
	}
	ts.Fatalf("no failure in %s", campaigns[0])
}

// damageCommand flips a bit in the first quarter of the newest campaign's journal: damage .heisen.
func damageCommand(ts *testscript.TestScript, _ bool, args []string) {
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "2*", "journal", "*"))
	ts.Check(err)
	for _, f := range files {
		data, err := os.ReadFile(f)
		ts.Check(err)
		if len(data) > 0 {
			data[len(data)/4] ^= 1
			ts.Check(os.WriteFile(f, data, 0o600))
		}
	}
}

// nothingLeft checks that no process has the text in its command line.
func nothingLeft(ts *testscript.TestScript, text string) {
	procs, err := filepath.Glob("/proc/[0-9]*/cmdline")
	ts.Check(err)
	for _, p := range procs {
		line, err := os.ReadFile(p)
		if err == nil && strings.Contains(strings.ReplaceAll(string(line), "\x00", " "), text) {
			ts.Fatalf("%s is still there: %q", p, line)
		}
	}
}
