package starve

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"heisen/stress/run"
)

// How often the machine's totals are read.
const (
	fastEvery = 50 * time.Millisecond
	slowEvery = 250 * time.Millisecond
)

// tick is the unit of /proc/stat, USER_HZ: 1/100 s on every Linux architecture.
const tick = 10_000 // microseconds

// pressures are the files of /proc/pressure in the order of the totals.
var pressures = [3]string{"cpu", "memory", "io"}

// host reads the machine's files. It belongs to the sampler's goroutine; only its totals are shared.
type host struct {
	totals  totals
	missing map[string]string // by signal

	pressure [3]handle
	loadavg  handle
	stat     handle
	group    handle // cpu.stat of heisen's own control group
	buf      []byte

	last     cpuStat
	throttle throttling
	runnable int64
	first    bool
}

// openHost opens what there is; why something is missing stands in missing.
func openHost(proc, cgroup string) *host {
	h := &host{missing: map[string]string{}, buf: make([]byte, 16<<10), first: true}
	h.totals.fast = track{every: fastEvery, kinds: []int{totCPUSome, totCPUFull, totMemorySome, totMemoryFull, totIOSome, totIOFull, totRunnable}}
	h.totals.slow = track{every: slowEvery, kinds: []int{totSteal, totThrottled, totPeriods}}
	for i, name := range pressures {
		h.openPressure(i, filepath.Join(proc, "pressure", name))
	}
	h.missing[run.SigPSICPUFull] = "the kernel does not define it for a whole machine (it is always 0 there)"
	h.loadavg = h.open(filepath.Join(proc, "loadavg"), run.SigRunnable)
	h.stat = h.open(filepath.Join(proc, "stat"), run.SigSteal)
	var err error
	if h.group, err = openOwnGroup(proc, cgroup); err != nil {
		h.missing[run.SigThrottled], h.missing[run.SigThrottledTimes] = err.Error(), err.Error()
	}
	return h
}

func (h *host) open(path string, signals ...string) handle {
	file, err := openFile(path)
	for _, s := range signals {
		if err != nil {
			h.missing[s] = err.Error()
		}
	}
	return file
}

func (h *host) openPressure(i int, path string) {
	some, full := totalSignals[2*i], totalSignals[2*i+1]
	h.pressure[i] = noHandle
	file, err := openFile(path)
	if err == nil {
		var data []byte
		// A kernel with PSI switched off lets the file be opened and refuses to read it.
		if data, err = file.read(h.buf); err == nil {
			if p, ok := parsePressure(data); ok {
				h.pressure[i] = file
				if !p.hasFull {
					h.missing[full] = path + " has no such line"
				}
				return
			}
			err = fmt.Errorf("%s is not what proc(5) says", path)
		}
		file.close()
	}
	why := err.Error()
	switch {
	case errors.Is(err, os.ErrNotExist):
		why = "this kernel has no pressure stall information (CONFIG_PSI)"
	case errors.Is(err, syscall.EOPNOTSUPP):
		why = "pressure stall information is switched off: boot with psi=1"
	}
	h.missing[some], h.missing[full] = why, why
}

// openOwnGroup finds cpu.stat of the control group this process is in, with either version's CPU
// controller. Where a container shows the host's path of its group, the group is the mount's root.
func openOwnGroup(proc, cgroup string) (handle, error) {
	lines, err := os.ReadFile(filepath.Join(proc, "self/cgroup"))
	if err != nil {
		return noHandle, err
	}
	var buf [4096]byte
	for _, folder := range groupFolders(string(lines), cgroup) {
		file, err := openFile(filepath.Join(folder, "cpu.stat"))
		if err != nil {
			continue
		}
		if data, err := file.read(buf[:]); err == nil {
			if _, ok := parseThrottling(data); ok {
				return file, nil
			}
		}
		file.close()
	}
	return noHandle, errors.New("no control group with a CPU controller is visible here")
}

// groupFolders lists where the group named in /proc/self/cgroup (cgroups(7)) may be mounted.
func groupFolders(lines, cgroup string) []string {
	var own, roots []string
	for line := range strings.Lines(lines) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		var mounts []string
		switch {
		case part[0] == "0" && part[1] == "":
			mounts = []string{cgroup, filepath.Join(cgroup, "unified")}
		case strings.Contains(","+part[1]+",", ",cpu,"):
			mounts = []string{filepath.Join(cgroup, part[1]), filepath.Join(cgroup, "cpu"), filepath.Join(cgroup, "cpu,cpuacct")}
		}
		for _, m := range mounts {
			own, roots = append(own, filepath.Join(m, part[2])), append(roots, m)
		}
	}
	return append(own, roots...)
}

// readFast reads the pressure and the number of runnable tasks.
func (h *host) readFast(now time.Time) {
	v := h.totals.fast.v
	for i, file := range h.pressure {
		if file == noHandle {
			continue
		}
		if data, err := file.read(h.buf); err == nil {
			if p, ok := parsePressure(data); ok {
				v[2*i], v[2*i+1] = p.some, p.full
			}
		}
	}
	if h.loadavg != noHandle {
		if data, err := h.loadavg.read(h.buf); err == nil {
			if n, ok := parseRunnable(data); ok {
				n = max(n-1, 0) // the reader itself
				if !h.first {
					v[totRunnable] += (h.runnable + n) * now.Sub(h.totals.fast.at).Microseconds() / 2
				}
				h.runnable, h.first = n, false
			}
		}
	}
	h.totals.mu.Lock()
	h.totals.fast.read(now, v)
	h.totals.mu.Unlock()
}

// readSlow reads steal and throttling.
func (h *host) readSlow(now time.Time) {
	if h.stat != noHandle {
		if data, err := h.stat.readAll(&h.buf); err == nil {
			if s, ok := parseCPUStat(data); ok {
				h.last = s
			}
		}
	}
	if h.group != noHandle {
		if data, err := h.group.read(h.buf); err == nil {
			if t, ok := parseThrottling(data); ok {
				h.throttle = t
			}
		}
	}
	v := h.totals.slow.v
	v[totSteal], v[totThrottled], v[totPeriods] = h.last.steal*tick, h.throttle.microseconds, h.throttle.periods
	h.totals.mu.Lock()
	h.totals.slow.read(now, v)
	h.totals.mu.Unlock()
}

func (h *host) close() {
	for _, file := range append(h.pressure[:], h.loadavg, h.stat, h.group) {
		file.close()
	}
}
