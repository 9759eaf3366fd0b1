package stress

import "time"

const (
	// paceLook is how often it is asked whether CPUs stand still.
	paceLook = 100 * time.Millisecond
	// paceIdle is the share of the CPUs' time that must have been unused for more attempts to be started beside those
	// that run.
	paceIdle = 0.25
)

// pace is how a campaign whose width heisen chose opens: with one attempt for each CPU, so that the first ones end soon
// and tell something, one more for each that ends, and half as many more while CPUs stand still. Of a test of
// milliseconds the whole width is in flight at once; of one of seconds that computes, the same work is done in the
// same time, and the first results are there in a fraction of it.
type pace struct {
	allowed int
	looked  time.Duration
	idle    func() float64
}

// newPace begins with one attempt for each CPU. idle tells which share of the CPUs' time was unused since it was
// last asked, from 0 to 1.
func newPace(cpus int, idle func() float64) *pace {
	return &pace{allowed: max(cpus, 1), idle: idle}
}

// limit is how many of width may run, so long after the session's start. A nil pace bounds nothing.
func (p *pace) limit(width int, since time.Duration) int {
	if p == nil || p.allowed >= width {
		return width
	}
	if since >= p.looked+paceLook {
		p.looked = since
		if p.idle() >= paceIdle {
			p.allowed += max(p.allowed/2, 1)
		}
	}
	return min(p.allowed, width)
}

// ended notes that an attempt is over.
func (p *pace) ended() {
	if p != nil && p.allowed < 1<<30 {
		p.allowed++
	}
}
