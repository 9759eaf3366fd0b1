package tracer

import "time"

// delays is an account of the time for which one thread was kept from running. What is on it goes as fast as it came, so
// that in the long run a thread runs for half of the time beside what is done to it. No scheduler keeps one thread
// from running again and again while others run, and a test may give two seconds to something that takes none: without
// a bound of this kind correct programs ran into time-outs of their own (CPython's tests of barriers).
type delays struct {
	owed  time.Duration
	since time.Duration // when owed was that much
}

// at is what is owed now.
func (d *delays) at(now time.Duration) time.Duration { return max(d.owed-(now-d.since), 0) }

// add puts a delay on the account that has just ended.
func (d *delays) add(from, now time.Duration) {
	d.owed = d.at(from) + (now - from)
	d.since = now
}

// allow tells whether a thread may be delayed for so long: no more than most is owed then, or nothing is now.
func (d *delays) allow(now, long, most time.Duration) bool {
	owed := d.at(now)
	return owed == 0 || owed+long <= most
}

// room is how long a thread may be delayed now, where it is not known for how long it will be.
func (d *delays) room(now, most time.Duration) time.Duration { return max(most-d.at(now), 0) }
