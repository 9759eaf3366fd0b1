package stress

import (
	"time"

	"heisen/stress/run"
)

// applyRules ends the session when a stop rule holds.
func (d *dispatcher) applyRules() {
	if d.stopping != "" {
		return
	}
	reason, over := reached(d.spec.Stop, d.tally.Counts(), d.before+d.session())
	if d.cfg.Answered != nil && d.cfg.Answered() {
		reason, over = run.ReasonDecided, true
	}
	if !over {
		return
	}
	d.stop(reason)
	switch reason {
	case run.ReasonFailures, run.ReasonDecided:
		d.order(run.StopGently) // what was looked for is found
	case run.ReasonTime:
		// Attempts that fail are often the slow ones: cutting all off at the hour would hide them.
		d.killAt = time.Now().Add(max(d.spec.Timeout.Grace, 2*d.tally.PassTimes().P99))
	}
}

// stop starts no more attempts; the first reason given is the one that counts.
func (d *dispatcher) stop(reason run.StopReason) {
	if d.stopping != "" {
		return
	}
	d.stopping = reason
	d.emit(run.Stopping{Reason: reason, Running: d.live})
}

// fail stops everything: the disk or heisen itself is broken, and going on would lose what is found.
func (d *dispatcher) fail(err error) {
	if d.failure == nil {
		d.failure = err
	}
	reason := run.ReasonError
	if run.FaultOf(err) != "" {
		reason = run.ReasonMachine
	}
	d.stop(reason)
	d.order(run.StopNow)
}

// interrupt is one Ctrl-C.
func (d *dispatcher) interrupt() {
	if d.stopping != "" {
		d.order(run.StopNow)
		return
	}
	d.stop(run.ReasonInterrupted)
	d.killAt = time.Now().Add(d.spec.Timeout.Grace)
}

// order tells every attempt that runs to stop, at least so urgently.
func (d *dispatcher) order(mode run.StopMode) {
	if mode <= d.ordered {
		return
	}
	d.ordered = mode
	if mode == run.StopNow {
		close(d.hurry)
	}
	for _, f := range d.flights {
		f.ctl.Change(func(o *run.Orders) { o.Stop = mode })
	}
	if !d.pausedAt.IsZero() {
		d.pause(false) // what stands still cannot end
	}
}

// pause makes all attempts and clocks stand still, or go on.
func (d *dispatcher) pause(still bool) {
	now := time.Now()
	switch {
	case still == !d.pausedAt.IsZero():
		return
	case still:
		d.pausedAt = now
		d.emit(run.Paused{At: now})
	default:
		d.paused += now.Sub(d.pausedAt)
		if !d.killAt.IsZero() {
			d.killAt = d.killAt.Add(now.Sub(d.pausedAt))
		}
		d.pausedAt = time.Time{}
		d.emit(run.Resumed{At: now})
	}
	for _, f := range d.flights {
		f.ctl.Change(func(o *run.Orders) { o.Paused = still })
	}
}

// look does what only the passing of time brings about.
func (d *dispatcher) look() {
	if !d.pausedAt.IsZero() {
		return
	}
	if !d.killAt.IsZero() && time.Now().After(d.killAt) {
		d.order(run.StopGently)
	}
	for _, f := range d.flights {
		if f.over || f.slow || d.flown(f) < slowLeast {
			continue
		}
		if d.passes(); isSlow(d.flown(f), d.passed) {
			f.slow = true
			d.emit(run.Slow{Attempt: f.attempt, Running: d.flown(f), Median: d.passed.P50})
		}
	}
}

// passes brings passed up to date, if a hundredth of its attempts came since: it is asked for twenty times a second
// by each attempt in flight, and a median of many hardly moves.
func (d *dispatcher) passes() {
	if n := d.tally.PassesTimed(); n-d.passed.Count > d.passed.Count/100 {
		d.passed = d.tally.PassTimes()
	}
}
