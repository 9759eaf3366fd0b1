package doctor

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"heisen/stress/cpus"
)

// ringPages is a small ring: one page of header and eight of data.
const ringPages = 1 + 8

// switchRecords opens and maps what the recorder of interleavings uses: a software event that counts
// nothing and only makes records when a thread of this process is switched on or off a CPU
// (perf_event_open(2), context_switch; for one's own processes it needs no privilege at paranoid 2).
func switchRecords(r root) Check {
	settings := perfSettings(r)
	fd, err := openPerf(unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_DUMMY, unix.PerfBitContextSwitch|unix.PerfBitTask|unix.PerfBitComm)
	if err == nil {
		defer unix.Close(fd)
		err = mapRing(fd)
	}
	if err != nil {
		return Check{State: Missing, Found: fmt.Sprintf("perf_event_open: %v (%s)", err, settings),
			Lost:   "interleavings: when each thread was on a CPU, and whether it was preempted",
			Remedy: perfRemedy(err)}
	}
	return Check{State: OK, Found: "software event with context switches opened and mapped; " + settings}
}

// hardwareCounters tries to count cycles in user space. Virtual machines often have no counters: ENOENT
// or EOPNOTSUPP then.
func hardwareCounters() Check {
	fd, err := openPerf(unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_CPU_CYCLES, 0)
	if err != nil {
		return Check{State: Missing, Found: "no cycle counter: " + err.Error(),
			Lost:   "counts of cycles and instructions, and preemption at an exact instruction count; software events do the rest",
			Remedy: "a machine, or a virtual machine with a vPMU, that shows its counters"}
	}
	unix.Close(fd)
	return Check{State: OK, Found: "cycles can be counted"}
}

// openPerf opens an event, switched off, on this thread and on one CPU: an event that is to be mapped and
// inherited must name its CPU. No sampling of the kernel, which is what perf_event_paranoid 2 forbids.
func openPerf(kind uint32, config uint64, bits uint64) (int, error) {
	attr := unix.PerfEventAttr{Type: kind, Config: config, Sample_type: unix.PERF_SAMPLE_TID | unix.PERF_SAMPLE_TIME}
	attr.Size = uint32(unsafe.Sizeof(attr))
	attr.Bits = bits | unix.PerfBitDisabled | unix.PerfBitInherit |
		unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv | unix.PerfBitSampleIDAll
	first := 0
	if list, err := cpus.Allowed(); err == nil {
		first = list[0]
	}
	return unix.PerfEventOpen(&attr, 0, first, -1, unix.PERF_FLAG_FD_CLOEXEC)
}

func mapRing(fd int) error {
	ring, err := unix.Mmap(fd, 0, ringPages*os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map its ring: %w", err)
	}
	return unix.Munmap(ring)
}

func perfSettings(r root) string {
	paranoid, err := r.read("proc/sys/kernel/perf_event_paranoid")
	if err != nil {
		return "perf_event_paranoid cannot be read"
	}
	mlock, ok := r.number("proc/sys/kernel/perf_event_mlock_kb")
	if !ok {
		return "perf_event_paranoid " + paranoid
	}
	return fmt.Sprintf("perf_event_paranoid %s, %d KiB of ring per CPU and user", paranoid, mlock)
}

func perfRemedy(err error) string {
	switch err {
	case unix.ENOSYS:
		return "a kernel with CONFIG_PERF_EVENTS=y"
	case unix.EACCES, unix.EPERM:
		return "sysctl kernel.perf_event_paranoid=2, as root; in a container a seccomp profile that allows perf_event_open, or CAP_PERFMON"
	}
	return "raise kernel.perf_event_mlock_kb or the container's RLIMIT_MEMLOCK, then look again"
}
