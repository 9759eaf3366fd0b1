package starve

import "time"

// bounds hold a maximum that was not seen itself: it lies between low and high (nanoseconds).
type bounds struct {
	low, high int64
}

// narrow is how far apart the ends of bounds may be before the figure is worth nothing.
const narrow = int64(time.Millisecond)

// worth tells whether the lower end says enough: the truth is within a millisecond of it, or at most
// twice as large.
func (b bounds) worth() bool {
	return b.high-b.low <= max(narrow, b.low)
}

func (b bounds) exact() bool { return b.low == b.high }

// add takes another candidate for the maximum, itself known only between low and high.
func (b *bounds) add(low, high int64) {
	b.low, b.high = max(b.low, low), max(b.high, high)
}

// addStalls takes what a thread waited between two readings. The kernel adds a wait to the run delay when
// it ends, together with one slice (kernel/sched/stats.h, sched_info_arrive), so a growth with at most one
// new slice is a single wait. Among n waits the longest is at least their mean, and one more may be under
// way: a waiting thread that is moved to another CPU has the first part of its wait added at once
// (sched_info_dequeue).
func (b *bounds) addStalls(prev, next schedstat) {
	grown, waits := next.delay-prev.delay, next.slices-prev.slices
	switch {
	case grown <= 0:
	case waits <= 1:
		b.add(grown, grown)
	default:
		b.add(grown/(waits+1), grown)
	}
}

// start follows one thread to its first moment on a CPU.
type start uint8

const (
	startOpen  start = iota // it has not run yet, as far as was seen
	startKnown              // its start is among the bounds
)

// see takes a reading of a thread and puts its start latency among the bounds once it has run: the run
// delay at its first slice is the time from creation to the first CPU, and later the delay is an upper
// end. known tells whether it was seen exactly.
func (s *start) see(now schedstat, into *bounds) (known bool) {
	if *s == startKnown || now.slices == 0 {
		return false
	}
	*s = startKnown
	if now.slices == 1 {
		into.add(now.delay, now.delay)
		return true
	}
	into.add(0, now.delay)
	return false
}
