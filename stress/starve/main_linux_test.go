package starve

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// playVariable names the helper program that the test binary plays instead of running tests.
const playVariable = "HEISEN_STARVE_PLAY"

func TestMain(m *testing.M) {
	if name := os.Getenv(playVariable); name != "" {
		os.Exit(play(name, os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}

// play is the helper programs. Those that print "ready" wait for the end of their input.
func play(name string, args []string) int {
	n, _ := strconv.Atoi(args[0])
	switch name {
	case "threads": // n threads beside the main one that sleep
		var up sync.WaitGroup
		for range n {
			up.Add(1)
			go func() {
				runtime.LockOSThread()
				up.Done()
				wait := unix.Timespec{Sec: 3600}
				_ = unix.Nanosleep(&wait, nil)
			}()
		}
		up.Wait()
		ready()
	case "files": // hold n files open
		var files []*os.File
		for range n {
			f, err := os.Open(os.DevNull)
			if err != nil {
				return 1
			}
			files = append(files, f)
		}
		ready()
		runtime.KeepAlive(files)
	case "hog": // spin for ever on CPU n
		_ = pin(n)
		fmt.Println("ready")
		for threadCPU() >= 0 {
		}
	case "nap": // sleep n times for a millisecond in one thread
		runtime.LockOSThread()
		for range n {
			wait := unix.Timespec{Nsec: 1e6}
			_ = unix.Nanosleep(&wait, nil)
		}
	case "parent": // run n children that sleep until the input ends
		var children []*exec.Cmd
		for range n {
			c := exec.Command("/bin/sleep", "3600")
			if c.Start() != nil {
				return 1
			}
			children = append(children, c)
		}
		ready()
		for _, c := range children {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	}
	return 0
}

func ready() {
	fmt.Println("ready")
	var buf [1]byte
	_, _ = os.Stdin.Read(buf[:])
}

// pin confines the whole process to one CPU.
func pin(cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range tasks {
		tid, _ := strconv.Atoi(t.Name())
		if err := unix.SchedSetaffinity(tid, &set); err != nil {
			return err
		}
	}
	return nil
}

// helper is one process under a meter.
type helper struct {
	t       testing.TB
	m       *Meter
	attempt run.Attempt
	cmd     *exec.Cmd
	input   *os.File
	ended   bool
}

var attempts int64

// launch starts a helper as an attempt. With an input it waits until the helper is ready.
func launch(t testing.TB, m *Meter, wait bool, name string, args ...string) *helper {
	t.Helper()
	attempts++
	h := &helper{t: t, m: m, attempt: run.Attempt{Seq: attempts, Try: 1}}
	h.cmd = exec.Command(os.Args[0], args...)
	// One P, so that the Go runtime of the helper adds few threads of its own.
	h.cmd.Env = append(os.Environ(), playVariable+"="+name, "GOMAXPROCS=1")
	in, input, err := os.Pipe()
	require.NoError(t, err)
	output, out, err := os.Pipe()
	require.NoError(t, err)
	h.cmd.Stdin, h.cmd.Stdout, h.cmd.Stderr, h.input = in, out, os.Stderr, input
	require.NoError(t, h.cmd.Start())
	t.Cleanup(h.kill)
	m.Started(h.attempt, h.cmd.Process.Pid, "", "")
	_, _ = in.Close(), out.Close()
	if wait {
		var buf [6]byte
		_, err = output.Read(buf[:])
		require.NoError(t, err)
	}
	require.NoError(t, output.Close())
	return h
}

// finish lets the helper end, or waits until it has, and returns its result.
func (h *helper) finish() run.Result {
	h.t.Helper()
	_ = h.input.Close()
	pid := h.cmd.Process.Pid
	require.NoError(h.t, waitZombie(pid))
	h.m.Zombie(h.attempt, pid)
	require.NoError(h.t, h.cmd.Wait())
	h.ended = true
	res := run.Result{}
	h.m.Finish(h.attempt, &res)
	return res
}

// waitZombie waits until a child has ended and leaves it unreaped.
func waitZombie(pid int) error {
	for {
		if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
			return err
		}
	}
}

func (h *helper) kill() {
	if !h.ended {
		h.ended = true
		_ = h.input.Close() // none for some: closing nil is an error of no interest
		_ = h.cmd.Process.Signal(syscall.SIGKILL)
		_ = h.cmd.Wait()
	}
}

// openMeter opens a meter that reads every attempt unless cfg has a ration, and checks at the end that it
// leaves no descriptor.
func openMeter(t testing.TB, cfg Config) *Meter {
	t.Helper()
	if cfg.Ration == 0 {
		cfg.Ration = -1
	}
	m, err := OpenMeter(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, m.Close())
		require.Zero(t, m.sampler.eyes.open, "descriptors are left open")
	})
	return m
}

// tree is a prepared /proc and /sys/fs/cgroup.
type tree struct {
	t    testing.TB
	root string
}

func newTree(t testing.TB) tree { return tree{t, t.TempDir()} }

func (f tree) proc() string   { return filepath.Join(f.root, "proc") }
func (f tree) cgroup() string { return filepath.Join(f.root, "cgroup") }

func (f tree) write(path, text string) {
	f.t.Helper()
	full := filepath.Join(f.root, path)
	require.NoError(f.t, os.MkdirAll(filepath.Dir(full), 0o755))
	require.NoError(f.t, os.WriteFile(full, []byte(text), 0o644))
}

func (f tree) thread(pid, tid int, cpu, delay, slices int64, children string) {
	f.t.Helper()
	dir := fmt.Sprintf("proc/%d/task/%d/", pid, tid)
	text := fmt.Sprintf("%d %d %d\n", cpu, delay, slices)
	f.write(dir+"schedstat", text)
	f.write(dir+"children", children)
	if pid == tid {
		f.write(fmt.Sprintf("proc/%d/schedstat", pid), text)
	}
}

func (f tree) remove(path string) {
	f.t.Helper()
	require.NoError(f.t, os.RemoveAll(filepath.Join(f.root, path)))
}

// machine puts the files in place that OpenMeter looks for.
func (f tree) machine() {
	f.write("proc/self/schedstat", "1000 1000 3\n")
	f.write("proc/self/task/1/children", "")
	f.write("proc/self/cgroup", "4:cpu,cpuacct:/here\n0::/there\n")
	f.write("cgroup/cpu,cpuacct/here/cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_time 7000000\n")
	for _, name := range pressures {
		f.pressure(name, 0, 0)
	}
	f.load(1)
	f.stat(0, 0)
	f.write("proc/meminfo", "MemTotal: 2000 kB\nMemFree: 900 kB\nMemAvailable: 1000 kB\n")
	f.write("proc/sys/fs/file-nr", "1070\t0\t2470938\n")
	f.write("proc/self/fd/0", "")
}

func (f tree) pressure(name string, some, full int64) {
	f.write("proc/pressure/"+name, fmt.Sprintf(
		"some avg10=0.00 avg60=0.00 avg300=0.00 total=%d\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=%d\n", some, full))
}

func (f tree) load(runnable int) {
	f.write("proc/loadavg", fmt.Sprintf("1.50 2.00 3.00 %d/300 4242\n", runnable))
}

func (f tree) stat(steal, switches int64) {
	f.write("proc/stat", fmt.Sprintf("cpu  10 2 3 4 5 6 7 %d 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\nintr %s\nctxt %d\nbtime 1\n",
		steal, strings.Repeat("12 ", 9000), switches))
}
