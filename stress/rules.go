package stress

import (
	"math"
	"time"

	"heisen/stress/run"
	"heisen/stress/tally"
)

// reached tells which stop rule holds, if any. It is a pure function of the figures.
func reached(rule run.Stop, counts tally.Counts, elapsed time.Duration) (run.StopReason, bool) {
	switch {
	case rule.Failures > 0 && counts.Failures() >= rule.Failures:
		return run.ReasonFailures, true
	case rule.Runs > 0 && counts.Total() >= rule.Runs:
		return run.ReasonRuns, true
	case rule.For > 0 && elapsed >= rule.For:
		return run.ReasonTime, true
	}
	return "", false
}

// rampStep is how long the number of attempts in flight takes to double while a campaign starts.
const rampStep = 100 * time.Millisecond

// ramp is how many attempts may run so long after the session's start: as many as there are CPUs at
// once, twice as many after every step, so that three hundred starts do not storm. It is a pure function.
func ramp(width, cpus int, on bool, since time.Duration) int {
	if !on || cpus >= width {
		return width
	}
	doublings := float64(since / rampStep)
	return int(min(float64(width), float64(max(cpus, 1))*math.Pow(2, min(doublings, 32))))
}

// throttle finds how many attempts a machine that is out of something can bear: additive increase,
// multiplicative decrease, as TCP does. The zero value allows everything.
type throttle struct {
	allowed int // 0: no limit known
	landed  int // attempts finished since the last raise
	wait    time.Duration
	until   time.Time
	since   time.Time // first fault of the present series
}

// fault notes that a start failed while so many ran, and returns how long to start nothing.
func (t *throttle) fault(now time.Time, running int) time.Duration {
	if t.since.IsZero() {
		t.since = now
	}
	if now.Before(t.until) {
		return 0 // a start from before the pause
	}
	t.allowed = max(1, running*3/4)
	t.landed = 0
	t.wait = min(max(2*t.wait, machineFirstWait), machineLastWait)
	t.until = now.Add(t.wait)
	return t.wait
}

// success notes that an attempt ran to an end: the machine bears it, and perhaps one more.
func (t *throttle) success() {
	t.wait, t.since = 0, time.Time{}
	if t.allowed == 0 {
		return
	}
	if t.landed++; t.landed >= t.allowed {
		t.allowed, t.landed = t.allowed+1, 0
	}
}

// limit is how many may run now.
func (t *throttle) limit(now time.Time, width int) int {
	switch {
	case now.Before(t.until):
		return 0
	case t.allowed > 0:
		return min(width, t.allowed)
	}
	return width
}

// hopeless tells that the machine has been out of something for longer than heisen waits.
func (t *throttle) hopeless(now time.Time) bool {
	return !t.since.IsZero() && now.Sub(t.since) > machinePatience
}

// An attempt is slow when it has run ten times the median of those that passed; below a second, or before
// twenty have passed, nobody wants to know.
const (
	slowFactor    = 10
	slowLeast     = time.Second
	slowAfterPass = 20
)

func isSlow(running time.Duration, passes tally.Quantiles) bool {
	return passes.Count >= slowAfterPass && running >= slowLeast && running >= slowFactor*passes.P50
}
