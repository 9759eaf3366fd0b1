package sched

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// helperVariable makes the test binary play a program.
const helperVariable = "SCHED_TEST_HELPER"

func TestMain(m *testing.M) {
	if role, args, _ := strings.Cut(os.Getenv(helperVariable), " "); role != "" {
		if err := play(role, strings.Fields(args)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// play is a program to be recorded.
func play(role string, args []string) error {
	n := make([]int, 3)
	for i := range args {
		n[i], _ = strconv.Atoi(args[i])
	}
	switch role {
	case "threads": // n threads that sleep and yield m times
		threads(n[0], n[1])
	case "spin": // n threads that burn m milliseconds of CPU each, then say what the kernel counted
		runtime.GOMAXPROCS(n[0])
		spin(n[0], time.Duration(n[1])*time.Millisecond)
		report()
	case "starts": // n new threads, one after the other, at nice m
		if nice, err := unix.Getpriority(unix.PRIO_PROCESS, 0); n[1] > 0 && err == nil && 20-nice != n[1] {
			// Threads take their niceness from the one that makes them: begin again with one niced thread.
			runtime.LockOSThread()
			if err := unix.Setpriority(unix.PRIO_PROCESS, os.Getpid(), n[1]); err != nil {
				return err
			}
			return syscall.Exec("/proc/self/exe", os.Args, os.Environ())
		}
		for range n[0] {
			threads(1, 1)
		}
	case "filtered": // ask for the record where the system call is forbidden
		runtime.LockOSThread()
		if err := forbid(); err != nil {
			return err
		}
		fmt.Println(Probe())
	case "ping": // n times there and back between two threads, each a sleep and a wake-up
		return ping(n[0])
	case "hog": // burn CPU until killed
		fmt.Println("ready")
		spin(1, time.Hour)
	case "forks": // n child processes
		for range n[0] {
			pid, err := syscall.ForkExec("/bin/true", []string{"true"}, &syscall.ProcAttr{})
			if err != nil {
				return err
			}
			var status syscall.WaitStatus
			for err = syscall.EINTR; err == syscall.EINTR; {
				_, err = syscall.Wait4(pid, &status, 0, nil)
			}
		}
	case "exec": // another thread than the first executes
		done := make(chan error)
		go func() {
			runtime.LockOSThread()
			done <- syscall.Exec("/bin/true", []string{"true"}, nil)
		}()
		return <-done
	}
	return nil
}

func threads(n, naps int) {
	var all sync.WaitGroup
	for range n {
		all.Add(1)
		go func() {
			runtime.LockOSThread()
			defer all.Done()
			for range naps {
				ts := unix.Timespec{Nsec: 10_000}
				_ = unix.Nanosleep(&ts, nil)
			}
		}()
	}
	all.Wait()
}

func spin(n int, cpu time.Duration) {
	var all sync.WaitGroup
	for range n {
		all.Add(1)
		go func() {
			runtime.LockOSThread()
			defer all.Done()
			for threadCPU() < cpu {
			}
		}()
	}
	all.Wait()
}

func ping(n int) error {
	var there, back [2]int
	if err := errors.Join(unix.Pipe(there[:]), unix.Pipe(back[:])); err != nil {
		return err
	}
	pass := func(from, to int) {
		runtime.LockOSThread()
		b := make([]byte, 1)
		for range n {
			_, _ = unix.Read(from, b)
			_, _ = unix.Write(to, b)
		}
	}
	go pass(there[0], back[1])
	_, _ = unix.Write(there[1], []byte{0})
	done := make(chan bool)
	go func() {
		pass(back[0], there[1])
		close(done)
	}()
	<-done
	return nil
}

func threadCPU() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return time.Duration(ts.Nano())
}

func monotonic() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

// report prints a time before, what getrusage says, and a time after.
func report() {
	var u unix.Rusage
	before := monotonic()
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	after := monotonic()
	fmt.Println(before, after, u.Nvcsw+u.Nivcsw, u.Utime.Nano()+u.Stime.Nano())
}

// lane is a thread that starts programs and is followed.
type lane struct {
	tb   testing.TB
	rec  *Recorder
	work chan func()
	done chan struct{}
}

// newLane opens a recorder and follows a thread of its own; both end with the test.
func newLane(tb testing.TB, cfg Config) *lane {
	tb.Helper()
	rec, err := Open(cfg)
	if err != nil {
		tb.Skip(err)
	}
	l := &lane{tb: tb, rec: rec, work: make(chan func()), done: make(chan struct{})}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer close(l.done)
		f, err := rec.Follow()
		ready <- err
		for work := range l.work {
			work()
		}
		if err == nil {
			_ = f.Close()
		}
	}()
	err = <-ready
	tb.Cleanup(func() {
		close(l.work)
		<-l.done
		require.NoError(tb, rec.Close())
	})
	require.NoError(tb, err)
	return l
}

// process is a program that was started and is being recorded.
type process struct {
	*Recording
	tb  testing.TB
	pid int
	out *os.File
}

// start starts the test binary in a role, on the given CPUs only (none: all), and attaches.
func (l *lane) start(key int64, role string, cpus ...int) *process {
	return l.startProgram(key, []string{"/proc/self/exe"}, []string{helperVariable + "=" + role, "GODEBUG=asyncpreemptoff=1"}, cpus...)
}

func (l *lane) startProgram(key int64, argv, env []string, cpus ...int) *process {
	l.tb.Helper()
	pid, forked, out := l.fork(argv, env, cpus...)
	rec, err := l.rec.Attach(key, pid, forked)
	p := &process{rec, l.tb, pid, out}
	if err != nil {
		p.wait()
	}
	require.NoError(l.tb, err)
	return p
}

func (l *lane) fork(argv, env []string, cpus ...int) (pid int, forked time.Time, out *os.File) {
	l.tb.Helper()
	r, w, err := os.Pipe()
	require.NoError(l.tb, err)
	null, err := os.Open(os.DevNull)
	require.NoError(l.tb, err)
	done := make(chan error)
	l.work <- func() {
		var all, some unix.CPUSet
		_ = unix.SchedGetaffinity(0, &all)
		for _, cpu := range cpus {
			some.Set(cpu)
			_ = unix.SchedSetaffinity(0, &some)
		}
		forked = time.Now()
		pid, err = syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{
			Env: env, Files: []uintptr{null.Fd(), w.Fd(), 2},
			Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
		})
		_ = unix.SchedSetaffinity(0, &all)
		done <- err
	}
	err = <-done
	_, _ = w.Close(), null.Close()
	if err != nil {
		_ = r.Close()
	}
	require.NoError(l.tb, err)
	return pid, forked, r
}

// wait lets the program end and gives the lines it printed and what it used.
func (p *process) wait() ([]string, syscall.Rusage) {
	var lines []string
	for in := bufio.NewScanner(p.out); in.Scan(); {
		lines = append(lines, in.Text())
	}
	_ = p.out.Close()
	var usage syscall.Rusage
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(p.pid, &status, 0, &usage)
		if err != syscall.EINTR {
			break
		}
	}
	if status.ExitStatus() != 0 {
		p.tb.Errorf("helper ended with %v", status)
	}
	return lines, usage
}

// finish waits and gives the record.
func (p *process) finish() Record {
	p.wait()
	return p.Finish()
}

// kill ends a program that would not end by itself.
func (p *process) kill() {
	_ = syscall.Kill(p.pid, syscall.SIGKILL)
	_ = p.out.Close()
	_, _ = syscall.Wait4(p.pid, nil, 0, nil)
	p.Detach()
}
