package conductor

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

// Inside is a strategy that reaches into the runtime of a language, above the kernel's threads. It is safe for
// concurrent use.
type Inside interface {
	// Name is the strategy's.
	Name() string
	// Prepare draws what holds for the whole attempt into plan.Settings, unless it is a replay's, and changes
	// the attempt so that the runtime carries the plan out. dir is the attempt's own, and empty.
	Prepare(a *run.Attempt, plan *chaos.Plan, dir string) error
	// Collect reads what the runtime told. began is CLOCK_MONOTONIC, in nanoseconds, at the attempt's start.
	// Whatever is there may have been written by the test.
	Collect(plan *chaos.Plan, dir string, began int64) (*chaos.Report, error)
}

// insideOf finds the strategy of that name, nil for none.
func (c *Conductor) insideOf(name string) Inside {
	for _, in := range c.cfg.Inside {
		if in.Name() == name {
			return in
		}
	}
	return nil
}

// within runs an attempt with a strategy inside its runtime.
func (c *Conductor) within(a run.Attempt, ctl *run.Control, in Inside) run.Result {
	plan := c.planFor(a, in.Name())
	dir := filepath.Join(c.cfg.Dir, "inside", strconv.Itoa(a.Slot))
	if err := emptied(dir); err != nil {
		return notRun(err)
	}
	if err := in.Prepare(&a, &plan, dir); err != nil {
		return notRun(err)
	}
	res := c.run(a, ctl, func(t time.Duration) time.Duration { return t + plan.Budget })
	if e := &res.Ending; e.StartError != nil || e.Machine != "" || e.Harness != "" || e.Stopped {
		return res
	}
	began := -int64(sinceStart(0, res.Started)) // the reading at which sinceStart is zero
	report, err := in.Collect(&plan, dir, began)
	if err == nil {
		err = checkReport(report, &plan)
	}
	if err != nil {
		// What was done is not known, but it was only delays: the attempt counts, as one that was disturbed.
		report = &chaos.Report{Unsupported: "its record cannot be read: " + err.Error()}
	}
	endHolds(report, res.Wall)
	c.describeInside(&res, &plan, report, ctl)
	return res
}

// endHolds gives the holds that nobody saw the end of the length they can have had in an attempt of that length.
func endHolds(r *chaos.Report, wall time.Duration) {
	for i := range r.Made {
		m := &r.Made[i]
		if !m.CutOff || m.Held > 0 {
			continue
		}
		m.Held = max(min(m.Hold, wall-m.At), 0)
		r.Chaos.Held += m.Held.Microseconds()
		r.Chaos.Longest = max(r.Chaos.Longest, m.Held.Microseconds())
		r.Lengthened += m.Held
	}
}

// emptied makes a folder, or empties one.
func emptied(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("empty the strategy's folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the strategy's folder: %w", err)
	}
	return nil
}

// describeInside says in the result what was done.
func (c *Conductor) describeInside(res *run.Result, plan *chaos.Plan, report *chaos.Report, ctl *run.Control) {
	for _, note := range report.Notes {
		c.notice("%s", note)
	}
	done := report.Chaos
	done.Strategy, done.Unsupported = plan.Strategy, report.Unsupported
	res.Evidence.Chaos = &done
	res.Evidence.Plan = record(plan, report)
	c.addTrace(res, report, run.FromRuntime)
	withoutDelays(res, "the attempt was held on purpose")
	orders, _ := ctl.Watch()
	excuse(res, report, orders.Timeout)
	if report.Unsupported != "" {
		c.idle(plan.Strategy, report.Unsupported)
		return
	}
	c.accepted(plan.Strategy)
}

// idle counts an attempt in which a strategy could do nothing, and gives it up when it never can.
func (c *Conductor) idle(strategy, why string) {
	c.mu.Lock()
	c.faults[strategy]++
	giveUp := c.faults[strategy] == mostFaults
	c.mu.Unlock()
	if giveUp {
		c.leaveOut(strategy, why)
	}
}
