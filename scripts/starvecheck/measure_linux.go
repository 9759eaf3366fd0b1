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
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/run"
	"heisen/stress/starve"
)

// work computes and sleeps in four threads on one CPU for three seconds.
func work() error {
	runtime.LockOSThread()
	var set unix.CPUSet
	set.Set(0)
	tasks, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		return err
	}
	for _, t := range tasks {
		tid, _ := strconv.Atoi(filepath.Base(t))
		if err := unix.SchedSetaffinity(tid, &set); err != nil {
			return fmt.Errorf("pin to CPU 0: %w", err)
		}
	}
	end := time.Now().Add(3 * time.Second)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			runtime.LockOSThread()
			for time.Now().Before(end) {
				for spin := time.Now().Add(2 * time.Millisecond); time.Now().Before(spin); {
				}
				pause := unix.Timespec{Nsec: 1e6}
				_ = unix.Nanosleep(&pause, nil)
			}
		})
	}
	all.Wait()
	return nil
}

// figures are what one reading of the process gave.
type figures struct {
	PID                    int
	Voluntary, Involuntary int64
	// Own are the switches of GNU time itself, which waits for the work and is the attempt's main process.
	OwnVoluntary, OwnInvoluntary int64
	RunDelay                     time.Duration
	CPU                          time.Duration
	Notes                        map[string]string
	Stats                        string
}

// measure runs "/usr/bin/time -v -o report program work" as an attempt under a meter and writes what the
// meter says to out.
func measure(program, out string) error {
	m, err := starve.OpenMeter(starve.Config{})
	if err != nil {
		return err
	}
	a := run.Attempt{Seq: 1, Try: 1}
	cmd := exec.Command("/usr/bin/time", "-v", "-o", out+".time", program, "work")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := cmd.Process.Pid
	m.Started(a, pid, "", "")
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
	}
	if err != nil {
		return err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return err
	}
	m.Zombie(a, pid)
	if err := cmd.Wait(); err != nil {
		return err
	}
	var res run.Result
	m.Finish(a, &res)
	s := res.Evidence.Signals
	f := figures{
		PID: pid, Voluntary: s[run.SigVoluntary], Involuntary: s[run.SigInvoluntary],
		OwnVoluntary: field(status, "voluntary_ctxt_switches:"), OwnInvoluntary: field(status, "nonvoluntary_ctxt_switches:"),
		RunDelay: time.Duration(s[run.SigRunDelay]) * time.Microsecond,
		CPU:      cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		Notes:    res.Evidence.NotCollected, Stats: m.Stats().String(),
	}
	if err := m.Close(); err != nil {
		return err
	}
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o600)
}

// field is the number after a name at the beginning of a line.
func field(text []byte, name string) int64 {
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(strings.TrimSpace(line), name); found {
			n, _ := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			return n
		}
	}
	return -1
}
