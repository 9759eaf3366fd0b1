package tracer

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"heisen/stress/run"
)

func usageOf(u *syscall.Rusage) run.Usage {
	return run.Usage{
		User: time.Duration(u.Utime.Nano()), System: time.Duration(u.Stime.Nano()),
		MaxRSS:      u.Maxrss << 10, // getrusage(2): kilobytes
		MinorFaults: u.Minflt, MajorFaults: u.Majflt, Voluntary: u.Nvcsw, Involuntary: u.Nivcsw,
	}
}

// tick is the unit of times in /proc/PID/stat: USER_HZ, 100 on every architecture that heisen knows.
const tick = 10 * time.Millisecond

// usageSoFar is what a process that has not ended has used, with the children that it waited for, as usageOf would
// count it (proc_pid_stat(5)); context switches are not told.
func usageSoFar(pid int) run.Usage {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	stat := string(text)
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	number := func(n int) int64 { // as the manual page numbers them, of which the first two are not here
		if n-3 >= len(fields) {
			return 0
		}
		v, _ := strconv.ParseInt(fields[n-3], 10, 64)
		return v
	}
	peak, _ := strconv.ParseInt(strings.TrimSuffix(statusField(pid, "VmHWM:"), " kB"), 10, 64)
	return run.Usage{
		User: time.Duration(number(14)+number(16)) * tick, System: time.Duration(number(15)+number(17)) * tick,
		MinorFaults: number(10) + number(11), MajorFaults: number(12) + number(13), MaxRSS: peak << 10,
	}
}

// ownTime is how long this thread ran or was ready to run; where the kernel does not tell, what the process has used.
func ownTime() time.Duration {
	ran, waited := schedstat("/proc/thread-self")
	if ran == 0 {
		return ownCPU()
	}
	return ran + waited
}

// ownCPU is what this process has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
