package strain

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/mem"
	"golang.org/x/sys/unix"
)

// checkMemory refuses a load that would not leave a tenth of the available memory.
func checkMemory(size int64, available func() (int64, error)) error {
	if size == 0 {
		return nil
	}
	free, err := available()
	if err != nil {
		return fmt.Errorf("load memory: find out how much is available: %w", err)
	}
	if most := free / 10 * 9; size > most {
		return fmt.Errorf("load mem=%s: only %d MiB of memory are available here: ask for at most %d MiB, or free some",
			sizeText(size), free>>20, most>>20)
	}
	return nil
}

// checkDisk refuses a folder in memory: flushing it costs nothing, so there would be no load.
func checkDisk(load Load, dir string) error {
	if load.IO == 0 {
		return nil
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("load the disk of %s: %w: choose a folder that exists", dir, err)
	}
	if fs.Type == unix.TMPFS_MAGIC || fs.Type == unix.RAMFS_MAGIC {
		return fmt.Errorf("load io: %s is in memory and not on a disk: choose another folder", dir)
	}
	return nil
}

// available is the kernel's estimate for the machine (MemAvailable, proc_meminfo(5)) or what is left of the
// limits of the cgroups this process is in, whichever is less.
func available() (int64, error) {
	machine, err := mem.VirtualMemory()
	if err != nil {
		return 0, err
	}
	lines, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, err
	}
	return min(int64(machine.Available), groupsLeft("/sys/fs/cgroup", lines)), nil
}

// groupsLeft is how many bytes the narrowest of a process's cgroups still allows: its limit less what is
// used and cannot be dropped. lines is /proc/PID/cgroup (cgroups(7)). What cannot be read is no limit; a
// container sees its own cgroup as the root, so every ancestor is tried.
func groupsLeft(root string, lines []byte) int64 {
	left := int64(math.MaxInt64)
	for line := range bytes.Lines(lines) {
		parts := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for path := filepath.Clean("/" + parts[2]); ; path = filepath.Dir(path) {
			switch parts[1] {
			case "":
				left = min(left, groupLeft(filepath.Join(root, path), "memory.max", "memory.current", "inactive_file"),
					groupLeft(filepath.Join(root, "unified", path), "memory.max", "memory.current", "inactive_file"))
			case "memory":
				left = min(left, groupLeft(filepath.Join(root, "memory", path), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"))
			}
			if path == "/" {
				break
			}
		}
	}
	return left
}

func groupLeft(dir, limit, usage, droppable string) int64 {
	number := func(text []byte) (int64, bool) {
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return n, err == nil
	}
	data, _ := os.ReadFile(filepath.Join(dir, limit))
	most, limited := number(data) // "max" is no number
	data, _ = os.ReadFile(filepath.Join(dir, usage))
	used, known := number(data)
	if !limited || !known {
		return math.MaxInt64
	}
	data, _ = os.ReadFile(filepath.Join(dir, "memory.stat"))
	for line := range bytes.Lines(data) {
		if text, found := bytes.CutPrefix(line, []byte(droppable+" ")); found {
			n, _ := number(text)
			used -= n
		}
	}
	return max(most-used, 0)
}
