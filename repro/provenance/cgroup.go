package provenance

import (
	"errors"
	"math"
	"path"
	"strconv"
	"strings"
)

// Limits are what a container, or any control group, allows; a zero field is no limit.
type Limits struct {
	// CPUs is how many processors' worth of time the group may use (1.5).
	CPUs   float64 `json:"cpus,omitempty"`
	Memory uint64  `json:"memory_bytes,omitempty"`
	Tasks  uint64  `json:"tasks,omitempty"`
	// Version is 2 where the unified hierarchy is mounted, 1 where only older ones are. A hybrid machine
	// says 2 although its limits may come from the older ones; both are read.
	Version int `json:"cgroup_version"`
}

// group is one control group heisen lies in: where its hierarchy is mounted and its path inside.
type group struct{ mount, path string }

// cgroupLimits reads the groups of this process. The narrowest of a group and its ancestors holds
// (Documentation/admin-guide/cgroup-v2.rst), so each file is read on the whole way up. Inside a container
// the path may name folders that are only visible outside; those are passed over.
func (r Root) cgroupLimits() (Limits, error) {
	membership, err := r.read("proc/self/cgroup")
	if err != nil {
		return Limits{}, err
	}
	mounts, err := r.read("proc/self/mounts")
	if err != nil {
		return Limits{}, err
	}
	groups := findGroups(membership, mounts)
	var l Limits
	if len(groups) == 0 {
		return l, errors.New("no control group hierarchy is mounted")
	}
	for controller, g := range groups {
		switch controller {
		case "":
			r.narrow(g, "cpu.max", func(_, text string) { l.cpuMax(text) })
			r.narrow(g, "memory.max", l.memory)
			r.narrow(g, "pids.max", l.tasks)
		case "cpu":
			r.narrow(g, "cpu.cfs_quota_us", func(dir, quota string) {
				period, _ := r.read(path.Join(dir, "cpu.cfs_period_us"))
				l.cpuMax(quota + " " + period)
			})
		case "memory":
			r.narrow(g, "memory.limit_in_bytes", l.memory)
		case "pids":
			r.narrow(g, "pids.max", l.tasks)
		}
	}
	l.Version = 1
	if _, ok := groups[""]; ok {
		l.Version = 2
	}
	return l, nil
}

// narrow hands over a file's folder and content at a group and at each of its ancestors.
func (r Root) narrow(g group, file string, take func(dir, text string)) {
	for p := path.Join("/", g.path); ; p = path.Dir(p) {
		dir := path.Join(g.mount, p)
		if text, err := r.read(path.Join(dir, file)); err == nil {
			take(dir, text)
		}
		if p == "/" {
			return
		}
	}
}

func (l *Limits) cpuMax(text string) {
	quota, period, _ := strings.Cut(text, " ")
	q, err := strconv.ParseFloat(quota, 64)
	p, err2 := strconv.ParseFloat(period, 64)
	// "max" in version 2 and -1 in version 1 are no limit.
	if err != nil || err2 != nil || q <= 0 || p <= 0 {
		return
	}
	if l.CPUs == 0 || q/p < l.CPUs {
		l.CPUs = q / p
	}
}

func (l *Limits) memory(_, text string) { l.Memory = narrower(l.Memory, text) }
func (l *Limits) tasks(_, text string)  { l.Tasks = narrower(l.Tasks, text) }

func narrower(now uint64, text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	// Version 1 writes "no limit" as the largest multiple of the page size.
	if err != nil || n >= math.MaxInt64-math.MaxUint16 {
		return now
	}
	if now == 0 || n < now {
		return n
	}
	return now
}

// findGroups maps a version 1 controller, or "" for version 2, to this process's group (cgroups(7)).
func findGroups(membership, mounts string) map[string]group {
	points := make(map[string]string)
	for line := range strings.Lines(mounts) {
		f := strings.Fields(line)
		switch {
		case len(f) < 4:
		case f[2] == "cgroup2":
			points[""] = unescape(f[1])
		case f[2] == "cgroup":
			for option := range strings.SplitSeq(f[3], ",") {
				points[option] = unescape(f[1])
			}
		}
	}
	groups := make(map[string]group)
	for line := range strings.Lines(membership) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(f[1], ",") {
			if mount, ok := points[controller]; ok {
				groups[controller] = group{mount, f[2]}
			}
		}
	}
	return groups
}

// unescape undoes the octal escapes of proc_pid_mounts(5).
func unescape(text string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(text)
}

// container names the kind of container around this process, or is empty where nothing tells of one.
func (r Root) container() string {
	if _, err := r.read("run/.containerenv"); err == nil {
		return "podman"
	}
	if _, err := r.read(".dockerenv"); err == nil {
		return "docker"
	}
	// Readable by root only; systemd's container interface sets it.
	if environ, err := r.read("proc/1/environ"); err == nil {
		for entry := range strings.SplitSeq(environ, "\x00") {
			if name, ok := strings.CutPrefix(entry, "container="); ok && name != "" {
				return name
			}
		}
	}
	groups, _ := r.read("proc/self/cgroup")
	for _, name := range []string{"kubepods", "docker", "libpod", "containerd", "lxc"} {
		if strings.Contains(groups, name) {
			return name
		}
	}
	return ""
}
