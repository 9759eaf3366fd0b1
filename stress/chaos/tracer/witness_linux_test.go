package tracer

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

// between is a program of two threads: main wakes nobody until the other one has begun to wait.
const between = `
#include <pthread.h>
#include <unistd.h>
static int ends[2];
static void waits(void) { char c; if (read(ends[0], &c, 1) != 1) _exit(3); }
static void *other(void *x) { waits(); return x; }
static void speaks(void) { if (write(ends[1], "x", 1) != 1) _exit(4); }
int main(void) {
	pthread_t t;
	if (pipe(ends)) return 2;
	pthread_create(&t, NULL, other, NULL);
	usleep(1000);
	speaks();
	pthread_join(t, NULL);
	return 0;
}`

// looking is a plan that holds the other thread before it waits, and wants the stacks when main speaks.
func looking(at chaos.Address) chaos.Plan {
	plan := draft(decide("0.1", "pipe.read.entry", 1, 500*time.Millisecond))
	plan.Stacks = &at
	return plan
}

func needGDB(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("gdb"); err != nil {
		t.Skip("no gdb here")
	}
}

// A program whose runtime prints no stacks is shown by gdb, all threads, and ends with that.
func TestADebuggerShowsWhatPrintsNoStacks(t *testing.T) {
	needGDB(t)
	program := compile(t, between)
	for name, at := range map[string]chaos.Address{
		"another thread comes to a point": {Thread: "0", Kind: "pipe.write.entry", N: 1},
		"a hold is over":                  {Thread: "0.1", Kind: "pipe.read.entry", N: 1},
	} {
		t.Run(name, func(t *testing.T) {
			r, text := runUnder(t, looking(at), nil, program)
			for tries := 0; !r.Asked; tries++ { // main may speak before the other one is held
				require.Less(t, tries, 20, r.NoStacks)
				r, text = runUnder(t, looking(at), nil, program)
			}
			require.Empty(t, r.NoStacks, text)
			require.True(t, r.Asked)
			require.Contains(t, text, " waits (")
			require.Contains(t, text, " main (")
			require.Equal(t, syscall.SIGKILL, syscall.WaitStatus(r.Status).Signal())
		})
	}
}

// Row 48: what lies beside a program, or in the folder it runs in, is no script for a debugger.
func TestFault48ADebuggerLoadsNoScripts(t *testing.T) {
	needGDB(t)
	program := compile(t, between)
	dir := filepath.Dir(program)
	canary := filepath.Join(dir, "canary")
	script := []byte("shell touch " + canary + "\n")
	for _, name := range []string{program + "-gdb.gdb", filepath.Join(dir, ".gdbinit"), filepath.Join(dir, ".gdbearlyinit")} {
		require.NoError(t, os.WriteFile(name, script, 0o600))
	}
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	r, text := runUnder(t, looking(chaos.Address{Thread: "0.1", Kind: "pipe.read.entry", N: 1}), nil, program)
	require.True(t, r.Asked, r.NoStacks)
	require.Contains(t, text, " waits (")
	require.NoFileExists(t, canary)

	// Control: without what keeps it from that, gdb does as the scripts say.
	out, err := exec.Command("gdb", "-batch", "-iex", "set auto-load safe-path /", program).CombinedOutput()
	require.NoError(t, err, string(out))
	require.FileExists(t, canary)
}

// Runtimes that print their own stacks are asked to.
func TestRuntimesPrintTheirOwnStacks(t *testing.T) {
	build := func(t *testing.T, source string) []string {
		tool, err := exec.LookPath("go")
		if err != nil {
			t.Skip("no go here")
		}
		file := filepath.Join(t.TempDir(), "p.go")
		require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
		out, err := exec.Command(tool, "build", "-o", file+".bin", file).CombinedOutput()
		require.NoError(t, err, string(out))
		return []string{file + ".bin"}
	}
	python := func(t *testing.T, source string) []string {
		python, err := exec.LookPath("python3")
		if err != nil {
			t.Skip("no python3 here")
		}
		file := filepath.Join(t.TempDir(), "p.py")
		require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
		real, err := exec.Command(python, "-c", "import sys; print(sys.executable, end='')").Output()
		require.NoError(t, err)
		return []string{string(real), file}
	}
	for name, c := range map[string]struct {
		argv   []string
		at     chaos.Decision
		prints []string
	}{
		"Go": {build(t, "package main\n\nimport \"os\"\n\nfunc speaks() { os.Create(os.Args[0] + \".made\") }\n\nfunc main() { speaks() }\n"),
			decide("0", "file.create.entry", 1, 100*time.Millisecond), []string{"SIGQUIT: quit", "main.speaks"}},
		"Python": {python(t, "import threading\ndef work():\n    open(__file__ + '.made', 'w').close()\nt = threading.Thread(target=work)\nt.start()\nt.join()\n"),
			decide("0.1", "file.create.entry", 1, 100*time.Millisecond), []string{"most recent call first", "p.py\", line 3 in work"}},
	} {
		t.Run(name, func(t *testing.T) {
			plan := draft(c.at)
			plan.Stacks = &c.at.Address
			r, text := runUnder(t, plan, []string{"PYTHONFAULTHANDLER=1"}, c.argv...)
			require.True(t, r.Asked, "%s; %s", r.NoStacks, text)
			for _, want := range c.prints {
				require.Contains(t, text, want)
			}
		})
	}
}

// Where the moment does not come, that is the reason, and the test goes its way.
func TestNoStacksWithoutTheMoment(t *testing.T) {
	plan := draft()
	plan.Stacks = &chaos.Address{Thread: "0", Kind: "pipe.write.entry", N: 1}
	r, _ := runUnder(t, plan, nil, compile(t, between))
	require.Zero(t, code(t, r))
	require.False(t, r.Asked)
	require.Equal(t, "no thread came to that point while one was held", r.NoStacks)
}
