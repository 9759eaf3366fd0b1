package starve

import (
	"time"

	"heisen/stress/run"
)

// Why a signal of one attempt is missing, or is a lower bound. The texts are few and fixed, so that
// attempts can be counted by them.
const (
	whyNoEnd   = "its main process was not there to be read at its end"
	whyUsage   = "its resource usage could not be read"
	whyMain    = "its main thread could not be read at its end"
	whyRation  = "of many short attempts that exit with 0 only some are read, to keep the price low"
	whyShort   = "it ended before the first look at its threads"
	whyHidden  = "more than a tenth of its CPU time is of threads that came and went between two looks"
	whyAtLeast = "at least: threads that came and went between two looks count with their last reading or not at all"
	whyWaits   = "too many waits between two looks to tell the longest from the others"
	whyStarts  = "no thread was seen at its first moment on a CPU"
	whyBetween = "at least: the truth is within a millisecond of it or at most twice as large"
	whyLate    = "it was too short for how often the machine's totals are read"
	whyNoFile  = "the sampler had no descriptor left for it"
	whyLocked  = "a process of another user does not tell what it has open"
)

// measuredSignals are those a Meter answers for, with a figure or a reason.
var measuredSignals = append([]string{
	run.SigMinorFaults, run.SigMajorFaults, run.SigVoluntary, run.SigInvoluntary, run.SigRunDelay, run.SigRunDelayWorst,
	run.SigLongestStall, run.SigThreadStart, run.SigThreads, run.SigProcesses, run.SigDescriptors, run.SigMigrations,
}, totalSignals[:]...)

// rounding is how far an exact account of CPU time may be off: getrusage cuts user and system time to
// microseconds. A thread of its own takes longer than that to be made and to end.
const rounding = int64(5 * time.Microsecond)

// figures fills in one attempt's result.
type figures struct {
	result  *run.Result
	session map[string]string
}

// put gives a signal its figure, and a reason why it is only a lower bound or "".
func (f figures) put(name string, value int64, why string) {
	e := &f.result.Evidence
	if _, have := e.Signals[name]; have {
		return
	}
	if e.Signals == nil {
		e.Signals = make(run.Signals, len(measuredSignals))
	}
	e.Signals[name] = value
	if why != "" {
		f.note(name, why)
	}
}

// lack says why a signal is missing. What the whole session lacks is not said again for every attempt.
func (f figures) lack(why string, names ...string) {
	for _, name := range names {
		if _, have := f.result.Evidence.Signals[name]; !have {
			f.note(name, why)
		}
	}
}

func (f figures) note(name, why string) {
	if _, known := f.session[name]; known {
		return
	}
	e := &f.result.Evidence
	if e.NotCollected == nil {
		e.NotCollected = make(map[string]string, len(totalSignals)+7)
	}
	e.NotCollected[name] = why
}

func (f figures) missing(name string) bool {
	_, yes := f.session[name]
	return yes
}

func (f figures) accounting(r *record) {
	if r.usageErr != nil {
		f.lack(whyUsage, run.SigMinorFaults, run.SigMajorFaults, run.SigVoluntary, run.SigInvoluntary)
		return
	}
	f.put(run.SigMinorFaults, r.usage.minorFaults, "")
	f.put(run.SigMajorFaults, r.usage.majorFaults, "")
	f.put(run.SigVoluntary, r.usage.voluntary, "")
	f.put(run.SigInvoluntary, r.usage.involuntary, "")
}

// scheduling gives the figures that come from the threads. The main thread is read when it is a zombie,
// so its figures are whole; every other thread counts with its last reading. How much that misses is known
// from the CPU time: the kernel's account of the whole process against the sum over the threads seen.
func (f figures) scheduling(r *record, s seen) {
	f.descriptors(s)
	main, mainErr := r.main, r.mainErr
	delays := []string{run.SigRunDelay, run.SigRunDelayWorst, run.SigLongestStall, run.SigThreadStart}
	if mainErr != nil {
		why := whyMain
		if mainErr == errRation {
			why = whyRation
		}
		f.lack(why, append(delays, run.SigThreads, run.SigProcesses)...)
		return
	}
	s.stall.addStalls(s.main, main)
	if s.mainStart.see(main, &s.start) {
		s.starts++
	}
	c := coverageOf(r, s, f.result)
	f.counts(s, c)
	if c == partly || f.missing(run.SigRunDelay) {
		f.lack(s.whyPartly(), delays...)
		return
	}
	why := ""
	if c == nearly {
		why = whyAtLeast
	}
	f.put(run.SigRunDelay, (main.delay+s.delay)/1000, why)
	f.put(run.SigRunDelayWorst, max(main.delay, s.worst)/1000, why)
	f.maximum(run.SigLongestStall, s.stall, true, whyWaits, why)
	f.maximum(run.SigThreadStart, s.start, s.starts > 0, whyStarts, why)
}

// maximum gives a figure of which only bounds are known, if they are narrow enough.
func (f figures) maximum(name string, b bounds, known bool, whyNot, why string) {
	switch {
	case !known:
		f.lack(whyNot, name)
	case !b.worth():
		f.lack(whyWaits, name)
	case b.exact() || why != "":
		f.put(name, b.low/1000, why)
	default:
		f.put(name, b.low/1000, whyBetween)
	}
}

// counts gives the number of threads and processes.
func (f figures) counts(s seen, c coverage) {
	switch {
	case c == wholly && s.threads <= 1:
		f.put(run.SigThreads, 1, "")
		f.put(run.SigProcesses, 1, "")
	case s.samples == 0:
		f.lack(s.whyPartly(), run.SigThreads, run.SigProcesses)
	default:
		f.put(run.SigThreads, int64(s.threads), whyAtLeast)
		f.put(run.SigProcesses, int64(s.processes), whyAtLeast)
	}
}

// descriptors gives the most open files at one look. An end that was not read changes nothing of it.
func (f figures) descriptors(s seen) {
	switch {
	case s.hidden:
		f.lack(whyLocked, run.SigDescriptors)
	case s.lost:
		f.lack(whyNoFile, run.SigDescriptors)
	case s.descriptors == 0:
		f.lack(whyShort, run.SigDescriptors)
	default:
		f.put(run.SigDescriptors, s.descriptors, "")
	}
}

func (s seen) whyPartly() string {
	switch {
	case s.lost:
		return whyNoFile
	case s.samples == 0:
		return whyShort
	}
	return whyHidden
}

// coverage is how much of an attempt the readings of its threads account for.
type coverage uint8

const (
	partly coverage = iota // too little to be worth anything
	nearly                 // nine tenths of its CPU time or more
	wholly                 // all of it: no thread was missed
)

func coverageOf(r *record, s seen, res *run.Result) coverage {
	if r.usageErr != nil {
		return partly
	}
	total := r.usage.cpu.Nanoseconds()
	missed := total - r.main.cpu - s.cpu
	switch {
	case missed <= rounding && s.processes <= 1 && len(res.Evidence.Leaks) == 0 && !s.lost:
		return wholly
	case missed <= total/10:
		return nearly
	}
	return partly
}

// machine gives the growth of the machine's totals over the attempt's life.
func (f figures) machine(r *record, cpus int, t *totals) {
	wall := r.end.at.Sub(r.begin.at)
	fast := spanned(wall, r.begin.fast, r.end.fast, t.fast.every)
	slow := spanned(wall, r.begin.slow, r.end.slow, t.slow.every)
	most := wall.Microseconds()
	for _, k := range t.fast.kinds {
		f.total(totalSignals[k], fast, func() int64 {
			grown := r.end.since(r.begin, k)
			if k == totRunnable {
				return grown * 1000 / max(most, 1) / int64(cpus)
			}
			return min(grown, most)
		})
	}
	f.total(run.SigSteal, slow, func() int64 {
		return min(r.end.since(r.begin, totSteal)/int64(cpus), most)
	})
	if r.own != nil && r.own.ok {
		f.put(run.SigThrottled, r.own.end.microseconds-r.own.begin.microseconds, "")
		f.put(run.SigThrottledTimes, r.own.end.periods-r.own.begin.periods, "")
		return
	}
	f.total(run.SigThrottled, slow, func() int64 { return r.end.since(r.begin, totThrottled) })
	f.total(run.SigThrottledTimes, slow, func() int64 { return r.end.since(r.begin, totPeriods) })
}

func (f figures) total(name string, known bool, value func() int64) {
	switch {
	case f.missing(name):
	case known:
		f.put(name, value(), "")
	default:
		f.lack(whyLate, name)
	}
}
