package proc

import (
	"bytes"
	"path/filepath"
	"strings"
)

// hierarchies is where this process's cgroups are: folders, by v1 controller name, and under "" the one of
// cgroup v2. What is not mounted is not there.
type hierarchies map[string]string

// parseHierarchies combines /proc/PID/mountinfo (proc_pid_mountinfo(5)) with /proc/PID/cgroup (cgroups(7)).
// A mount may show only a part of its hierarchy, as in containers; a cgroup outside that part is left out.
func parseHierarchies(mountinfo, cgroup []byte) hierarchies {
	own := map[string]string{}
	for line := range bytes.Lines(cgroup) {
		parts := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for _, controller := range strings.Split(parts[1], ",") {
			own[controller] = parts[2]
		}
	}
	found := hierarchies{}
	for line := range bytes.Lines(mountinfo) {
		m, ok := parseMount(string(line))
		if !ok {
			continue
		}
		for _, controller := range m.controllers {
			path, member := own[controller]
			rel, err := filepath.Rel(m.root, path)
			if !member || err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
				continue
			}
			found[controller] = filepath.Join(m.point, rel)
		}
	}
	return found
}

// mount is one cgroup mount: which part of its hierarchy is shown where.
type mount struct {
	root, point string
	controllers []string
}

// parseMount reads one line of mountinfo; ok is false for anything but a cgroup mount.
func parseMount(line string) (m mount, ok bool) {
	before, after, found := strings.Cut(line, " - ")
	left, right := strings.Fields(before), strings.Fields(after)
	if !found || len(left) < 5 || len(right) < 3 {
		return mount{}, false
	}
	m = mount{root: unescapeMount(left[3]), point: unescapeMount(left[4])}
	switch right[0] {
	case "cgroup2":
		m.controllers = []string{""}
	case "cgroup":
		m.controllers = strings.Split(right[2], ",")
	default:
		return mount{}, false
	}
	return m, true
}

// unescapeMount undoes the octal escapes of mountinfo.
func unescapeMount(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}
