package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// samplePeriod is how often memory is looked at. VmHWM is a high-water mark, so only growth in the last
// period before a process ends can be missed. Each look reads links of all the tool's children, which costs the tool.
const samplePeriod = 200 * time.Millisecond

// watch runs argv to its end as a child subreaper, so that what the tool leaves behind is waited for and
// counted too (prctl(2), PR_SET_CHILD_SUBREAPER).
func watch(argv []string) (raw, error) {
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return raw{}, fmt.Errorf("become a subreaper: %w", err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return raw{}, err
	}
	defer null.Close()
	began := time.Now()
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{null.Fd(), null.Fd(), 2},
	})
	if err != nil {
		return raw{}, fmt.Errorf("start %s: %w", argv[0], err)
	}
	peaks := make(chan int64, 1)
	stop := make(chan struct{})
	go func() { peaks <- samplePeaks(pid, stop) }()
	r := reapAll(pid, began)
	close(stop)
	r.PeakKiB = <-peaks
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &usage); err != nil {
		return raw{}, err
	}
	r.CPU = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return r, nil
}

// reapAll waits for the tool and then for everything that was left to this process.
func reapAll(pid int, began time.Time) raw {
	var r raw
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil: // ECHILD: nobody is left
			return r
		case got == pid:
			r.Wall, r.Code = time.Since(began), status.ExitStatus()
		}
	}
}

// samplePeaks sums the peaks of the tool's own processes: the first one and those under it that run the
// same executable, such as a supervisor. A fork that has not executed anything yet shares its parent's
// memory and is left out.
func samplePeaks(pid int, stop <-chan struct{}) int64 {
	peak := map[int]int64{}
	tick := time.NewTicker(samplePeriod)
	defer tick.Stop()
	for {
		exe, err := os.Readlink(procFile(pid, "exe"))
		if err == nil {
			for _, child := range children(os.Getpid()) {
				sample(child, exe, peak)
			}
		}
		select {
		case <-stop:
			return total(peak)
		case <-tick.C:
		}
	}
}

func total(peak map[int]int64) (sum int64) {
	for _, kib := range peak {
		sum += kib
	}
	return sum
}

func sample(pid int, exe string, peak map[int]int64) {
	if link, err := os.Readlink(procFile(pid, "exe")); err != nil || link != exe || !executed(pid) {
		return
	}
	if kib := highWater(pid); kib > peak[pid] {
		peak[pid] = kib
	}
	for _, child := range children(pid) {
		sample(child, exe, peak)
	}
}

// executed tells whether a process has executed a program since its fork: PF_FORKNOEXEC (0x40,
// include/linux/sched.h) in field 9 of /proc/PID/stat, the seventh after the command in brackets.
func executed(pid int) bool {
	const forkNoExec = 0x40
	stat, err := os.ReadFile(procFile(pid, "stat"))
	if err != nil {
		return false
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 7 {
		return false
	}
	flags, err := strconv.ParseUint(fields[6], 10, 64)
	return err == nil && flags&forkNoExec == 0
}

// highWater is VmHWM of /proc/PID/status, in KiB, or 0.
func highWater(pid int) int64 {
	status, err := os.ReadFile(procFile(pid, "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			kib, _ := strconv.ParseInt(fields[1], 10, 64)
			return kib
		}
	}
	return 0
}

// children lists the children of all threads of a process.
func children(pid int) []int {
	lists, _ := filepath.Glob(procFile(pid, "task/*/children"))
	var pids []int
	for _, name := range lists {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		for word := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

func procFile(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
