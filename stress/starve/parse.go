package starve

import (
	"bytes"
	"math"
)

// schedstat is /proc/PID/task/TID/schedstat (kernel/sched/stats.h, struct sched_info; fs/proc/base.c,
// proc_pid_schedstat). The kernel keeps it with CONFIG_SCHED_INFO, CONFIG_SCHEDSTATS is not needed.
type schedstat struct {
	// cpu is the time on a CPU and delay the time runnable and not running, both in nanoseconds.
	cpu, delay int64
	// slices counts the times it was put on a CPU.
	slices int64
}

func parseSchedstat(data []byte) (schedstat, bool) {
	var v [3]int64
	for i := range v {
		n, rest, ok := leadingNumber(data)
		if !ok {
			return schedstat{}, false
		}
		v[i], data = n, rest
	}
	return schedstat{cpu: v[0], delay: v[1], slices: v[2]}, true
}

// pressure is one file of /proc/pressure: the totals in microseconds (Documentation/accounting/psi.rst).
type pressure struct {
	some, full int64
	// hasFull is false where the kernel gives no second line (cpu before Linux 5.13).
	hasFull bool
}

func parsePressure(data []byte) (pressure, bool) {
	var p pressure
	var ok bool
	if p.some, ok = pressureTotal(data, "some "); !ok {
		return pressure{}, false
	}
	p.full, p.hasFull = pressureTotal(data, "full ")
	return p, true
}

func pressureTotal(data []byte, kind string) (int64, bool) {
	for line := range bytes.Lines(data) {
		if !bytes.HasPrefix(line, []byte(kind)) {
			continue
		}
		_, text, found := bytes.Cut(line, []byte("total="))
		n, _, ok := leadingNumber(text)
		return n, found && ok
	}
	return 0, false
}

// cpuStat is what is wanted of /proc/stat (proc_stat(5)).
type cpuStat struct {
	// steal is the eighth figure of the first line, in ticks of 1/100 s, all CPUs together.
	steal int64
	// cpus counts the lines cpu0, cpu1 and so on: the CPUs that are online.
	cpus int64
	// switches counts context switches of the whole machine since boot.
	switches int64
}

func parseCPUStat(data []byte) (cpuStat, bool) {
	var s cpuStat
	found := 0
	for line := range bytes.Lines(data) {
		switch {
		case bytes.HasPrefix(line, []byte("cpu ")):
			rest, ok := line[4:], true
			for range 8 {
				if s.steal, rest, ok = leadingNumber(rest); !ok {
					return cpuStat{}, false
				}
			}
			found++
		case bytes.HasPrefix(line, []byte("cpu")):
			s.cpus++
		case bytes.HasPrefix(line, []byte("ctxt ")):
			n, _, ok := leadingNumber(line[5:])
			if !ok {
				return cpuStat{}, false
			}
			s.switches = n
			found++
		}
		if found == 2 {
			break
		}
	}
	return s, found == 2 && s.cpus > 0
}

// parseRunnable reads the number before the slash of /proc/loadavg's fourth field: the tasks of the
// machine that run or wait for a CPU (proc_loadavg(5)), the reader among them.
func parseRunnable(data []byte) (int64, bool) {
	for range 3 {
		data = bytes.TrimLeft(data, " ")
		space := bytes.IndexByte(data, ' ')
		if space < 0 {
			return 0, false
		}
		data = data[space:]
	}
	n, rest, ok := leadingNumber(data)
	return n, ok && len(rest) > 0 && rest[0] == '/'
}

// throttling is what a CPU quota did to a control group.
type throttling struct {
	// microseconds is the time in which it was throttled, periods how many periods that touched.
	microseconds, periods int64
}

// parseThrottling reads cpu.stat of either version: throttled_usec of v2, throttled_time (nanoseconds) of
// v1 (Documentation/scheduler/sched-bwc.rst). A group without the CPU controller has neither.
func parseThrottling(data []byte) (throttling, bool) {
	var t throttling
	var times, spent bool
	for line := range bytes.Lines(data) {
		key, text, _ := bytes.Cut(line, []byte{' '})
		n, _, ok := leadingNumber(text)
		if !ok {
			continue
		}
		switch string(key) {
		case "nr_throttled":
			t.periods, times = n, true
		case "throttled_usec":
			t.microseconds, spent = n, true
		case "throttled_time":
			t.microseconds, spent = n/1000, true
		}
	}
	return t, times && spent
}

// leadingNumber reads a decimal number after blanks and returns what follows it. It makes no garbage: a
// sampler calls it thousands of times a second.
func leadingNumber(data []byte) (n int64, rest []byte, ok bool) {
	i := 0
	for i < len(data) && (data[i] == ' ' || data[i] == '\t') {
		i++
	}
	first := i
	for ; i < len(data) && data[i] >= '0' && data[i] <= '9'; i++ {
		digit := int64(data[i] - '0')
		if n > (math.MaxInt64-digit)/10 {
			return 0, data, false
		}
		n = 10*n + digit
	}
	return n, data[i:], i > first
}

// eachNumber calls use with every number of a list separated by white space, as in cgroup.procs and
// children; what is none is passed over.
func eachNumber(data []byte, use func(int)) {
	for field := range bytes.FieldsSeq(data) {
		if n, rest, ok := leadingNumber(field); ok && len(rest) == 0 && n > 0 && n < math.MaxInt32 {
			use(int(n))
		}
	}
}
