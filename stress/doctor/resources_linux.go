package doctor

import (
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// machine names the kernel and measures the machine.
func machine() Machine {
	m := Machine{System: "Linux", Arch: runtime.GOARCH, Resources: Measure()}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.System = "Linux " + unix.ByteSliceToString(name.Release[:])
	}
	return m
}

// Measure reads what bounds the width on this machine. What cannot be read counts as no limit: the width
// is a default, and an attempt that finds a limit is tried again.
func Measure() Resources {
	return Resources{
		CPUs:           usable(),
		AvailableBytes: available("/"),
		Descriptors:    softLimit(unix.RLIMIT_NOFILE),
		Processes:      tasksLeft("/"),
	}
}

// usable counts the CPUs this process may run on, no more than a cgroup's CPU quota is worth, which the Go
// runtime knows (GOMAXPROCS).
func usable() int { return min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) }

// available is MemAvailable of /proc/meminfo, in bytes, or what the tightest cgroup leaves if that is less.
func available(r root) uint64 {
	least := uint64(math.MaxUint64)
	if text, err := r.read("proc/meminfo"); err == nil {
		if kib, ok := meminfo(text, "MemAvailable"); ok {
			least = kib << 10
		}
	}
	return min(least, memoryLeft(r))
}

func memoryLeft(r root) uint64 {
	c, ok := controller(r, "memory")
	switch {
	case !ok:
		return math.MaxUint64
	case c.v2:
		return c.left("memory.max", "memory.current")
	}
	return c.left("memory.limit_in_bytes", "memory.usage_in_bytes")
}

// meminfo finds one line of /proc/meminfo: "Name:  number kB".
func meminfo(text, name string) (kib uint64, ok bool) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == name+":" {
			n, err := strconv.ParseUint(fields[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// tasksLeft is how many more tasks may be made: the tightest of RLIMIT_NPROC, which does not bind root
// (kernel/fork.c, copy_process), the pids controller and the kernel's own maximum.
func tasksLeft(r root) uint64 {
	least := pidsLeft(r)
	if unix.Geteuid() != 0 {
		least = min(least, softLimit(unix.RLIMIT_NPROC))
	}
	for _, path := range []string{"proc/sys/kernel/threads-max", "proc/sys/kernel/pid_max"} {
		if n, ok := r.number(path); ok {
			least = min(least, n)
		}
	}
	return least
}

func pidsLeft(r root) uint64 {
	c, ok := controller(r, "pids")
	if !ok {
		return math.MaxUint64
	}
	return c.left("pids.max", "pids.current")
}

// softLimit is getrlimit(2)'s rlim_cur; RLIM_INFINITY is MaxUint64 already.
func softLimit(which int) uint64 {
	soft, _ := limits(which)
	return soft
}

func limits(which int) (soft, hard uint64) {
	var l unix.Rlimit
	if unix.Getrlimit(which, &l) != nil {
		return math.MaxUint64, math.MaxUint64
	}
	return l.Cur, l.Max
}

// descriptors compares the limit with what the width needs. The Go runtime has raised the soft limit to
// the hard one already and gives attempts the old one back, so the soft limit seen here is the most.
func descriptors(width int) Check {
	soft, hard := limits(unix.RLIMIT_NOFILE)
	need := uint64(width)*descriptorsPerCopy + ownDescriptors
	c := Check{State: OK, Found: fmt.Sprintf("%s open files (hard limit %s); -j %d needs about %d",
		count(soft), count(hard), width, need)}
	if soft < need {
		c.State = Lesser
		c.Lost = fmt.Sprintf("more than %d attempts at once: heisen waits when descriptors run out", max(spare(soft, ownDescriptors)/descriptorsPerCopy, 1))
		c.Remedy = fmt.Sprintf("ulimit -n %d, LimitNOFILE= of the unit, --ulimit nofile=%d of the container", need, need)
	}
	return c
}

func processes(r root, width int) Check {
	left := tasksLeft(r)
	need := uint64(width)*tasksPerCopy + ownTasks
	c := Check{State: OK, Found: fmt.Sprintf("%s more processes and threads (RLIMIT_NPROC %s, pids cgroup leaves %s); -j %d is taken to need %d",
		count(left), count(softLimit(unix.RLIMIT_NPROC)), count(pidsLeft(r)), width, need)}
	if left < need {
		c.State = Lesser
		c.Lost = "full width for tests with many threads: heisen waits when processes run out"
		c.Remedy = fmt.Sprintf("ulimit -u %d, TasksMax= of the unit, --pids-limit of the container", need)
	}
	return c
}

func memory(r root, width int) Check {
	free := available(r)
	need := uint64(width) * memoryPerCopy
	c := Check{State: OK, Found: fmt.Sprintf("%s available (cgroup leaves %s); -j %d at 128 MiB a copy needs %s",
		size(free), size(memoryLeft(r)), width, size(need))}
	if free < need {
		c.State = Lesser
		c.Lost = fmt.Sprintf("more than %d copies of 128 MiB: attempts may end as oom", max(free/memoryPerCopy, 1))
		c.Remedy = "a lower -j, or more memory for the container"
	}
	return c
}
