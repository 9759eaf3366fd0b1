package proc

import (
	"time"

	"heisen/stress/run"
)

// phase is how far the stopping of an attempt has gone.
type phase int

const (
	running phase = iota
	dumping
	terminating
	killing
)

// action is what a stopper wants done to the attempt's processes.
type action int

const (
	doNothing action = iota
	doSuspend
	doResume
	doDump
	doTerminate
	doKill
)

// never is a wait without end.
const never = time.Duration(-1)

// stopper decides when an attempt is suspended, resumed and stopped. It is a pure state: it is told the
// orders and the time, and answers what to do now and how long to sleep if nothing else happens.
type stopper struct {
	dump  bool // a dump signal is sent before TERM when the time is up
	grace time.Duration
	// lenient leaves out the KILL after the graces; an order to stop at once still kills. For negative controls.
	lenient bool

	phase     phase
	since     time.Duration // when the phase began
	suspended bool
	stood     time.Duration // how long the attempt stood suspended before the present suspension
	from      time.Duration // when the present suspension began
	begun     time.Duration // when stopping began
	timedOut  bool
	stopped   bool
}

// next is called with the time since the start, when it was asked to be and whenever the orders change.
// After an action other than doNothing the caller carries it out and asks again.
func (s *stopper) next(orders run.Orders, now time.Duration) (action, time.Duration) {
	stop := orders.Stop != run.StopNot
	switch {
	case s.phase == killing:
		return doNothing, never
	case orders.Stop == run.StopNow:
		s.stopped = s.stopped || s.phase == running
		return s.enter(killing, doKill, now)
	case s.suspended && (stop || !orders.Paused):
		s.stood += now - s.from
		s.suspended = false
		return doResume, 0
	case s.phase == running && stop:
		s.stopped = true
		return s.enter(terminating, doTerminate, now)
	case s.phase == running && orders.Paused:
		if s.suspended {
			return doNothing, never
		}
		s.suspended, s.from = true, now
		return doSuspend, 0
	case s.phase == running:
		return s.watchClock(orders.Timeout, now)
	}
	return s.escalate(now)
}

// watchClock begins the stopping once the time is up. A time-out of zero is none.
func (s *stopper) watchClock(timeout, now time.Duration) (action, time.Duration) {
	if timeout <= 0 {
		return doNothing, never
	}
	if left := timeout - (now - s.stood); left > 0 {
		return doNothing, left
	}
	s.timedOut = true
	if s.dump {
		return s.enter(dumping, doDump, now)
	}
	return s.enter(terminating, doTerminate, now)
}

// escalate goes from one step of stopping to the next when its grace is over. A pause ordered now is not
// obeyed: the attempt is gone soon, and a stopped process could not die of TERM.
func (s *stopper) escalate(now time.Duration) (action, time.Duration) {
	if left := s.since + s.grace - now; left > 0 {
		return doNothing, left
	}
	if s.phase == dumping {
		return s.enter(terminating, doTerminate, now)
	}
	if s.lenient {
		return doNothing, never
	}
	return s.enter(killing, doKill, now)
}

func (s *stopper) enter(p phase, a action, now time.Duration) (action, time.Duration) {
	if s.phase == running {
		s.begun = now
	}
	s.phase, s.since = p, now
	return a, 0
}

// stoppingFor is how long, at the end of the main process, it had been stopped; 0 where it was not.
func (s *stopper) stoppingFor(ended time.Duration) time.Duration {
	if s.phase == running {
		return 0
	}
	return max(ended-s.begun, 0)
}

// pausedFor is how long the attempt stood suspended until now.
func (s *stopper) pausedFor(now time.Duration) time.Duration {
	if s.suspended {
		return s.stood + max(now-s.from, 0)
	}
	return s.stood
}
