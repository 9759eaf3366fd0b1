package strain

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// patience is how long a test waits for what must come sooner or later.
const patience = time.Minute

// parentCommand has the test binary start hogs, print a number and wait. With "hold" after it, it first starts a
// process that keeps the hogs' pipe open, and prints that one's number.
const parentCommand = "__parent"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case HogCommand:
			if RunHog(os.Args[2:]) != nil {
				os.Exit(1)
			}
			os.Exit(0)
		case parentCommand:
			os.Exit(playParent(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

// every is one hog of each kind, small.
var every = Load{CPU: 1, Memory: 8 << 20, IO: 1}

func playParent(how string) int {
	h, err := Start(every, Config{Dir: "."})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	holder := 0
	if how == "hold" {
		cmd := exec.Command("/bin/sleep", "3652")
		cmd.Stdin = h.alive
		if err := cmd.Start(); err != nil {
			fmt.Println(err)
			return 1
		}
		holder = cmd.Process.Pid
	}
	fmt.Println(holder)
	time.Sleep(time.Hour)
	return 0
}

// start starts hogs and checks at the test's end that nothing is left.
func start(t *testing.T, load Load) *Hogs {
	t.Helper()
	dir := diskFolder(t)
	h, err := Start(load, Config{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, h.Close())
		require.NoError(t, h.Close(), "again")
		require.Empty(t, hogsOf(os.Getpid()))
		require.Zero(t, h.Stats().Running)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left, "files")
		goleak.VerifyNone(t)
	})
	return h
}

// diskFolder is a private folder that is not in memory; the package's own is on a disk where /tmp is not.
func diskFolder(t *testing.T) string {
	t.Helper()
	for _, parent := range []string{os.TempDir(), "/var/tmp", "."} {
		dir, err := os.MkdirTemp(parent, "heisen-strain-")
		if err != nil {
			continue
		}
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
		if checkDisk(every, dir) == nil {
			return dir
		}
	}
	t.Skip("no folder on a disk: /tmp and /var/tmp are in memory")
	return ""
}

// hogsOf lists the hogs among a process's children, by kind.
func hogsOf(parent int) map[string]int {
	found := map[string]int{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err == nil && field(pid, 4) == strconv.Itoa(parent) {
			if kind := hogKind(pid); kind != "" {
				found[kind] = pid
			}
		}
	}
	return found
}

// hogKind is the kind of hog a process is, "" if it is none or gone.
func hogKind(pid int) string {
	line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	args := strings.Split(string(line), "\x00")
	if len(args) < 3 || args[1] != HogCommand {
		return ""
	}
	return args[2]
}

// field is one field of /proc/PID/stat, counted as in proc_pid_stat(5); "" if there is no such process.
func field(pid, n int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	return fields[n-3]
}

func number(pid, n int) int64 {
	v, _ := strconv.ParseInt(field(pid, n), 10, 64)
	return v
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, patience, 2*time.Millisecond, what)
}

func TestHogsLoadTheMachine(t *testing.T) {
	h := start(t, every)
	require.Equal(t, Stats{Hogs: 3, Running: 3}, h.Stats())
	hogs := hogsOf(os.Getpid())
	require.Len(t, hogs, 3)
	session, err := unix.Getsid(0)
	require.NoError(t, err)
	main, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	require.NoError(t, err)
	for kind, pid := range hogs {
		require.NotContains(t, strings.Fields(string(main)), strconv.Itoa(pid), "%s: not on the list the supervisor reads", kind)
		require.Equal(t, strconv.Itoa(pid), field(pid, 5), "%s: a group of its own", kind)
		require.Equal(t, strconv.Itoa(session), field(pid, 6), "%s: heisen's session", kind)
		require.Equal(t, field(os.Getpid(), 19), field(pid, 19), "%s: normal priority", kind)
		score, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid))
		require.NoError(t, err)
		require.Equal(t, "1000\n", string(score))
	}
	cpuTime := func(pid int) int64 { return number(pid, 14) + number(pid, 15) }
	before := cpuTime(hogs[hogCPU])
	eventually(t, "the CPU hog's time grows", func() bool { return cpuTime(hogs[hogCPU]) >= before+10 })
	pages := number(hogs[hogMemory], 24)
	require.GreaterOrEqual(t, pages*int64(os.Getpagesize()), every.Memory, "resident")
	written := writtenBy(t, hogs[hogIO])
	eventually(t, "the io hog writes on", func() bool { return writtenBy(t, hogs[hogIO]) >= written+2*ioBlockBytes })
}

// writtenBy is how many bytes a process has passed to write calls (proc_pid_io(5)).
func writtenBy(t *testing.T, pid int) (n int64) {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	require.NoError(t, err)
	_, text, _ := strings.Cut(string(data), "wchar: ")
	_, err = fmt.Sscan(text, &n)
	require.NoError(t, err)
	return n
}

func TestDeadHogIsReplacedAndCounted(t *testing.T) {
	h := start(t, Load{CPU: 1})
	first := hogsOf(os.Getpid())[hogCPU]
	require.NoError(t, syscall.Kill(first, syscall.SIGKILL))
	eventually(t, "another hog works", func() bool { return h.Stats().Restarts == 1 })
	s := h.Stats()
	require.Equal(t, Stats{Hogs: 1, Running: 1, Deaths: 1, Restarts: 1, LastDeath: "cpu hog: signal: killed"}, s)
	require.NotEqual(t, first, hogsOf(os.Getpid())[hogCPU])
}

func TestPauseStopsAndResumes(t *testing.T) {
	h := start(t, Load{CPU: 2})
	pid := hogsOf(os.Getpid())[hogCPU]
	h.Pause(true)
	eventually(t, "stopped", func() bool { return field(pid, 3) == "T" })
	h.Pause(false)
	eventually(t, "going on", func() bool { return field(pid, 3) != "T" })
	h.Pause(true) // Close must kill stopped hogs too
}

// TestHogsDieWithHeisen kills the process that started them. Where another process holds their pipe open they
// never see its end, so there the kernel's signal alone does it.
func TestHogsDieWithHeisen(t *testing.T) {
	for _, how := range []string{"run", "hold"} {
		t.Run(how, func(t *testing.T) {
			dir := diskFolder(t)
			self, err := os.Executable()
			require.NoError(t, err)
			cmd := exec.Command(self, parentCommand, how)
			cmd.Dir = dir
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			defer func() { _ = cmd.Process.Kill(); _ = out.Close() }()
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			holder, err := strconv.Atoi(strings.TrimSpace(line))
			require.NoError(t, err, line)
			if holder > 0 {
				defer func() { _ = syscall.Kill(holder, syscall.SIGKILL) }()
			}
			hogs := hogsOf(cmd.Process.Pid)
			require.Len(t, hogs, 3)
			defer func() {
				for kind, pid := range hogs {
					if hogKind(pid) == kind { // only if the test has failed
						_ = syscall.Kill(pid, syscall.SIGKILL)
					}
				}
			}()
			require.NoError(t, cmd.Process.Kill())
			_, err = cmd.Process.Wait()
			require.NoError(t, err)
			for kind, pid := range hogs {
				eventually(t, kind+" hog is gone", func() bool { s := field(pid, 3); return s == "" || s == "Z" || hogKind(pid) != kind })
			}
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, left, "files")
		})
	}
}

// TestHogEndsWithItsPipe is the second string: no parent-death signal is set here.
func TestHogEndsWithItsPipe(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for _, args := range [][]string{{hogCPU}, {hogMemory, "1048576"}, {hogIO, diskFolder(t)}} {
		cmd := exec.Command(self, append([]string{HogCommand}, args...)...)
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		line := make([]byte, len(readyLine))
		_, err = io.ReadFull(out, line)
		require.NoError(t, err)
		require.Equal(t, readyLine, string(line))
		require.NotEmpty(t, hogKind(cmd.Process.Pid), "%s: it runs while the pipe is open", args[0])
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait(), args[0])
	}
}

func TestStartRefuses(t *testing.T) {
	have := func() (int64, error) { return 100 << 20, nil }
	_, err := Start(Load{Memory: 91 << 20}, Config{Available: have})
	require.EqualError(t, err, "load mem=91M: only 100 MiB of memory are available here: ask for at most 90 MiB, or free some")
	_, err = Start(Load{Memory: 1}, Config{Available: func() (int64, error) { return 0, errors.New("no /proc") }})
	require.ErrorContains(t, err, "no /proc")
	_, err = Start(Load{IO: 1}, Config{Dir: "/nowhere"})
	require.ErrorContains(t, err, "choose a folder that exists")
	if checkDisk(every, "/dev/shm") != nil {
		_, err = Start(Load{IO: 1}, Config{Dir: "/dev/shm"})
		require.ErrorContains(t, err, "is in memory")
	}
	_, err = Start(Load{CPU: 1}, Config{Self: []string{"/nowhere/heisen"}})
	require.ErrorContains(t, err, "start a cpu hog")
	// What the hog itself finds out is told, and those beside it are gone.
	_, err = Start(Load{CPU: 1, IO: 1}, Config{Dir: "/proc"})
	require.ErrorContains(t, err, "choose a folder that can be written")
	require.Empty(t, hogsOf(os.Getpid()))
	require.ErrorContains(t, runHog([]string{"quiet"}, nil, nil), "want cpu, mem or io")
	require.ErrorContains(t, runHog(nil, nil, nil), "want cpu, mem or io")
	require.ErrorContains(t, runHog([]string{hogMemory, "much"}, nil, nil), "size")
	goleak.VerifyNone(t)
}

func TestAvailable(t *testing.T) {
	n, err := available()
	require.NoError(t, err)
	require.Positive(t, n)
	root := t.TempDir()
	write := func(path, text string) {
		file := filepath.Join(root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	left := func(lines string) int64 { return groupsLeft(root, []byte(lines)) }
	require.Equal(t, int64(1<<63-1), left("0::/\n"), "no files, no limit")
	write("a/memory.max", "1000\n")
	write("a/memory.current", "700\n")
	write("a/memory.stat", "anon 500\ninactive_file 200\n")
	write("a/b/memory.max", "max\n")
	write("a/b/memory.current", "700\n")
	require.Equal(t, int64(500), left("0::/a/b\n"), "the ancestor's limit, and the cache can be dropped")
	write("memory/x/memory.limit_in_bytes", "300")
	write("memory/x/memory.usage_in_bytes", "400")
	require.Equal(t, int64(0), left("4:memory:/x\n0::/a/b\n"), "used up")
}

func TestHogsStandStillAtTheSameTime(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	for _, into := range []time.Duration{0, time.Millisecond, breathLong - 1, breathEvery, 3*breathEvery + 5*time.Millisecond} {
		end := start.Add(into).Add(breath(start.Add(into)))
		require.Zero(t, end.Add(-breathLong).Sub(start)%breathEvery, "all go on at the same time")
	}
	for _, into := range []time.Duration{breathLong, breathEvery / 2, breathEvery - 1} {
		require.Zero(t, breath(start.Add(into)))
	}
}

// A thread that only computes never gives up the CPU of its own accord.
func TestACPUHogGivesUpTheCPU(t *testing.T) {
	start(t, Load{CPU: 1})
	pid := hogsOf(os.Getpid())[hogCPU]
	require.NotZero(t, pid)
	before := int64(-1)
	eventually(t, "it stands still now and then", func() bool {
		used, n := given(t, pid)
		if before < 0 && used > int64(100*time.Millisecond) { // it is the one that computes
			before = n
		}
		return before >= 0 && n >= before+3
	})
}

// given is how long the thread of a process that has used the most CPU time ran, in nanoseconds, and how often it gave it up of its own accord.
func given(t *testing.T, pid int) (most, n int64) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	require.NoError(t, err)
	for _, task := range tasks {
		var used, got int64
		if text, err := os.ReadFile(filepath.Join(task, "schedstat")); err == nil {
			_, err = fmt.Sscan(string(text), &used)
			require.NoError(t, err)
		}
		if text, err := os.ReadFile(filepath.Join(task, "status")); err == nil {
			_, rest, _ := strings.Cut(string(text), "\nvoluntary_ctxt_switches:")
			_, err = fmt.Sscan(rest, &got)
			require.NoError(t, err)
		}
		if used > most {
			most, n = used, got
		}
	}
	return most, n
}
