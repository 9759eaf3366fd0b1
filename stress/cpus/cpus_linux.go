package cpus

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Allowed lists the CPUs that the process's main thread may run on, in order: what its children start with,
// whatever one of its other threads was pinned to (sched_getaffinity(2)). It knows the first 1024.
func Allowed() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(os.Getpid(), &set); err != nil {
		return nil, fmt.Errorf("list the CPUs it may use: sched_getaffinity: %w", err)
	}
	list := make([]int, 0, set.Count())
	for cpu := range len(set) * 64 {
		if set.IsSet(cpu) {
			list = append(list, cpu)
		}
	}
	return list, nil
}
