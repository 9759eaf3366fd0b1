package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"heisen/stress"
	"heisen/stress/chaos"
	"heisen/stress/mix"
	"heisen/stress/run"
)

// ErrEnded is returned by Try when the session ended before all attempts were made.
var ErrEnded = errors.New("the session ended before all attempts were made")

// Order is one attempt that somebody wants.
type Order struct {
	// Replay tells it from an attempt that is left alone beside replays; the Desk does not look at it.
	Replay bool
	// Plan is what it is run under, nil for an attempt that is left alone.
	Plan *chaos.Plan
	// Command is executed in the place of the campaign's; nil for that one.
	Command *run.Command
	// Seed is HEISEN_SEED; 0 for the attempt's own.
	Seed uint64
}

// Answer is what came of an order.
type Answer struct {
	Order    Order
	Finished run.Finished
	// Record is what was done to the schedule, as run.Evidence.Plan has it; Trace is the order of things, Output
	// what the attempt wrote.
	Record []byte
	Trace  *run.Trace
	Output []byte
}

// Judged tells whether the attempt says anything about the test under its plan: it ended by itself, and was not run
// plain for want of a tracer.
func (a *Answer) Judged() bool {
	if !a.Finished.Outcome.Judged() {
		return false
	}
	if a.Order.Plan != nil && a.Order.Plan.Stacks != nil {
		return false // it was given up for its stacks
	}
	made := a.Finished.Chaos
	return a.Order.Plan == nil || made != nil && made.Unsupported == ""
}

// Signature is the failure's identity, empty for a pass.
func (a *Answer) Signature() string {
	if a.Finished.Filed == nil || !a.Finished.Outcome.Failed() {
		return ""
	}
	return a.Finished.Filed.Signature
}

// Desk has an engine make the attempts that are ordered. It admits attempts as they are ordered, gives each its plan
// and, once the engine says that one is finished, its answer to whoever ordered it. It is safe for concurrent use.
type Desk struct {
	mu      sync.Mutex
	nudge   func() bool
	waiting []*errand
	flying  map[int64]*errand
	err     error
	ended   chan struct{}
}

// errand is an order on its way.
type errand struct {
	answer Answer
	done   chan Answer // holds one
}

// NewDesk returns a Desk without an engine.
func NewDesk() *Desk {
	return &Desk{flying: map[int64]*errand{}, ended: make(chan struct{})}
}

// Attach tells how the engine is told that more attempts are wanted (stress.Engine.Nudge).
func (d *Desk) Attach(nudge func() bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nudge = nudge
}

// Try orders attempts, of which no more than atOnce are under way together, and waits for all of them. each is called with
// every answer, in the order of the orders; the error is ErrEnded, ctx's, or why plans cannot be carried out here. Answers
// are those that came.
func (d *Desk) Try(ctx context.Context, orders []Order, atOnce int, each func(Answer)) ([]Answer, error) {
	errands := make([]*errand, len(orders))
	for i, o := range orders {
		errands[i] = &errand{answer: Answer{Order: o}, done: make(chan Answer, 1)}
	}
	first := min(max(atOnce, 1), len(errands))
	if err := d.order(errands[:first]); err != nil {
		return nil, err
	}
	next := errands[first:]
	var answers []Answer
	for _, e := range errands {
		a, err := d.await(ctx, e)
		if err != nil {
			return answers, err
		}
		answers = append(answers, a)
		if each != nil {
			each(a)
		}
		if len(next) > 0 {
			if err := d.order(next[:1]); err != nil {
				return answers, err
			}
			next = next[1:]
		}
	}
	return answers, nil
}

// order has the engine make attempts.
func (d *Desk) order(errands []*errand) error {
	d.mu.Lock()
	if d.err == nil {
		d.waiting = append(d.waiting, errands...)
	}
	nudge, err := d.nudge, d.err
	d.mu.Unlock()
	if err != nil {
		return err
	}
	nudge()
	return nil
}

func (d *Desk) await(ctx context.Context, e *errand) (Answer, error) {
	select {
	case a := <-e.done:
		return a, nil
	default:
	}
	select {
	case a := <-e.done:
		return a, nil
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	case <-d.ended:
		return Answer{}, d.why()
	}
}

func (d *Desk) why() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// End fails what is still ordered, now and later: the session is over.
func (d *Desk) End() { d.fail(ErrEnded) }

func (d *Desk) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil {
		d.err, d.waiting = err, nil
		close(d.ended)
	}
}

// Admit is stress.Config's: an attempt is wanted while there are orders, and once it has one for ever.
func (d *Desk) Admit(seq int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.flying[seq] != nil {
		return true
	}
	if len(d.waiting) == 0 {
		return false
	}
	d.flying[seq] = d.waiting[0]
	d.waiting = slices.Delete(d.waiting, 0, 1)
	return true
}

func (d *Desk) errandOf(seq int64) *errand {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flying[seq]
}

// Plan is conductor.Config's Replay.
func (d *Desk) Plan(a run.Attempt) *chaos.Plan {
	if e := d.errandOf(a.Seq); e != nil {
		return e.answer.Order.Plan
	}
	return nil
}

// Choose, PlainDuration and Drop make the Desk the conductor's Mixer, which draws nothing.
func (d *Desk) Choose(a run.Attempt) string {
	if plan := d.Plan(a); plan != nil {
		return plan.Strategy
	}
	return mix.Plain
}

// PlainDuration is not known: each plan has its budget.
func (d *Desk) PlainDuration() (time.Duration, bool) { return 0, false }

// Drop tells that plans of a strategy cannot be carried out here.
func (d *Desk) Drop(strategy string) {
	d.fail(fmt.Errorf("replay: plans of %s cannot be carried out here (see above): heisen doctor says what this machine allows", strategy))
}

// Over puts the Desk over a runner, so that attempts get what their orders say and answers what they left.
func (d *Desk) Over(inner stress.Runner) stress.Runner { return ordered{d, inner} }

type ordered struct {
	desk  *Desk
	inner stress.Runner
}

func (o ordered) Run(a run.Attempt, ctl *run.Control) run.Result {
	e := o.desk.errandOf(a.Seq)
	if e == nil {
		return o.inner.Run(a, ctl)
	}
	if order := &e.answer.Order; order.Seed != 0 {
		a.Seed = order.Seed
	}
	if e.answer.Order.Command != nil {
		a.Instead = e.answer.Order.Command
	}
	res := o.inner.Run(a, ctl)
	o.desk.mu.Lock()
	defer o.desk.mu.Unlock()
	e.answer.Record, e.answer.Trace, e.answer.Output = res.Evidence.Plan, res.Evidence.Trace, res.Evidence.Output.Bytes()
	if plan := e.answer.Order.Plan; plan != nil && plan.Stacks != nil && res.Ending.StartError == nil && !res.Ending.Stopped {
		return sacrificed(res)
	}
	return res
}

// sacrificed is an attempt that was given up for its stacks: whatever it did then proves nothing, so it is one that was
// skipped, which is neither kept, counted nor tried again.
func sacrificed(res run.Result) run.Result {
	const skipped = 125 // what run.Judge takes for run.Skip
	res.Ending = run.Ending{Code: skipped}
	res.Evidence = run.Evidence{DumpAt: -1}
	return res
}

// Emit gives answers; it is a sink of the engine's events.
func (d *Desk) Emit(event run.Event) {
	fin, ok := event.(run.Finished)
	if !ok {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.flying[fin.Seq]; e != nil {
		delete(d.flying, fin.Seq)
		e.answer.Finished = fin
		e.done <- e.answer
	}
}
