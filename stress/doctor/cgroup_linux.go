package doctor

import (
	"math"
	"path"
	"strings"
)

// cgroups knows the folders of one controller from this process's group up to the root of its mount:
// a limit of any of them holds.
type cgroups struct {
	root    root
	folders []string
	// v2 tells which file names to use.
	v2 bool
}

// controller finds the hierarchy that a controller is on: a v1 mount of its own first, because in hybrid
// mode the v2 mount is there but has no controllers (cgroups(7)).
func controller(r root, name string) (cgroups, bool) {
	membership, err := r.read("proc/self/cgroup")
	if err != nil {
		return cgroups{}, false
	}
	mounts, err := r.read("proc/self/mountinfo")
	if err != nil {
		return cgroups{}, false
	}
	for _, v2 := range []bool{false, true} {
		own, ok := ownGroup(membership, name, v2)
		if !ok {
			continue
		}
		if point, within, ok := mountOf(mounts, name, v2); ok {
			return cgroups{root: r, folders: upwards(r, point, within, own), v2: v2}, true
		}
	}
	return cgroups{}, false
}

// ownGroup finds this process's group in /proc/self/cgroup: lines of hierarchy:controllers:path, with
// 0 and no controllers for v2.
func ownGroup(membership, name string, v2 bool) (string, bool) {
	for line := range strings.Lines(membership) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		if v2 && parts[0] == "0" && parts[1] == "" || !v2 && hasWord(parts[1], name) {
			return parts[2], true
		}
	}
	return "", false
}

// mountOf finds where a hierarchy is mounted and which of its folders is the root of that mount, from
// /proc/self/mountinfo (proc(5)): field 4 is the root, field 5 the mount point, and the file system type
// and its options come after " - ".
func mountOf(mounts, name string, v2 bool) (point, within string, ok bool) {
	for line := range strings.Lines(mounts) {
		before, after, found := strings.Cut(line, " - ")
		fields, fs := strings.Fields(before), strings.Fields(after)
		if !found || len(fields) < 5 || len(fs) < 3 {
			continue
		}
		if v2 && fs[0] == "cgroup2" || !v2 && fs[0] == "cgroup" && hasWord(fs[2], name) {
			return fields[4], fields[3], true
		}
	}
	return "", "", false
}

// upwards lists the folders from a process's own group to the mount point. A container often shows a path
// of the host's that is not under its mount: the mount point is all one can see then.
func upwards(r root, point, within, own string) []string {
	own = strings.TrimPrefix(own, strings.TrimSuffix(within, "/"))
	var folders []string
	for dir := path.Join(point, path.Clean("/"+own)); len(dir) >= len(point); dir = path.Dir(dir) {
		if r.exists(dir) {
			folders = append(folders, dir)
		}
		if dir == point || dir == "/" {
			break
		}
	}
	return folders
}

// left is how much of a resource the tightest group still allows: limit minus use, MaxUint64 for no limit.
func (c cgroups) left(limit, use string) uint64 {
	least := uint64(math.MaxUint64)
	for _, dir := range c.folders {
		most, ok := c.root.number(path.Join(dir, limit))
		if !ok || most == math.MaxUint64 {
			continue
		}
		used, _ := c.root.number(path.Join(dir, use))
		least = min(least, spare(most, used))
	}
	return least
}

func hasWord(commaList, word string) bool {
	for item := range strings.SplitSeq(commaList, ",") {
		if item == word {
			return true
		}
	}
	return false
}
