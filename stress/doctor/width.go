package doctor

import "fmt"

// What one copy of a test is taken to need where nothing is known about it yet. They are guesses on the
// safe side for a test that starts an interpreter with a few threads.
const (
	copiesPerCPU       = 8
	maxDefaultWidth    = 300
	memoryPerCopy      = 128 << 20
	descriptorsPerCopy = 8
	tasksPerCopy       = 16
	// ownDescriptors and ownTasks are heisen's own: journal, rings, terminal, threads.
	ownDescriptors = 64
	ownTasks       = 64
)

// Resources is what bounds how many copies of a test can run at once. The largest uint64 means no limit.
type Resources struct {
	CPUs int `json:"cpus"`
	// AvailableBytes is the memory that can be used without swapping, no more than the cgroup allows.
	AvailableBytes uint64 `json:"available_bytes"`
	// Descriptors is the soft limit of open files heisen runs with.
	Descriptors uint64 `json:"descriptors"`
	// Processes is how many more processes and threads may be made.
	Processes uint64 `json:"processes"`
}

// DefaultWidth is DefaultWidth of these resources.
func (r Resources) DefaultWidth() (int, string) {
	return DefaultWidth(r.CPUs, r.AvailableBytes, r.Descriptors, r.Processes)
}

// DefaultWidth chooses how many copies run at once (-j) where the user does not say: eight per CPU, enough
// for copies to starve one another, bounded by memory (128 MiB a copy), descriptors (8 a copy) and
// processes (16 a copy), at least 1 and at most 300. It also says, for people, what decided it.
func DefaultWidth(cpus int, availableBytes uint64, nofile, nproc uint64) (j int, why string) {
	cpus = max(cpus, 1)
	width := uint64(cpus) * copiesPerCPU
	why = fmt.Sprintf("%d per CPU, %s", copiesPerCPU, plural(cpus, "CPU"))
	for _, bound := range []struct {
		copies uint64
		why    string
	}{
		{maxDefaultWidth, fmt.Sprintf("the most heisen chooses by itself; %s would be %d", plural(cpus, "CPU"), width)},
		{availableBytes / memoryPerCopy, fmt.Sprintf("%s of memory at 128 MiB a copy", size(availableBytes))},
		{spare(nofile, ownDescriptors) / descriptorsPerCopy, fmt.Sprintf("%d file descriptors at %d a copy", nofile, descriptorsPerCopy)},
		{spare(nproc, ownTasks) / tasksPerCopy, fmt.Sprintf("%d processes at %d a copy", nproc, tasksPerCopy)},
	} {
		if bound.copies < width {
			width, why = bound.copies, bound.why
		}
	}
	return int(max(width, 1)), why
}

// spare is what is left of a limit after heisen's own share, never less than nothing.
func spare(limit, own uint64) uint64 {
	if limit < own {
		return 0
	}
	return limit - own
}
