package conductor

import (
	"fmt"
	"sync"
	"time"

	"heisen/stress/chaos"
	"heisen/stress/mix"
	"heisen/stress/run"
)

// Runner runs one attempt to its end.
type Runner interface {
	Run(a run.Attempt, ctl *run.Control) run.Result
}

// Mixer draws strategies; mix.Mixer is one.
type Mixer interface {
	Choose(a run.Attempt) string
	// PlainDuration is how long plain attempts take; false while that is not known.
	PlainDuration() (time.Duration, bool)
	// Drop tells that a strategy does not work here.
	Drop(strategy string)
}

// Config is what a Conductor needs. Mixer, Policy and Dir must be set.
type Config struct {
	Mixer  Mixer
	Policy run.ChaosPolicy
	// Dir is a folder of heisen's own, on the machine's fast disk, for plans and reports.
	Dir string
	// Trace and Confine are the command lines that end in a call of the tracer and of Confine.
	Trace, Confine []string
	// Crowd makes the machine busy beside the attempts of load and weak; nil where neither is drawn.
	Crowd Crowd
	// Inside are the strategies that reach into the test's runtime.
	Inside []Inside
	// Scouts draw breakpoints in the attempts' programs; nil where none are to be set.
	Scouts *Scouts
	// InCode tells whether breakpoints must be written into the programs' code, because this machine's debug registers are of no
	// use. It is asked only where a plan has breakpoints, from several goroutines; nil for no.
	InCode func() bool
	// Merge adds what the tracer saw to a trace that others began.
	Merge func(into, more *run.Trace) *run.Trace
	// Replay, where it is set, gives the plan that an attempt is to be run under, nil for none, in the place of one
	// that is drawn. It must give the same plan each time it is asked about an attempt.
	Replay func(a run.Attempt) *chaos.Plan
	// Notice is told, once each, what the user must know: that something is not supported here.
	Notice func(text string)
}

// Conductor is a Runner that disturbs the attempts of another one. It is safe for concurrent use.
type Conductor struct {
	cfg   Config
	inner Runner

	mu       sync.Mutex
	told     map[string]bool
	refusals int            // attempts in a row that could not be traced
	faults   map[string]int // by strategy, attempts in a row that a tracer spoilt
}

// New returns a Conductor over inner.
func New(inner Runner, cfg Config) *Conductor {
	return &Conductor{cfg: cfg, inner: inner, told: map[string]bool{}, faults: map[string]int{}}
}

// Run has a strategy drawn for the attempt and runs it so.
func (c *Conductor) Run(a run.Attempt, ctl *run.Control) run.Result {
	if ctl == nil {
		ctl = run.NewControl(run.Orders{Timeout: a.Timeout})
	}
	switch s := c.choose(a); {
	case s == mix.Plain:
		return c.inner.Run(a, ctl)
	case mix.MachineSide(s):
		return c.confined(a, ctl, s)
	default:
		if in := c.insideOf(s); in != nil {
			return c.within(a, ctl, in)
		}
		return c.traced(a, ctl, s)
	}
}

// choose names the attempt's strategy: the replayed plan's, or one that is drawn.
func (c *Conductor) choose(a run.Attempt) string {
	if c.cfg.Replay == nil {
		return c.cfg.Mixer.Choose(a)
	}
	if plan := c.cfg.Replay(a); plan != nil {
		return plan.Strategy
	}
	return mix.Plain
}

// run runs the attempt with longer time-outs; what its disturbance adds is not its own fault.
func (c *Conductor) run(a run.Attempt, ctl *run.Control, longer func(time.Duration) time.Duration) run.Result {
	following, release := ctl.Lengthen(longer)
	defer release()
	a.Timeout = longer(a.Timeout)
	return c.inner.Run(a, following)
}

// budget is by how much holds may lengthen an attempt.
func (c *Conductor) budget() (budget, burst time.Duration) {
	plain, _ := c.cfg.Mixer.PlainDuration()
	return c.cfg.Policy.BudgetFor(plain), c.cfg.Policy.BurstFor(plain)
}

// notice tells the user something once.
func (c *Conductor) notice(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told[text] || c.cfg.Notice == nil || len(c.told) >= mostNotices {
		return
	}
	c.told[text] = true
	c.cfg.Notice(text)
}

// mostNotices bounds what is said: a report may hold any words.
const mostNotices = 20

// mostRefusals is how many attempts in a row may not be traceable before no more are tried.
const mostRefusals = 3

// refused counts an attempt that could not be traced.
func (c *Conductor) refused(why string) {
	c.notice("an attempt cannot be held and ran plain: %s", why)
	c.mu.Lock()
	c.refusals++
	giveUp := c.refusals == mostRefusals
	c.mu.Unlock()
	if giveUp {
		c.dropTraced(why)
	}
}

// dropTraced never draws a strategy again that needs the tracer.
func (c *Conductor) dropTraced(why string) {
	for _, s := range Traced() {
		c.cfg.Mixer.Drop(s)
	}
	c.notice("no more attempts of this campaign are held: %s", why)
}

// accepted notes that tracing works.
func (c *Conductor) accepted(strategy string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusals, c.faults[strategy] = 0, 0
}

// mostFaults is how many attempts in a row a strategy's tracer may spoil before it is drawn no more.
const mostFaults = 5

// spoilt marks an attempt that the tracer spoilt, and gives up a strategy that spoils all of them.
func (c *Conductor) spoilt(res *run.Result, strategy, why string) {
	res.Ending.Harness = why
	c.mu.Lock()
	c.faults[strategy]++
	giveUp := c.faults[strategy] == mostFaults
	c.mu.Unlock()
	if giveUp {
		c.leaveOut(strategy, why)
	}
}

// Traced lists the strategies that need the tracer, Sides those of the machine's side.
func Traced() []string {
	return []string{chaos.Hold, chaos.Starve, chaos.Preempt, chaos.PCT, chaos.AtBreakpoints}
}

// Sides lists the strategies that work without a tracer.
func Sides() []string { return []string{mix.Weak, mix.Load, mix.Pin} }
