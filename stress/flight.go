package stress

import (
	"fmt"
	"time"

	"heisen/stress/run"
)

// flight is one attempt from its start to the end of its finish stage.
type flight struct {
	attempt run.Attempt
	ctl     *run.Control
	started time.Time
	paused  time.Duration // how long the campaign had stood still before it started
	over    bool          // its processes are gone; it is in its finish stage
	outcome run.Outcome   // the judgement, once it is over
	cause   string
	slow    bool // it was named slow
}

// landing is how a flight ended. Exactly one of its fields beside f, released and failure is set; none
// when the attempt was cancelled.
type landing struct {
	f        *flight
	finished *run.Finished
	retried  *run.Retried
	// fault is the machine's: nothing of the attempt ran, and it is not a try.
	fault string
	// dirty says why the slot's temp folder could not be emptied; the slot is not used again then.
	dirty error
	// failure ends the campaign: the disk or heisen itself is broken.
	failure error
}

// pilot flies one attempt after the other until the session ends: a goroutine that is used again has its
// stack grown already.
func (e *Engine) pilot(f *flight) {
	for ; f != nil; f = <-e.flies {
		e.fly(f)
	}
}

// fly runs one attempt and sees it through its finish stage. The order of the steps is the promise that
// nothing is lost: a crash between any two of them leaves an attempt that is simply run again.
func (e *Engine) fly(f *flight) {
	l := landing{f: f}
	temp, err := e.cfg.Workspace.Prepare(f.attempt.Slot)
	if err != nil {
		if l.fault = run.FaultOf(err); l.fault == "" {
			l.failure = fmt.Errorf("prepare temp folder: %w", err)
		}
		e.ran <- f
		e.landed <- l
		return
	}
	a := f.attempt // the flight's own is the dispatcher's to read meanwhile
	a.Temp = temp
	// 1, 2. No process of the attempt is left and its output is closed: the runner's contract.
	res := e.cfg.Runner.Run(a, f.ctl)
	f.outcome, f.cause = e.judge(a, &res)
	e.ran <- f
	// 3, 4. Evidence archived, then the record on disk.
	e.settle(a, &res, &l)
	// 5. The temp folder goes back, once; what a failure left in it is in its bundle by now.
	l.dirty = e.cfg.Workspace.Release(f.attempt.Slot)
	// 6. The dispatcher returns the slot and its ports, and moves the figures from the new state.
	e.landed <- l
}

// settle makes durable what came of an attempt.
func (e *Engine) settle(a run.Attempt, res *run.Result, l *landing) {
	outcome, cause := l.f.outcome, l.f.cause
	switch {
	case res.Ending.Machine != "":
		l.fault = res.Ending.Machine
	case outcome == run.Cancelled:
	case outcome.Retryable() && a.Try <= maxRetries:
		l.retried = &run.Retried{Seq: a.Seq, Try: a.Try, Outcome: outcome, Cause: cause}
		l.failure = e.recordPatiently(*l.retried)
	default:
		fin := e.describe(a, res, outcome, cause)
		l.failure = e.file(a, &fin, res)
		l.finished = &fin
	}
}

// judge asks the oracle, and for a failure whose output names an exhausted resource, the machine.
func (e *Engine) judge(a run.Attempt, res *run.Result) (run.Outcome, string) {
	outcome, cause := e.cfg.Judge.Outcome(res)
	if (outcome == run.Fail || outcome == run.Crash) && e.cfg.Confirm != nil {
		if fault := e.cfg.Confirm(res.Evidence.Output.Bytes(), a); fault != "" {
			return run.HarnessError, "the machine, not the test: " + fault
		}
	}
	return outcome, cause
}

// file archives the evidence and then, and only then, records the attempt as finished.
func (e *Engine) file(a run.Attempt, fin *run.Finished, res *run.Result) error {
	err := e.patiently(func() (err error) {
		fin.Filed, err = e.cfg.Archiver.Archive(a, fin, res)
		return err
	})
	if err != nil {
		return fmt.Errorf("archive evidence of attempt %d: %w", a.Seq, err)
	}
	return e.recordPatiently(*fin)
}

func (e *Engine) recordPatiently(event run.Event) error {
	if err := e.patiently(func() error { return e.record(event) }); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// describe is the attempt's record, without its evidence.
func (e *Engine) describe(a run.Attempt, res *run.Result, outcome run.Outcome, cause string) run.Finished {
	return run.Finished{
		Seq:     a.Seq,
		Try:     a.Try,
		Epoch:   e.cfg.Began.Epoch,
		Slot:    a.Slot,
		Running: a.Running,
		Seed:    a.Seed,
		At:      res.Started.Round(0),
		Wall:    res.Wall.Microseconds(),
		User:    res.Usage.User.Microseconds(),
		System:  res.Usage.System.Microseconds(),
		MaxRSS:  res.Usage.MaxRSS / 1024,
		Outcome: outcome,
		Cause:   cause,
		Code:    res.Ending.Code,
		Signal:  res.Ending.SignalName,
		Leaked:  res.Leaked(),
		Output:  res.Evidence.Output.Total,
		Signals: res.Evidence.Signals,
		AtLeast: res.Evidence.AtLeast(),
		Variant: res.Evidence.Variant,
		Chaos:   res.Evidence.Chaos,
	}
}
