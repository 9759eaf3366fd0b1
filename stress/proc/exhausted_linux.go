package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// errHarness marks an error of heisen's own that wraps an errno without being the command's fault.
var errHarness = errors.New("heisen could not do its part")

// exhausted tells, in words for the user, which resource of the machine an error means, and the limits on it;
// "" for none.
func exhausted(proc procFS, err error) string {
	short, ok := run.ShortageOf(err)
	if !ok {
		return ""
	}
	return short.Words(limits(proc, short.Errno))
}

// limits are those in force on the resource that an errno speaks of.
func limits(proc procFS, errno syscall.Errno) string {
	switch errno {
	case syscall.EMFILE:
		return "limit " + limitWords(unix.RLIMIT_NOFILE)
	case syscall.ENFILE:
		return "limit " + proc.sysctl("fs/file-max")
	case syscall.EAGAIN:
		return fmt.Sprintf("limits: %s for this user, %s for the cgroup, %s for the system",
			limitWords(unix.RLIMIT_NPROC), pidsLimit(proc), proc.sysctl("kernel/threads-max"))
	case syscall.ENOSPC: // fork(2) and cgroups say it, too
		return "or a kernel limit such as user.max_* or cgroup.max.descendants is reached"
	}
	return ""
}

// short words a shortage that the machine confirms.
func short(errno syscall.Errno, format string, args ...any) string {
	s, _ := run.ShortageOf(errno)
	return s.Words(fmt.Sprintf(format, args...))
}

func limitWords(resource int) string {
	var l unix.Rlimit
	if err := unix.Getrlimit(resource, &l); err != nil {
		return "unknown"
	}
	if l.Cur == unix.RLIM_INFINITY {
		return "none"
	}
	return strconv.FormatUint(l.Cur, 10)
}

func (fs procFS) sysctl(name string) string {
	data, err := os.ReadFile(filepath.Join(string(fs), "sys", name))
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(data))
}

// pidsLimit is the pids.max of this process's cgroup.
func pidsLimit(proc procFS) string {
	own := ownHierarchies(proc)
	for _, controller := range []string{"pids", ""} {
		if data, err := os.ReadFile(filepath.Join(own[controller], "pids.max")); err == nil && own[controller] != "" {
			return strings.Replace(strings.TrimSpace(string(data)), "max", "none", 1)
		}
	}
	return "none"
}

// complaints are what programs print when a resource ran out (strerror(3) and common wordings), and how
// the machine is asked whether that is so.
var complaints = []struct {
	words   []string
	confirm func(a run.Attempt) string
}{
	{[]string{"No space left on device", "no space left on device", "ENOSPC"}, diskFull},
	{[]string{"Too many open files", "too many open files", "EMFILE", "ENFILE"}, filesOut},
	{[]string{"Resource temporarily unavailable", "resource temporarily unavailable", "can't start new thread", "newosproc", "pthread_create failed"}, processesOut},
	{[]string{"Cannot allocate memory", "cannot allocate memory", "ENOMEM"}, memoryOut},
}

// MachineFault is asked about a failed attempt: when its output names an exhausted resource and this
// machine confirms that it is short of it now, the answer says so in words for the user. It is "" when
// there is no complaint, or one that only the test itself can be the cause of.
func MachineFault(output []byte, a run.Attempt) string {
	for _, c := range complaints {
		for _, words := range c.words {
			if bytes.Contains(output, []byte(words)) {
				if fault := c.confirm(a); fault != "" {
					return fault
				}
				break
			}
		}
	}
	return ""
}

// diskFull looks at the file system of the attempt's folder: less than 1 % or 1 MiB free, or no inodes.
func diskFull(a run.Attempt) string {
	var st unix.Statfs_t
	if a.Temp == "" || unix.Statfs(a.Temp, &st) != nil {
		return ""
	}
	free := st.Bavail * uint64(st.Bsize)
	if st.Blocks > 0 && (free < 1<<20 || st.Bavail < st.Blocks/100) {
		return short(syscall.ENOSPC, "%d KiB free under %s", free>>10, a.Temp)
	}
	if st.Files > 0 && st.Ffree == 0 {
		return short(syscall.ENOSPC, "no inodes free under %s", a.Temp)
	}
	return ""
}

// filesOut looks at the system's table of open files. A process's own limit is the test's affair.
func filesOut(run.Attempt) string {
	var open, unused, most uint64
	if _, err := fmt.Sscan(procFS("/proc").sysctl("fs/file-nr"), &open, &unused, &most); err != nil || open < most-most/50 {
		return ""
	}
	return short(syscall.ENFILE, "%d of %d", open, most)
}

// processesOut compares what runs with each limit in force.
func processesOut(run.Attempt) string {
	proc := procFS("/proc")
	own := ownHierarchies(proc)
	for _, controller := range []string{"pids", ""} {
		current, err := readNumber(filepath.Join(own[controller], "pids.current"))
		most, err2 := readNumber(filepath.Join(own[controller], "pids.max"))
		if own[controller] != "" && err == nil && err2 == nil && current >= most-most/50 {
			return short(syscall.EAGAIN, "%d of %d in heisen's cgroup", current, most)
		}
	}
	if !exempt() {
		most, err := strconv.Atoi(limitWords(unix.RLIMIT_NPROC))
		if now := userTasks(proc, os.Getuid()); err == nil && now >= most-most/50 {
			return short(syscall.EAGAIN, "%d of %d for this user", now, most)
		}
	}
	return ""
}

// memoryOut looks at what the kernel thinks is available: less than 1 %.
func memoryOut(run.Attempt) string {
	data, _ := os.ReadFile("/proc/meminfo")
	total, ok := meminfo(data, "MemTotal:")
	available, ok2 := meminfo(data, "MemAvailable:")
	if !ok || !ok2 || available >= total/100 {
		return ""
	}
	return short(syscall.ENOMEM, "%d of %d MiB available", available>>10, total>>10)
}

// meminfo finds one line of /proc/meminfo, in KiB.
func meminfo(data []byte, name string) (int64, bool) {
	for line := range bytes.Lines(data) {
		fields := bytes.Fields(line)
		if len(fields) >= 2 && string(fields[0]) == name {
			n, err := strconv.ParseInt(string(fields[1]), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

func readNumber(path string) (int64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
}

// oomWatch follows the machine's count of out-of-memory kills (oom_kill in /proc/vmstat, since Linux
// 4.13) for attempts that have no cgroup to count their own.
type oomWatch struct {
	fs procFS

	mu      sync.Mutex
	settled int64 // kills that are old enough to have been claimed, or that were
	pending []oomSample
}

type oomSample struct {
	at    time.Time
	count int64
}

// oomWindow is how long after the kernel's kill the death of the main process may be noticed.
const oomWindow = 3 * time.Second

func newOOMWatch(fs procFS) *oomWatch {
	w := &oomWatch{fs: fs}
	w.settled = w.read()
	return w
}

func (w *oomWatch) read() int64 {
	data, _ := os.ReadFile(filepath.Join(string(w.fs), "vmstat"))
	n, _ := counter(data, "oom_kill")
	return n
}

// sample is called now and then, so that kills of other programs long ago are nobody's.
func (w *oomWatch) sample(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, oomSample{now, w.read()})
	for len(w.pending) > 0 && now.Sub(w.pending[0].at) > oomWindow {
		w.settled = max(w.settled, w.pending[0].count)
		w.pending = w.pending[1:]
	}
}

// claim is called for a process that died of a SIGKILL nobody here sent: 1 if the kernel killed something
// for memory lately and no other attempt has claimed that kill, else 0.
func (w *oomWatch) claim(now time.Time) int {
	w.sample(now)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.read() <= w.settled {
		return 0
	}
	w.settled++
	return 1
}
