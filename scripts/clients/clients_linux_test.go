package clients

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	heisenevents "heisen/scripts/clients/go"
	"heisen/stress/interleave/events"
	"heisen/stress/run"
)

const (
	processes = 8
	threads   = 8
	each      = 25
)

// goMarker makes the test binary play the Go program with marks.
const goMarker = "HEISEN_TEST_GO_MARKER"

func TestMain(m *testing.M) {
	switch os.Getenv(goMarker) {
	case "":
		os.Exit(withFolder(m))
	case "storm":
		var all sync.WaitGroup
		for thread := range threads {
			all.Go(func() {
				for i := range each {
					heisenevents.Mark("mark", os.Args[1], strconv.Itoa(thread), strconv.Itoa(i))
				}
			})
		}
		all.Wait()
	case "hard":
		for _, fields := range hardFields {
			heisenevents.Mark("hard", fields...)
		}
		heisenevents.Mark("long", strings.Repeat("%", 3*4096), "never")
	case "time":
		n, _ := strconv.Atoi(os.Args[1])
		for range n {
			heisenevents.Mark("lock.acquired", "worker-7", "42")
		}
	}
}

// built holds the helper programs.
var built string

func withFolder(m *testing.M) int {
	var err error
	if built, err = os.MkdirTemp("", "heisen-clients-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(built)
	return m.Run()
}

// hardFields are fields that a line cannot hold as they are.
var hardFields = [][]string{{"a b", "", "100%", "%41"}, {"x\ny\t\x01\x7f", "@1:2:3 fake", "größe 日本"}, {"'\"\\$(true)`*"}, {}}

// client is a language's client, and how to start its helper programs.
type client struct {
	// command starts a helper; the first argument is what it does: storm PROCESS, hard, or time N.
	command func(t *testing.T, args ...string) *exec.Cmd
	// told is which of time and thread an event has.
	time, thread bool
	threads      int
	longest      int // of a field of "long"
}

var clients = sync.OnceValue(func() map[string]client {
	return map[string]client{
		"go":     {command: goProgram, time: true, threads: threads, longest: 1300},
		"c":      {command: cProgram("c", "cc"), time: true, thread: true, threads: threads, longest: 1300},
		"c++":    {command: cProgram("c++", "c++"), time: true, thread: true, threads: threads, longest: 1300},
		"python": {command: script("python3", "testdata/marker.py"), time: true, thread: true, threads: threads, longest: 1300},
		"sh":     {command: script("sh", "testdata/marker.sh"), thread: true, threads: 1, longest: -1},
		"bash":   {command: script("bash", "testdata/marker.sh"), thread: true, threads: 1, longest: -1},
	}
})

func goProgram(t *testing.T, args ...string) *exec.Cmd {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, args[1:]...)
	cmd.Env = append(os.Environ(), goMarker+"="+args[0])
	return cmd
}

// cProgram builds the helper, once for all tests.
func cProgram(language, compiler string) func(*testing.T, ...string) *exec.Cmd {
	program := filepath.Join(built, language)
	build := sync.OnceValue(func() error {
		out, err := exec.Command(compiler, "-x", language, "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-Ic", "-o", program,
			"testdata/marker.c", "testdata/other.c").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	return func(t *testing.T, args ...string) *exec.Cmd {
		need(t, compiler)
		require.NoError(t, build())
		return exec.Command(program, args...)
	}
}

func script(interpreter, path string) func(*testing.T, ...string) *exec.Cmd {
	return func(t *testing.T, args ...string) *exec.Cmd {
		need(t, interpreter)
		return exec.Command(interpreter, append([]string{path}, args...)...)
	}
}

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("no %s here: %v", program, err)
	}
}

// attempt is a runner whose attempts are a function that starts programs with HEISEN_EVENTS set.
type attempt func(a run.Attempt)

func (f attempt) Run(a run.Attempt, _ *run.Control) run.Result {
	res := run.Result{Started: time.Now(), Evidence: run.Evidence{DumpAt: -1}}
	f(a)
	return res
}

// listen runs an attempt through the channel as heisen does, and returns its trace.
func listen(t *testing.T, f attempt) *run.Trace {
	t.Helper()
	channel, err := events.Open(t.TempDir())
	require.NoError(t, err)
	defer channel.Close()
	res := events.Told(f, channel, events.NewLines(&events.Markers{})).Run(run.Attempt{Seq: 1, Temp: t.TempDir()}, nil)
	require.NotNil(t, res.Evidence.Trace)
	return res.Evidence.Trace
}

func environ(cmd *exec.Cmd, a run.Attempt) *exec.Cmd {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, a.Environ()...)
	return cmd
}

// Many threads of many processes at once: every event is there exactly once, whole, and those of one thread
// in its order.
func TestClientsLoseAndMixNothing(t *testing.T) {
	for name, c := range clients() {
		t.Run(name, func(t *testing.T) {
			trace := listen(t, func(a run.Attempt) {
				var running []*exec.Cmd
				for p := range processes {
					cmd := environ(c.command(t, "storm", strconv.Itoa(p)), a)
					cmd.Stderr = os.Stderr
					require.NoError(t, cmd.Start())
					running = append(running, cmd)
				}
				for _, cmd := range running {
					require.NoError(t, cmd.Wait())
				}
			})
			require.Empty(t, trace.Dropped)
			require.Len(t, trace.Points, processes*c.threads*each)
			next := map[string]int{}
			who := map[string]int{}
			for _, p := range trace.Points {
				require.Equal(t, "mark", p.Name)
				require.Len(t, p.Fields, 3)
				key := p.Fields[0] + "/" + p.Fields[1]
				require.Equal(t, strconv.Itoa(next[key]), p.Fields[2], key)
				next[key]++
				require.Equal(t, c.time, p.At > 0)
				if !c.thread {
					require.Equal(t, -1, p.Thread)
					continue
				}
				if thread, seen := who[key]; seen {
					require.Equal(t, thread, p.Thread, "one thread has one identity")
				}
				who[key] = p.Thread
			}
			require.Len(t, next, processes*c.threads)
			require.Len(t, trace.Threads, len(who))
		})
	}
}

func TestClientsEscapeAndCut(t *testing.T) {
	for name, c := range clients() {
		t.Run(name, func(t *testing.T) {
			trace := listen(t, func(a run.Attempt) {
				out, err := environ(c.command(t, "hard"), a).CombinedOutput()
				require.NoError(t, err, "%s", out)
				require.Empty(t, out)
			})
			require.Empty(t, trace.Dropped)
			require.Len(t, trace.Points, len(hardFields)+1)
			for i, want := range hardFields {
				require.Equal(t, "hard", trace.Points[i].Name)
				require.ElementsMatch(t, want, trace.Points[i].Fields)
				require.Equal(t, want, append([]string{}, trace.Points[i].Fields...))
			}
			long := trace.Points[len(hardFields)]
			require.Equal(t, "long", long.Name)
			if c.longest < 0 {
				require.Empty(t, long.Fields, "a field without room is left out")
				return
			}
			require.Equal(t, strings.Repeat("%", len(long.Fields[0])), long.Fields[0])
			require.Greater(t, len(long.Fields[0]), c.longest)
			require.Len(t, long.Fields, 1)
		})
	}
}

// Where nobody listens a client does nothing, says nothing and fails nothing.
func TestClientsAreHarmlessWhenNobodyListens(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	require.NoError(t, os.WriteFile(kept, []byte("mine"), 0o600))
	require.NoError(t, os.Symlink(kept, filepath.Join(dir, "link")))
	require.NoError(t, exec.Command("mkfifo", filepath.Join(dir, "fifo")).Run())
	for name, c := range clients() {
		for what, value := range map[string]string{
			"unset": "", "gone": filepath.Join(dir, "gone"), "folder": dir, "FIFO": filepath.Join(dir, "fifo"),
			"no path": "1", "device": "/dev/full",
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				cmd := c.command(t, "storm", "0")
				if cmd.Env == nil {
					cmd.Env = os.Environ()
				}
				if what != "unset" {
					cmd.Env = append(cmd.Env, "HEISEN_EVENTS="+value)
				}
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s", out)
				require.Empty(t, string(out))
				require.NoFileExists(t, filepath.Join(dir, "gone"))
			})
		}
	}
}

// Telling an event must not raise SIGXFSZ where the test limits the size of its files.
func TestCClientKeepsWithinTheFileSizeLimit(t *testing.T) {
	need(t, "bash")
	c := clients()["c"]
	for kib, told := range map[string]int{"1": 0, "1024": 0, "2048": threads * each} {
		trace := listen(t, func(a run.Attempt) {
			storm := c.command(t, "storm", "0")
			out, err := environ(exec.Command("bash", "-c", `echo begun >>"$HEISEN_EVENTS"; ulimit -f $1; exec "$0" storm 0`, storm.Path, kib), a).CombinedOutput()
			require.NoError(t, err, "%s", out)
		})
		require.Len(t, trace.Points, told+1, kib)
		require.Empty(t, trace.Dropped)
	}
}

// What an event costs, for README.md: HEISEN_SLOW_TESTS=1 go test -run Costs -v ./scripts/clients. It is CPU
// time, which other work on the machine disturbs least, the interpreter's start left out.
func TestClientCosts(t *testing.T) {
	if os.Getenv("HEISEN_SLOW_TESTS") == "" {
		t.Skip("a measurement: HEISEN_SLOW_TESTS=1 runs it")
	}
	const few, many, rounds = 100, 5_100, 5
	for _, dir := range []string{os.TempDir(), "/dev/shm"} {
		for name, c := range clients() {
			file := filepath.Join(dir, fmt.Sprintf("heisen-cost-%d", os.Getpid()))
			var costs []time.Duration
			for range rounds {
				cost := cpuOf(t, c, file, many) - cpuOf(t, c, file, few)
				costs = append(costs, cost/(many-few))
			}
			slices.Sort(costs)
			t.Logf("%-8s %-8s %v an event of CPU (%v to %v)", dir, name, costs[rounds/2], costs[0], costs[rounds-1])
		}
	}
}

func cpuOf(t *testing.T, c client, file string, events int) time.Duration {
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	defer os.Remove(file)
	cmd := c.command(t, "time", strconv.Itoa(events))
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "HEISEN_EVENTS="+file)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
