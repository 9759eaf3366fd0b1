package stress

import (
	"fmt"
	"time"

	"heisen/stress/run"
	"heisen/stress/tally"
)

// Runner executes attempts: as one process tree, as several in roles, on another machine. It must be safe
// for as many concurrent calls as the campaign is wide.
type Runner interface {
	// Run executes one attempt to its very end, following ctl meanwhile. When it returns no process of
	// the attempt is left and its output is closed.
	Run(a run.Attempt, ctl *run.Control) run.Result
}

// Archiver puts evidence on disk before the journal says that the attempt is finished.
type Archiver interface {
	// Archive returns where the evidence is, nil where none is kept. Calling it again after an error is
	// harmless.
	Archive(a run.Attempt, fin *run.Finished, res *run.Result) (*run.Filed, error)
}

// Journal makes one record durable.
type Journal interface {
	// Append returns once the record is on disk. An error that run.FaultOf knows is worth trying
	// again; any other is final.
	Append(payload []byte) error
}

// Workspace lends every slot a private temp folder.
type Workspace interface {
	// Prepare returns the slot's folder, empty.
	Prepare(slot int) (string, error)
	// Release takes it back and empties it.
	Release(slot int) error
}

// Sink is told what happens, in the order in which it happened. It must not block.
type Sink interface {
	Emit(run.Event)
}

// Config is all an engine needs. Every field but Sinks, Confirm, Admit, Strays, Assign, Answered and Idle must be set.
type Config struct {
	Began     run.Began
	Runner    Runner
	Archiver  Archiver
	Journal   Journal
	Workspace Workspace
	Judge     *run.Judge
	Sinks     []Sink
	// Tally is the campaign's state as recovered from its journal; the engine owns it from here on.
	Tally *tally.Tally
	// Confirm asks the machine whether a failed attempt whose output names an exhausted resource was
	// right: the fault in words, or "".
	Confirm func(output []byte, a run.Attempt) string
	// Admit is asked, by one goroutine, before each start of an attempt: false for as long as nobody wants it. What it
	// has admitted it must admit again, for a further try. Nil wants all. Nudge has it asked again at once.
	Admit func(seq int64) bool
	// Strays asks, when no attempt runs any more, for the processes left behind that nobody can tell whose
	// they were. It may be nil.
	Strays func() run.Strays
	// Assign changes what an attempt is given before it starts: its Seed, or the command it runs Instead. It must
	// depend on the attempt's number alone, so that a retry and a resume give it the same.
	Assign func(*run.Attempt)
	// Answered tells that what the campaign was to find out is known, which ends it. It is asked by the goroutine
	// that calls Sinks, after they were told of the latest attempt.
	Answered func() bool
	// PortBase is the first port of slot 0.
	PortBase int
	// CPUs is how many attempts the ramp-up starts at once.
	CPUs int
	// Idle tells which share of the CPUs' time was unused since it was last asked, from 0 to 1. Where it is set the
	// campaign begins with as many attempts as CPUs, and reaches its width as attempts end or CPUs stand still.
	Idle func() float64
}

// Engine runs one session of a campaign. All of its state belongs to one goroutine, the dispatcher; the
// methods may be called from any.
type Engine struct {
	cfg  Config
	spec run.Spec

	asks   chan func(*dispatcher)
	flies  chan *flight
	ran    chan *flight
	landed chan landing
	hurry  chan struct{} // closed when everything is to stop at once
	ended  chan struct{}
}

// New returns an engine that is ready to Run.
func New(cfg Config) *Engine {
	return &Engine{
		cfg:   cfg,
		spec:  cfg.Began.Spec,
		asks:  make(chan func(*dispatcher)),
		flies: make(chan *flight),
		// Room for all, so that nobody waits for the dispatcher only to say something.
		ran:    make(chan *flight, MaxSlots(cfg.Began.Spec.Width)),
		landed: make(chan landing, MaxSlots(cfg.Began.Spec.Width)),
		hurry:  make(chan struct{}),
		ended:  make(chan struct{}),
	}
}

// Run goes on until a stop rule holds, Interrupt is called or nothing more can be done, and returns how
// the session ended. Every attempt has passed its finish stage by then. An error is heisen's own or the
// disk's; what the journal holds is true all the same.
func (e *Engine) Run() (run.Ended, error) {
	defer close(e.ended)
	if err := e.record(e.cfg.Began); err != nil {
		return run.Ended{Reason: run.ReasonError}, fmt.Errorf("open the session in the journal: %w", err)
	}
	d := newDispatcher(e)
	d.emit(e.cfg.Began)
	d.loop()
	close(e.flies)
	ended := d.result()
	if d.failure == nil {
		d.failure = e.record(ended)
	}
	d.tally.Add(ended)
	d.emit(ended)
	return ended, d.failure
}

// Interrupt asks to end: the first call starts no more attempts and leaves those that run a grace, the
// second stops them at once.
func (e *Engine) Interrupt() { e.ask((*dispatcher).interrupt) }

// Abort stops everything at once.
func (e *Engine) Abort() {
	e.ask(func(d *dispatcher) {
		d.stop(run.ReasonInterrupted)
		d.order(run.StopNow)
	})
}

// Finish starts no more attempts: all that somebody wanted are made. Those that run go on to their end.
func (e *Engine) Finish() { e.ask(func(d *dispatcher) { d.stop(run.ReasonRuns) }) }

// Nudge has Config.Admit asked again, since more attempts are wanted now. It tells whether the session goes on.
func (e *Engine) Nudge() bool { return e.ask(func(*dispatcher) {}) }

// Pause makes every attempt and every clock stand still; it returns once all are told.
func (e *Engine) Pause() { e.ask(func(d *dispatcher) { d.pause(true) }) }

// Resume lets them go on.
func (e *Engine) Resume() { e.ask(func(d *dispatcher) { d.pause(false) }) }

// Progress returns the present figures; after the end, false.
func (e *Engine) Progress() (p Progress, ok bool) {
	ok = e.ask(func(d *dispatcher) { p = d.progress() })
	return p, ok
}

// ask has the dispatcher do something, waits until it did, and tells whether it still could.
func (e *Engine) ask(what func(*dispatcher)) bool {
	done := make(chan struct{})
	select {
	case e.asks <- func(d *dispatcher) { what(d); close(done) }:
		<-done
		return true
	case <-e.ended:
		return false
	}
}

// record makes one event durable.
func (e *Engine) record(event run.Event) error {
	payload, err := run.Encode(event)
	if err != nil {
		return err
	}
	return e.cfg.Journal.Append(payload)
}

// How long heisen waits for a machine that has run out of something, and how often it looks.
const (
	machinePatience  = 2 * time.Minute
	machineFirstWait = 100 * time.Millisecond
	machineLastWait  = 5 * time.Second
)

// patiently tries again, with growing pauses, as long as the machine is out of something, patience lasts
// and nobody is in a hurry. The dispatcher hears of each pause.
func (e *Engine) patiently(try func() error) error {
	begun := time.Now()
	wait := machineFirstWait
	for {
		err := try()
		if err == nil {
			return nil
		}
		fault := run.FaultOf(err)
		if fault == "" || time.Since(begun) > machinePatience {
			return err
		}
		e.ask(func(d *dispatcher) { d.hold(fault, wait) })
		select {
		case <-time.After(wait):
		case <-e.hurry:
			return err
		}
		wait = min(2*wait, machineLastWait)
	}
}
