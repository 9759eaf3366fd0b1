package starve

import (
	"sync"
	"time"

	"heisen/stress/run"
)

// The machine's running totals. All only grow; an attempt's figure is the difference between its end and
// its start.
const (
	totCPUSome = iota // PSI totals, microseconds
	totCPUFull
	totMemorySome
	totMemoryFull
	totIOSome
	totIOFull
	totRunnable  // runnable tasks × microseconds, integrated over the readings
	totSteal     // microseconds, all CPUs together
	totThrottled // microseconds, heisen's own control group
	totPeriods   // throttled periods of that group
	totKinds
)

// totalSignals names the signal that each total becomes.
var totalSignals = [totKinds]string{
	run.SigPSICPUSome, run.SigPSICPUFull, run.SigPSIMemorySome, run.SigPSIMemoryFull, run.SigPSIIOSome,
	run.SigPSIIOFull, run.SigRunnable, run.SigSteal, run.SigThrottled, run.SigThrottledTimes,
}

// track is a group of totals that are read together.
type track struct {
	// every is how often they are meant to be read.
	every time.Duration
	// kinds are the totals in it.
	kinds []int
	// at and v are the last reading, before and w the one before that.
	at, before time.Time
	v, w       [totKinds]int64
}

func (t *track) read(now time.Time, v [totKinds]int64) {
	if !t.at.IsZero() && !now.After(t.at) {
		return
	}
	t.before, t.w = t.at, t.v
	t.at, t.v = now, v
}

// totals are the latest readings of the machine; many attempts ask them at once and none of them reads a
// file for it.
type totals struct {
	mu   sync.Mutex
	fast track // PSI and runnable tasks
	slow track // steal and throttling: /proc/stat is dear on a large machine
}

// moment is what the totals were at one time.
type moment struct {
	at time.Time
	v  [totKinds]int64
	// lag is, for each track, how far the time lies from the reading it was carried on from; negative
	// where there was none.
	fast, slow time.Duration
}

// at carries the last reading on to now at the rate of the interval before it.
func (t *totals) at(now time.Time) moment {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := moment{at: now}
	m.fast = t.fast.carry(now, &m.v)
	m.slow = t.slow.carry(now, &m.v)
	return m
}

func (t *track) carry(now time.Time, into *[totKinds]int64) (lag time.Duration) {
	span := t.at.Sub(t.before)
	if t.before.IsZero() || span <= 0 {
		return -1
	}
	lag = now.Sub(t.at)
	share := float64(lag) / float64(span)
	for _, k := range t.kinds {
		into[k] = t.v[k] + int64(share*float64(t.v[k]-t.w[k]))
	}
	return max(lag, 0)
}

// minReadings is how many intervals between readings an attempt must span for a difference of totals to
// mean something: either end is known to about one interval.
const minReadings = 4

// spanned tells whether a figure between two moments is worth giving, with lags at either end and
// readings meant to come every so often.
func spanned(wall, lagStart, lagEnd, every time.Duration) bool {
	return lagStart >= 0 && lagEnd >= 0 && wall >= minReadings*max(every, lagStart, lagEnd)
}

// since is the growth of one total. What counts time of the whole machine cannot grow faster than time.
func (m moment) since(start moment, kind int) int64 {
	return max(m.v[kind]-start.v[kind], 0)
}
