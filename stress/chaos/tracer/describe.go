package tracer

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// descriptorKind says what reading or writing a descriptor is, from what its link in /proc/PID/fd says
// (proc_pid_fd(5)); kindNone for files, where threads do not meet.
func descriptorKind(link string, k kind) kind {
	choose := func(r, w kind) kind {
		if k == read {
			return r
		}
		return w
	}
	switch {
	case strings.HasPrefix(link, "pipe:"):
		return choose(pipeRead, pipeWrite)
	case strings.HasPrefix(link, "socket:"):
		return choose(socketRecv, socketSend)
	case strings.HasPrefix(link, "anon_inode:[eventfd"):
		return choose(eventRead, eventWrite)
	case strings.HasPrefix(link, "anon_inode:[timerfd"):
		return choose(timerRead, kindNone)
	case strings.HasPrefix(link, "anon_inode:inotify"), strings.HasPrefix(link, "anon_inode:[signalfd"):
		return choose(signalWait, kindNone)
	}
	return kindNone
}

// doing is the call a thread is in, or the one its last point was about.
func (t *task) doing() call {
	if t.call.kind != kindNone {
		return t.call
	}
	if t.last.call.kind == t.last.point.kind() {
		return t.last.call
	}
	return call{}
}

// fields are the arguments that matter.
func fields(k kind, args [2]uint64) []string {
	switch k {
	case futexWait, futexWake, futexRequeue:
		return []string{"0x" + strconv.FormatUint(args[0], 16)}
	case pipeRead, pipeWrite, socketRecv, socketSend, socketAccept, socketOpen, eventRead, eventWrite, timerRead, lock:
		return []string{"fd " + strconv.FormatInt(int64(int32(args[0])), 10)}
	case signalled:
		return []string{signalName(int(args[0]))}
	case signalSend:
		return []string{strconv.FormatInt(int64(int32(args[0])), 10)}
	}
	return nil
}

func signalName(n int) string { return strings.ToUpper(syscall.Signal(n).String()) }

// describe says in words what a thread that is held was about.
func describe(t *task) string {
	p := t.last.point
	switch p.kind() {
	case breakpoint:
		return ""
	case signalled:
		return "about to be given " + signalName(t.signal)
	}
	c := t.doing()
	if c.kind == kindNone || c.kind >= kinds {
		return ""
	}
	out := kindNames[c.kind]
	if f := fields(c.kind, [2]uint64{c.args[0], c.args[1]}); len(f) > 0 {
		out += "(" + strings.Join(f, ", ")
		if strings.HasPrefix(f[0], "fd ") {
			if link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", t.proc.pid, f[0][3:])); err == nil {
				out += " " + link
			}
		}
		out += ")"
	}
	return out
}

// threadName is what the kernel calls a thread (comm).
func threadName(t *task) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/comm", t.proc.pid, t.tid))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(name), "\n")
}

// statusField is one line of a thread's /proc/TID/status, without its name; "" where there is none.
func statusField(tid int, name string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// catches tells whether a thread's process has a handler for a signal, or ignores it.
func catches(t *task, sig syscall.Signal) bool {
	for _, name := range []string{"SigCgt:", "SigIgn:"} {
		set, _ := strconv.ParseUint(statusField(t.tid, name), 16, 64)
		if set>>(sig-1)&1 != 0 {
			return true
		}
	}
	return false
}

// filtersOf counts a process's seccomp filters, 0 where the kernel does not say (before Linux 5.9).
func filtersOf(pid int) int {
	n, _ := strconv.Atoi(statusField(pid, "Seccomp_filters:"))
	return n
}

// mapping is a file in a process's memory.
type mapping struct {
	from, to, offset uint64
	code             bool
	file             string
}

// readMaps reads /proc/PID/maps (proc_pid_maps(5)); lines without a file are left out.
func readMaps(pid int) []mapping {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil
	}
	var maps []mapping
	for line := range strings.Lines(string(text)) {
		var m mapping
		head, file, ok := strings.Cut(strings.TrimSpace(line), "/")
		if !ok {
			continue
		}
		var perms string
		if _, err := fmt.Sscanf(head, "%x-%x %s %x", &m.from, &m.to, &perms, &m.offset); err != nil {
			continue
		}
		m.file, m.code = "/"+file, strings.Contains(perms, "x")
		maps = append(maps, m)
	}
	return maps
}

// name is an instruction as FILE+OFFSET, the offset being the file's.
func name(maps []mapping, ip uint64) string {
	for _, m := range maps {
		if m.from <= ip && ip < m.to {
			return fmt.Sprintf("%s+%#x", m.file, ip-m.from+m.offset)
		}
	}
	return ""
}

// cpuTime is the CPU time a thread has used.
func cpuTime(t *task) time.Duration {
	ran, _ := schedstat(fmt.Sprintf("/proc/%d/task/%d", t.proc.pid, t.tid))
	return ran
}

// schedstat is how long the thread of a folder of /proc ran and how long it was ready to run and did not: the first two
// fields of its schedstat, in nanoseconds (kernel, Documentation/scheduler/sched-stats.rst); 0 where that is not told.
func schedstat(thread string) (ran, waited time.Duration) {
	text, err := os.ReadFile(thread + "/schedstat")
	if err != nil {
		return 0, 0
	}
	first, rest, _ := strings.Cut(string(text), " ")
	second, _, _ := strings.Cut(rest, " ")
	cpu, _ := strconv.ParseInt(first, 10, 64)
	delay, _ := strconv.ParseInt(second, 10, 64)
	return time.Duration(cpu), time.Duration(delay)
}

// asleep tells whether a thread waits in the kernel: the third field of its stat (proc_pid_stat(5)); the name before it
// may hold anything, so it ends at the last bracket.
func asleep(t *task) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/stat", t.proc.pid, t.tid))
	if err != nil {
		return false
	}
	rest := text[strings.LastIndexByte(string(text), ')')+1:]
	return len(rest) > 2 && (rest[1] == 'S' || rest[1] == 'D')
}
