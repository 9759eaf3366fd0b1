package doctor

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// probes lists what is looked at, in the order in which it is shown: supervision and limits first, then
// what each kind of evidence needs.
func probes(in Input) []probe {
	const r = root("/")
	return []probe{
		{"descriptors", func() Check { return descriptors(in.Width) }},
		{"processes", func() Check { return processes(r, in.Width) }},
		{"memory", func() Check { return memory(r, in.Width) }},
		{"temp folder", func() Check { return tempFolder(in.TempDir) }},
		{"namespaces", namespaces},
		{"pressure", func() Check { return pressure(r) }},
		{"run delay", func() Check { return runDelay(r) }},
		{"switch records", func() Check { return switchRecords(r) }},
		{"hardware counters", hardwareCounters},
		{"tracing", func() Check { return tracing(r) }},
		{"system call stops", systemCallStops},
		{"clock", func() Check { return clock(r) }},
		{"core dumps", func() Check { return coreDumps(r) }},
	}
}

// pressure reads /proc/pressure/cpu (Documentation/accounting/psi.rst). With psi=0 on the kernel's command
// line the file is there and reading it fails with EOPNOTSUPP.
func pressure(r root) Check {
	text, err := r.read("proc/pressure/cpu")
	if err == nil && strings.HasPrefix(text, "some avg10=") {
		return Check{State: OK, Found: "pressure stall information for cpu, io and memory"}
	}
	c := Check{
		State:  Missing,
		Found:  "no pressure stall information",
		Lost:   "how long the whole machine waited for CPU, memory or disk during an attempt",
		Remedy: "a kernel with CONFIG_PSI=y, booted with psi=1",
	}
	if err != nil {
		c.Found = "reading /proc/pressure/cpu: " + cause(err)
	}
	return c
}

// runDelay reads a thread's schedstat: CPU time and run delay in nanoseconds, and time slices
// (Documentation/scheduler/sched-stats.rst). It needs CONFIG_SCHED_INFO only; CONFIG_SCHEDSTATS, which
// /proc/sys/kernel/sched_schedstats shows, adds figures heisen can do without.
func runDelay(r root) Check {
	text, err := r.read("proc/thread-self/schedstat")
	fields := strings.Fields(text)
	if err != nil || len(fields) < 3 || fields[2] == "0" {
		return Check{
			State:  Missing,
			Found:  "no run delay in /proc/PID/task/TID/schedstat",
			Lost:   "how long each thread was ready and waited for a CPU: the plainest sign of starvation",
			Remedy: "a kernel with CONFIG_SCHED_INFO=y (CONFIG_TASK_DELAY_ACCT or CONFIG_SCHEDSTATS turn it on)",
		}
	}
	statistics := "without CONFIG_SCHEDSTATS, which is not needed"
	if r.exists("proc/sys/kernel/sched_schedstats") {
		statistics = "with CONFIG_SCHEDSTATS"
	}
	return Check{State: OK, Found: "run delay of every thread, in nanoseconds, " + statistics}
}

// slowClocks are sources that are read through a system call and a slow device, not in the vDSO.
var slowClocks = []string{"hpet", "acpi_pm", "jiffies", "refined-jiffies", "xen"}

func clock(r root) Check {
	source, err := r.read("sys/devices/system/clocksource/clocksource0/current_clocksource")
	if err != nil || source == "" {
		return Check{State: Lesser, Found: "the clock source is not shown here",
			Lost: "knowing how dear reading the time is", Remedy: "mount /sys in the container"}
	}
	for _, slow := range slowClocks {
		if source == slow {
			return Check{State: Lesser, Found: "clock source " + source,
				Lost:   "cheap time stamps: each costs about a microsecond in the kernel, in the test too",
				Remedy: "clocksource=tsc on the kernel's command line, where the CPU's counter is steady"}
		}
	}
	return Check{State: OK, Found: "clock source " + source}
}

// coreDumps looks at core_pattern (core(5)). RLIMIT_CORE, which attempts get as 0, keeps files from being
// written but does not keep a handler behind a pipe from being run.
func coreDumps(r root) Check {
	pattern, err := r.read("proc/sys/kernel/core_pattern")
	switch {
	case err != nil:
		return Check{State: Lesser, Found: "core_pattern cannot be read: " + cause(err),
			Lost: "knowing whether a crash runs a handler", Remedy: "mount /proc in the container"}
	case strings.HasPrefix(pattern, "|"):
		return Check{State: Lesser, Found: "every crash is piped to a handler: " + strconv.Quote(pattern),
			Lost:   "speed when attempts crash: the kernel runs the handler each time, whatever RLIMIT_CORE says",
			Remedy: "sysctl kernel.core_pattern=core, as root, while hunting"}
	}
	return Check{State: OK, Found: fmt.Sprintf("core files go to %q; attempts write none (RLIMIT_CORE 0)", pattern)}
}

// cause is an error without the path that its message repeats.
func cause(err error) string {
	if pe, ok := err.(*os.PathError); ok {
		return pe.Err.Error()
	}
	return err.Error()
}
