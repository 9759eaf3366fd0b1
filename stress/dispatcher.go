package stress

import (
	"cmp"
	"math"
	"slices"
	"time"

	"heisen/stress/run"
	"heisen/stress/tally"
)

// tick is how often the dispatcher looks at clocks: ramp-up, time rules, slow attempts.
const tick = 50 * time.Millisecond

// dispatcher owns the session's state. Everything that happens reaches it as a message, so that events
// have one order and no figure is read half-changed.
type dispatcher struct {
	*Engine
	tally    *tally.Tally
	queue    *queue
	slots    *slots
	throttle throttle
	pace     *pace // nil where the user chose the width
	flights  map[int]*flight
	live     int // flights whose processes may still run
	failing  int // flights in their finish stage that will be failures

	begun     time.Time
	before    time.Duration // elapsed in earlier sessions
	pausedAt  time.Time     // zero while not paused
	paused    time.Duration
	done      int64
	cancelled int64
	timeout   time.Duration
	settled   bool            // the automatic time-out is known
	settleAt  int64           // number of passes at which the automatic time-out is looked at next
	passed    tally.Quantiles // of passing attempts, as of the latest look at them
	waiting   string

	stopping run.StopReason
	killAt   time.Time // when what still runs is stopped
	ordered  run.StopMode
	failure  error
}

func newDispatcher(e *Engine) *dispatcher {
	d := &dispatcher{
		Engine:   e,
		tally:    e.cfg.Tally,
		slots:    newSlots(e.spec.Width),
		flights:  map[int]*flight{},
		begun:    time.Now(),
		settleAt: run.AutoTimeoutPasses,
	}
	if e.cfg.Idle != nil {
		d.pace = newPace(e.cfg.CPUs, e.cfg.Idle)
	}
	d.tally.Add(e.cfg.Began)
	d.before = d.tally.Elapsed()
	d.queue = newQueue(d.tally, e.spec.Stop.Runs)
	d.timeout = e.spec.Timeout.At(0, 0)
	d.settleTimeout()
	return d
}

// loop is the session: it ends when no attempt is in flight and none may be started.
func (d *dispatcher) loop() {
	defer d.queue.stop()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		d.applyRules()
		d.fill()
		if len(d.flights) == 0 && d.stopping != "" {
			return
		}
		select {
		case what := <-d.asks:
			what(d)
		case f := <-d.ran:
			d.over(f)
		case l := <-d.landed:
			d.land(l)
		case <-ticker.C:
			d.look()
		}
	}
}

// fill starts as many attempts as may run now.
func (d *dispatcher) fill() {
	now := time.Now()
	allowed := min(d.throttle.limit(now, d.spec.Width), ramp(d.spec.Width, d.cfg.CPUs, d.spec.Ramp, d.session()),
		d.pace.limit(d.spec.Width, d.session()))
	for d.mayStart() && d.live < allowed {
		slot, ok := d.slots.take()
		if !ok {
			return
		}
		t, ok := d.queue.take()
		if !ok {
			d.slots.give(slot)
			d.stopWhenDrained()
			return
		}
		if d.cfg.Admit != nil && !d.cfg.Admit(t.seq) {
			d.slots.give(slot)
			d.queue.put(t)
			return
		}
		d.start(t, slot)
	}
}

// mayStart tells whether anything may be started at all. A failure on its way to the disk already counts
// here: one more attempt after the last failure that was asked for would be one too many.
func (d *dispatcher) mayStart() bool {
	enough := d.spec.Stop.Failures
	return d.stopping == "" && d.pausedAt.IsZero() && d.waiting == "" &&
		(enough == 0 || d.tally.Counts().Failures()+int64(d.failing) < enough)
}

// stopWhenDrained ends the session once the queue is empty and nothing that flies can come back to it.
func (d *dispatcher) stopWhenDrained() {
	if len(d.flights) == 0 {
		d.stop(run.ReasonRuns)
	}
}

func (d *dispatcher) start(t turn, slot int) {
	d.live++
	f := &flight{
		attempt: run.Attempt{
			Seq:      t.seq,
			Try:      t.try,
			Slot:     slot,
			Seed:     run.SeedFor(d.spec.Seed, t.seq),
			PortBase: d.cfg.PortBase + slot*d.spec.Ports,
			Running:  d.live,
			Timeout:  d.timeout,
		},
		ctl:     run.NewControl(run.Orders{Timeout: d.timeout}),
		started: time.Now(),
		paused:  d.paused,
	}
	if d.cfg.Assign != nil {
		d.cfg.Assign(&f.attempt)
	}
	d.flights[slot] = f
	d.emit(run.Started{Attempt: f.attempt, At: f.started})
	select {
	case d.flies <- f:
	default:
		go d.pilot(f)
	}
}

// over notes that a flight's processes are gone, which makes room for others.
func (d *dispatcher) over(f *flight) {
	f.over = true
	d.live--
	d.pace.ended()
	if f.outcome.Failed() {
		d.failing++
	}
}

// land takes a flight's slot back, once, and moves the figures.
func (d *dispatcher) land(l landing) {
	slot := l.f.attempt.Slot
	delete(d.flights, slot)
	if l.f.outcome.Failed() {
		d.failing--
	}
	if l.dirty != nil {
		d.slots.retire()
		d.note(run.MachineFault{Fault: "cannot empty a temp folder, its slot is not used again: " + l.dirty.Error()})
	} else {
		d.slots.give(slot)
	}
	switch {
	case l.failure != nil:
		d.fail(l.failure)
	case l.fault != "":
		d.queue.retry(turn{l.f.attempt.Seq, l.f.attempt.Try})
		d.machineFault(l.fault)
	case l.retried != nil:
		d.tally.Add(*l.retried)
		d.emit(*l.retried)
		d.queue.retry(turn{l.retried.Seq, l.retried.Try + 1})
	case l.finished != nil:
		d.finished(*l.finished)
	default:
		d.cancelled++
	}
}

func (d *dispatcher) finished(fin run.Finished) {
	d.done++
	d.waiting = ""
	d.throttle.success()
	d.tally.Add(fin)
	d.emit(fin)
	if fin.Outcome == run.StartFailed {
		d.stop(run.ReasonStart)
		d.order(run.StopGently)
	}
	d.settleTimeout()
}

// machineFault starts fewer attempts, later; a machine that stays out of something ends the session.
func (d *dispatcher) machineFault(fault string) {
	now := time.Now()
	wait := d.throttle.fault(now, d.live)
	if d.throttle.hopeless(now) {
		d.stop(run.ReasonMachine)
		return
	}
	if wait > 0 {
		d.note(run.MachineFault{Fault: fault, Wait: wait})
	}
}

// hold starts nothing new while the disk keeps a finished attempt from being recorded.
func (d *dispatcher) hold(fault string, wait time.Duration) {
	if d.waiting != fault {
		d.waiting = fault
		d.emit(run.MachineFault{Fault: fault, Wait: wait})
	}
}

// note records and emits an event that is no attempt's end. Such events are rare, so the dispatcher waits
// for the disk; a full disk only loses the note.
func (d *dispatcher) note(event run.Event) {
	if err := d.record(event); err != nil && run.FaultOf(err) == "" {
		d.fail(err)
	}
	d.tally.Add(event)
	d.emit(event)
}

// settleTimeout looks at the automatic time-out each time the number of passes has doubled, and tells
// also the attempts that run already: the first hundreds start before anything is known.
func (d *dispatcher) settleTimeout() {
	if !d.spec.Timeout.Auto() || d.tally.Counts().PlainPasses() < d.settleAt {
		return
	}
	passes := d.tally.PassTimes()
	d.settleAt = 2 * passes.Count
	timeout := d.spec.Timeout.At(passes.Count, passes.P99)
	if d.settled && moved(d.timeout, timeout) < 0.1 {
		return // not worth a line in the log
	}
	d.settled = true
	d.timeout = timeout
	d.note(run.TimeoutSet{Timeout: timeout, Passes: passes.Count, P99: passes.P99.Microseconds()})
	for _, f := range d.flights {
		f.ctl.Change(func(o *run.Orders) { o.Timeout = timeout })
	}
}

// moved is by how much of itself a time-out has changed.
func moved(from, to time.Duration) float64 {
	return math.Abs(float64(to-from)) / float64(from)
}

func (d *dispatcher) emit(event run.Event) {
	for _, s := range d.cfg.Sinks {
		s.Emit(event)
	}
}

// session is how long the session has run, pauses not counted.
func (d *dispatcher) session() time.Duration {
	now := time.Now()
	if !d.pausedAt.IsZero() {
		now = d.pausedAt
	}
	return now.Sub(d.begun) - d.paused
}

func (d *dispatcher) progress() Progress {
	p := Progress{
		Spec:        d.spec,
		Elapsed:     d.before + d.session(),
		Session:     d.session(),
		SessionDone: d.done,
		Timeout:     d.timeout,
		Paused:      !d.pausedAt.IsZero(),
		Stopping:    d.stopping,
		Waiting:     d.waiting,
		Tally:       d.tally.Clone(),
	}
	for _, f := range d.flights {
		if !f.over {
			p.Running = append(p.Running, Running{Attempt: f.attempt, For: d.flown(f), Slow: f.slow})
		}
	}
	slices.SortFunc(p.Running, func(a, b Running) int {
		return cmp.Or(cmp.Compare(b.For, a.For), cmp.Compare(a.Attempt.Seq, b.Attempt.Seq))
	})
	return p
}

// flown is how long an attempt has run, pauses not counted.
func (d *dispatcher) flown(f *flight) time.Duration {
	now := time.Now()
	if !d.pausedAt.IsZero() {
		now = d.pausedAt
	}
	return now.Sub(f.started) - (d.paused - f.paused)
}

func (d *dispatcher) result() run.Ended {
	ended := run.Ended{At: time.Now(), Reason: d.stopping, Cancelled: d.cancelled, Elapsed: d.session()}
	if d.failure != nil {
		ended.Detail = d.failure.Error()
	}
	if d.cfg.Strays != nil {
		if strays := d.cfg.Strays(); strays.Count > 0 {
			ended.Strays = &strays
		}
	}
	return ended
}
