package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Probe tries out what this machine and this user's rights allow, and undoes what it did. It changes
// nothing that lasts.
func Probe() Capabilities {
	proc := procFS("/proc")
	own := ownHierarchies(proc)
	group, tier := probeGroup(own)
	var c Capabilities
	c.Tier.Name = tier
	c.List = append(c.List, group)
	for _, controller := range []string{"memory", "pids", "cpu"} {
		c.List = append(c.List, probeController(own, controller))
	}
	c.List = append(c.List, probePidfd(), probeSubreaper(), probeChildren(proc), probeNamespaces(), probeFiles(), probeProcesses())
	for _, item := range c.List {
		if !item.OK {
			c.Tier.Lacks = append(c.Tier.Lacks, item.Name+": "+item.Detail)
		}
	}
	return c
}

func probeGroup(own hierarchies) (Capability, string) {
	id := fmt.Sprintf("probe-%d-%s", os.Getpid(), strconv.FormatInt(time.Now().UnixNano(), 36))
	item := Capability{Name: "cgroup v2 for every attempt"}
	dir, why := campaignGroup(own, id)
	if dir == "" {
		item.Detail = why
		item.Remedy = "run heisen in a scope of its own (systemd-run --user --scope -p Delegate=yes heisen ...), as root, or in a container with a writable cgroup v2"
		return item, tierD
	}
	_ = removeGroup(dir)
	item.OK, item.Detail = true, "below "+filepath.Dir(dir)
	if os.Geteuid() == 0 {
		return item, tierA
	}
	return item, tierB
}

// probeController looks for a place where one kind of limit can be set: v2 first, then v1.
func probeController(own hierarchies, name string) Capability {
	item := Capability{Name: name + " limit for every attempt"}
	if dir, ok := own[""]; ok {
		available, _ := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
		control := filepath.Join(dir, "cgroup.subtree_control")
		if strings.Contains(" "+strings.TrimSpace(string(available))+" ", " "+name+" ") && unix.Access(control, unix.W_OK) == nil {
			item.OK, item.Detail = true, "cgroup v2"
			return item
		}
	}
	if dir, ok := own[name]; ok && unix.Access(dir, unix.W_OK) == nil {
		item.OK, item.Detail = true, "cgroup v1, below "+dir
		return item
	}
	if name == "pids" && !exempt() {
		item.OK, item.Detail = true, "RLIMIT_NPROC only: all of this user's processes together"
		return item
	}
	if name == "cpu" {
		item.OK, item.Detail = true, "pinning to fewer CPUs only"
		return item
	}
	item.Detail = "no " + name + " controller that this user may use"
	item.Remedy = "run heisen in a scope of its own (systemd-run --user --scope -p Delegate=yes heisen ...) or as root"
	return item
}

func probePidfd() Capability {
	item := Capability{Name: "pidfd", OK: true, Detail: "processes are waited for and signalled without mistaking one for another"}
	if err := pidfdsWork(); err != nil {
		item.OK, item.Detail = false, err.Error()
		item.Remedy = "use Linux 5.4 or newer, and a container whose system call filter allows pidfd_open"
	}
	return item
}

func probeSubreaper() Capability {
	item := Capability{Name: "child subreaper", OK: true, Detail: "orphans come to heisen"}
	var was int32
	if err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&was)), 0, 0, 0); err != nil {
		item.OK, item.Detail, item.Remedy = false, err.Error(), "use a container whose system call filter allows prctl"
	}
	return item
}

func probeChildren(proc procFS) Capability {
	item := Capability{Name: "lists of children in /proc", OK: true, Detail: "orphans are found at once"}
	if _, err := os.Stat(proc.path(os.Getpid(), "task/"+strconv.Itoa(os.Getpid())+"/children")); err != nil {
		item.OK, item.Detail = false, cause(err)
		item.Remedy = "use a kernel with CONFIG_PROC_CHILDREN, and mount /proc"
	}
	return item
}

// probeNamespaces has the kernel make namespaces for a program that is not there.
func probeNamespaces() Capability {
	item := Capability{Name: "user and PID namespaces", OK: true, Detail: "may be made (not used for supervision)"}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_, err := syscall.ForkExec("/nonexistent/heisen", []string{"heisen"}, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID},
	})
	if err != syscall.ENOENT {
		item.OK, item.Detail = false, err.Error()
		item.Remedy = "not needed for hunting; sysctl user.max_user_namespaces and kernel.unprivileged_userns_clone decide"
	}
	return item
}

// probeFiles judges the limit on open files by what -j 300 needs: three an attempt while it runs, two for
// its cgroup.
func probeFiles() Capability {
	const need = 300*5 + 100
	var l unix.Rlimit
	item := Capability{Name: "open files"}
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		item.Detail = err.Error()
		return item
	}
	item.OK = l.Cur >= need
	item.Detail = fmt.Sprintf("%d: enough for -j %d", l.Cur, (max(l.Cur, 105)-100)/5)
	if !item.OK {
		item.Remedy = fmt.Sprintf("ulimit -n %d", need)
	}
	return item
}

func probeProcesses() Capability {
	item := Capability{Name: "processes", OK: true}
	item.Detail = fmt.Sprintf("limits: %s for this user, %s for the cgroup, %s for the system",
		limitWords(unix.RLIMIT_NPROC), pidsLimit("/proc"), procFS("/proc").sysctl("kernel/threads-max"))
	return item
}
