package conductor

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

const (
	// maxStarve is the longest interval in which a thread does not run at all. Deadlines of test-suites are whole seconds
	// as a rule (two for the barriers of CPython's own); a thread that begins a second and a half late still meets them.
	maxStarve = 1500 * time.Millisecond
	// maxDelay is how long many holds together keep one thread from running before it has had as long: without it short
	// holds, one after the other, kept threads beyond the same deadlines.
	maxDelay = 250 * time.Millisecond
	// mostPoints and mostDecisions bound a report; it takes the tracer about a microsecond for each to write.
	mostPoints    = 2_000
	mostDecisions = 2_000
	planName      = "plan.json"
	reportName    = "report.json"
)

// planFor is what the tracer is told: the plan that is replayed, or one whose seed is the attempt's, and another one on
// another try.
func (c *Conductor) planFor(a run.Attempt, strategy string) chaos.Plan {
	if c.cfg.Replay != nil {
		plan := *c.cfg.Replay(a)
		plan.Decisions = slices.Clone(plan.Decisions)
		plan.MaxPoints, plan.MaxDecisions = mostPoints, mostDecisions
		return plan
	}
	budget, burst := c.budget()
	return chaos.Plan{
		Version: chaos.PlanVersion, Strategy: strategy, Seed: run.SeedFor(a.Seed, int64(a.Try)),
		MaxHold: c.cfg.Policy.MaxHold, MaxStarve: maxStarve, MaxDelay: maxDelay, Budget: budget, Burst: burst,
		MaxPoints: mostPoints, MaxDecisions: mostDecisions,
	}
}

// traced runs an attempt under the tracer.
func (c *Conductor) traced(a run.Attempt, ctl *run.Control, strategy string) run.Result {
	plan := c.planFor(a, strategy)
	scout := c.aim(a, &plan)
	plan.InCode = len(plan.Breakpoints) > 0 && c.cfg.InCode != nil && c.cfg.InCode()
	dir, err := c.writePlan(a.Slot, &plan)
	if err != nil {
		return notRun(err)
	}
	a.Wrap = slices.Concat(c.cfg.Trace, []string{filepath.Join(dir, planName), filepath.Join(dir, reportName)})
	res := c.run(a, ctl, func(t time.Duration) time.Duration { return t + plan.Budget })
	if e := &res.Ending; e.StartError != nil || e.Machine != "" || e.Harness != "" || e.Stopped {
		return res // nothing ran, or nobody asks what became of it
	}
	report, err := readReport(filepath.Join(dir, reportName), &plan)
	if err != nil {
		c.spoilt(&res, strategy, "the tracer left no report: "+err.Error())
		return res
	}
	if e := &res.Ending; report.Unfinished && (!e.TimedOut || e.Signal != int(syscall.SIGKILL)) {
		c.spoilt(&res, strategy, "the tracer left no report: it died while the test was being stopped")
		return res
	}
	orders, _ := ctl.Watch()
	c.correct(&res, &plan, report, orders.Timeout)
	if scout != nil {
		scout.learn(&plan, report)
	}
	return res
}

// writePlan writes the plan where the tracer finds it and removes the slot's last report: an old one must never be
// taken for this attempt's. The folder is not below the attempt's TMPDIR, which is the test's own.
func (c *Conductor) writePlan(slot int, plan *chaos.Plan) (dir string, err error) {
	dir = filepath.Join(c.cfg.Dir, strconv.Itoa(slot))
	text, err := json.Marshal(plan)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		if err = os.RemoveAll(filepath.Join(dir, reportName)); err == nil {
			err = os.WriteFile(filepath.Join(dir, planName), text, 0o600)
		}
	}
	if err != nil {
		return "", fmt.Errorf("write the tracer's plan: %w", err)
	}
	return dir, nil
}

// notRun is an attempt that could not be prepared: for the machine's fault, or heisen's.
func notRun(err error) run.Result {
	r := run.Result{Started: time.Now(), Evidence: run.Evidence{DumpAt: -1}}
	if r.Ending.Machine = run.FaultOf(err); r.Ending.Machine == "" {
		r.Ending.Harness = err.Error()
	}
	return r
}

// correct puts the test's own ending and usage in the place of the tracer's, and says what was done. limit is
// the attempt's time-out without what was added for the holds.
func (c *Conductor) correct(res *run.Result, plan *chaos.Plan, report *chaos.Report, limit time.Duration) {
	switch {
	case report.NotRun && report.StartErrno != 0:
		notStarted(res, syscall.Errno(report.StartErrno))
		return
	case report.Fault != "" || report.NotRun:
		c.spoilt(res, plan.Strategy, "the tracer: "+report.Fault)
		return
	}
	if report.Spoiled != "" {
		res.Ending.Harness = "it cannot be traced: " + report.Spoiled
		c.dropTraced(report.Spoiled)
		return
	}
	spent := res.Usage.User + res.Usage.System
	if !report.Unfinished { // else the test was killed with its tracer, and ended alike
		endingOf(report.Status, &res.Ending)
	}
	res.Usage = report.Usage
	if report.Unsupported != "" && report.Chaos.Stops == 0 {
		c.refused(report.Unsupported) // it ran plain, and counts so
		return
	}
	c.accepted(plan.Strategy)
	for _, note := range report.Notes {
		c.notice("%s", note)
	}
	done := report.Chaos
	done.Strategy, done.Unsupported = plan.Strategy, report.Unsupported
	// The supervisor's figure is of the tracer and all it waited for; what is not the test's is the tracer's.
	done.Tracer = max(done.Tracer, (spent - report.Usage.User - report.Usage.System).Microseconds())
	res.Evidence.Chaos = &done
	res.Evidence.Plan = record(plan, report)
	withoutSched(res)
	c.addTrace(res, report, run.FromTracer)
	withoutDelays(res, "the attempt was held on purpose")
	excuse(res, report, limit)
}

func notStarted(res *run.Result, errno syscall.Errno) {
	err := fmt.Errorf("execute the test: %w", errno)
	switch {
	case run.FaultOf(err) != "":
		res.Ending.Machine = run.FaultOf(err)
	case errors.Is(err, syscall.ETXTBSY):
		res.Ending.Harness = err.Error() // some fork of ours had the file open for a moment
	default:
		res.Ending.StartError = err
	}
}

// excuse keeps a time-out that tripped for the holds and the tracing alone from being a failure.
func excuse(res *run.Result, report *chaos.Report, limit time.Duration) {
	if !res.Ending.TimedOut {
		return
	}
	own := res.Wall - res.Ending.StopTook - report.Lengthened - report.Tracing
	if own >= limit {
		return
	}
	took := fmt.Sprintf("holds took %v", report.Lengthened.Round(time.Millisecond))
	if report.Tracing > 0 {
		took += fmt.Sprintf(", tracing up to %v", report.Tracing.Round(time.Millisecond))
	}
	res.Ending.Harness = fmt.Sprintf("its time was up for heisen alone: %s, and without that it had run %v of %v", took, max(own, 0).Round(time.Millisecond), limit)
}

// Record is a bundle's plan.json: a plan that makes the decisions again that were really made, and beside it
// what each thread was about when it was held.
type Record struct {
	chaos.Plan
	// Drawn is what the strategy drew for the attempt, in words.
	Drawn string       `json:"drawn,omitempty"`
	Made  []chaos.Made `json:"made,omitempty"`
	// Lengthened is how long at least one thread was held.
	Lengthened time.Duration `json:"lengthened_ns"`
	// Threads are the stacks that were asked for, NoStacks why there are none, and Asked that the program was signalled
	// to print its own.
	Threads  []chaos.Stack `json:"threads,omitempty"`
	NoStacks string        `json:"no_stacks,omitempty"`
	Asked    bool          `json:"asked,omitempty"`
}

func record(plan *chaos.Plan, report *chaos.Report) []byte {
	r := Record{Plan: *plan, Drawn: report.Drawn, Made: report.Made, Lengthened: report.Lengthened,
		Threads: report.Stacks, NoStacks: report.NoStacks, Asked: report.Asked}
	r.Replay = true
	for _, m := range report.Made {
		d := m.Decision
		if !m.CutOff {
			d.Hold = m.Held // what was really done, not what was drawn
		}
		r.Decisions = append(r.Decisions, d)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil // no value of it can fail
	}
	return append(text, '\n')
}

// withoutDelays drops the measurements that a disturbance makes meaningless, and says why.
func withoutDelays(res *run.Result, why string) {
	for name := range res.Evidence.Signals {
		_, _, gap := run.Gap(name)
		if gap || name == run.SigFirstOutput || name == run.SigStop {
			continue
		}
		delete(res.Evidence.Signals, name)
		if res.Evidence.NotCollected == nil {
			res.Evidence.NotCollected = map[string]string{}
		}
		res.Evidence.NotCollected[name] = why
	}
}

// withoutSched drops the scheduler's record: the threads of what wraps the test are in it, so that no order would be
// like that of an attempt left alone, and every one would pass for a new variant.
func withoutSched(res *run.Result) {
	t := res.Evidence.Trace
	if t == nil || !slices.ContainsFunc(t.Points, func(p run.Point) bool { return p.Source == run.FromSched }) {
		return
	}
	const why = "the record has the threads of what disturbed the attempt"
	rest := run.Trace{NotCollected: map[run.Source]string{run.FromSched: why}}
	for _, p := range t.Points {
		if p.Source != run.FromSched {
			p.Thread = -1
			rest.Points = append(rest.Points, p)
		}
	}
	res.Evidence.Trace, res.Evidence.Spans, res.Evidence.Variant = &rest, nil, ""
	if res.Evidence.NotCollected == nil {
		res.Evidence.NotCollected = map[string]string{}
	}
	res.Evidence.NotCollected[run.NoVariant] = why
}

// addTrace adds the sync points that were seen. Their times count from Began by the monotonic clock, those of the
// trace from the attempt's start.
func (c *Conductor) addTrace(res *run.Result, report *chaos.Report, from run.Source) {
	if c.cfg.Merge == nil || len(report.Threads)+len(report.Points) == 0 {
		return
	}
	shift := sinceStart(report.Began, res.Started)
	more := &run.Trace{Threads: report.Threads, Points: report.Points}
	for i := range more.Threads {
		t := &more.Threads[i]
		for _, at := range []*time.Duration{&t.Created, &t.FirstRun, &t.Exited} {
			if *at != run.NotSeen {
				*at += shift
			}
		}
	}
	for i := range more.Points {
		more.Points[i].At += shift
		more.Points[i].Source = from
	}
	if report.Dropped > 0 {
		more.Dropped = map[run.Source]int64{from: report.Dropped}
	}
	res.Evidence.Trace = c.cfg.Merge(res.Evidence.Trace, more)
}
