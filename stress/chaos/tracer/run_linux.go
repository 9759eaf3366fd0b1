package tracer

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"

	"heisen/stress/chaos"
)

// memory is what the tracer may use before it collects garbage: it lives as long as one attempt.
const memory = 64 << 20

// Run is the program behind Command; its arguments are the plan's file, the report's file, the test's executable and
// its argv. It ends when the test's main process has, and gives an error where no report could be written: what
// became of the test is in the report alone.
func Run(args []string) error {
	if len(args) < 4 {
		return errors.New("trace: want a plan, a report, a path and a command: this is not meant to be called by hand")
	}
	runtime.LockOSThread() // all requests must come from the thread that seized, and the test dies with the thread that forked it
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memory)
	plan, err := readPlan(args[0])
	if err != nil {
		return err
	}
	return writeReport(args[1], trace(plan, args[1], args[2], args[3:]))
}

// writeReport puts the whole report in place at once, or none. It need not outlast the machine: its reader waits for
// this process.
func writeReport(path string, report *chaos.Report) error {
	text, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("encode the tracer's report: %w", err)
	}
	part := path + ".part"
	err = os.WriteFile(part, text, 0o600)
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return fmt.Errorf("write the tracer's report: %w: make room on its disk", err)
	}
	return nil
}

func readPlan(path string) (*chaos.Plan, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	var p chaos.Plan
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("read plan %s: %w", path, err)
	}
	if p.Version != chaos.PlanVersion {
		return nil, fmt.Errorf("read plan %s: it is of version %d and this heisen carries out version %d", path, p.Version, chaos.PlanVersion)
	}
	return &p, nil
}

// trace runs the test once, traced if that is possible. When the test is asked to stop, what there is to report by
// then is written to file: the tracer may be killed with a test that will not stop.
func trace(plan *chaos.Plan, file, path string, argv []string) *chaos.Report {
	t := &test{path: path, argv: argv, env: os.Environ(), report: file}
	report := &chaos.Report{Version: chaos.PlanVersion, Began: monotonic()}
	report.Chaos.Strategy = plan.Strategy
	forward, err := newForwarder()
	if err != nil {
		return fail(report, err)
	}
	defer forward.close()
	if why := untraceable(path); why != "" {
		report.Unsupported = why
		return t.plain(report, forward)
	}
	l, err := newLoop(plan)
	if err != nil {
		report.NotRun = true
		return fail(report, err)
	}
	var meant bool
	if t.env, meant = withoutLeakCheck(t.env); meant {
		l.ledger.note(leaksUnchecked)
	}
	switch why, err := t.start(l); {
	case err != nil:
		report.NotRun = true
		var errno syscall.Errno
		if errors.As(err, &errno) && errors.Is(err, errExecute) {
			report.StartErrno = int(errno)
			return report
		}
		return fail(report, err)
	case why != "":
		report.Unsupported = why
		return t.wait(report, forward)
	}
	l.interim = func() { l.tellEarly(*report, file) }
	forward.to(l)
	err = l.run()
	if l.spoiled != "" && !l.over {
		// Nothing that others could see has happened yet: the test begins anew, untraced.
		l.kill()
		report.Unsupported = l.spoiled
		t.env = os.Environ()
		return t.plain(report, forward)
	}
	l.tell(report)
	if err != nil {
		return fail(report, err)
	}
	return report
}

func fail(r *chaos.Report, err error) *chaos.Report {
	r.Fault = err.Error()
	return r
}

// newLoop prepares this process and thread for a plan.
func newLoop(plan *chaos.Plan) (*loop, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("become the test's subreaper: %w", err)
	}
	clock, err := newClock()
	if err != nil {
		return nil, err
	}
	l := &loop{plan: plan, clock: clock, tasks: map[int]*task{}, lost: map[int]bool{}, bounds: budget{limit: plan.Budget},
		ledger: &ledger{maxPoints: plan.MaxPoints, maxDecisions: plan.MaxDecisions}, thread: unix.Gettid()}
	l.each, l.bounds.terms = termsOf(plan)
	l.breakpoints = newBreakpoints(plan)
	if l.strategy, err = newStrategy(plan, l); err == nil {
		l.witness, err = newWitness(plan)
	}
	return l, err
}

// tellEarly writes a report of a test that has not ended. That it cannot is no matter: it is in the place of none.
func (l *loop) tellEarly(r chaos.Report, file string) {
	l.tell(&r)
	r.Unfinished, r.Usage = true, usageSoFar(l.root)
	_ = writeReport(file, &r)
}

// tell fills in the report.
func (l *loop) tell(r *chaos.Report) {
	r.Status, r.Usage = uint32(l.status), usageOf(&l.usage)
	r.Ended = l.overAt
	r.Began = monotonic() - int64(l.clock.now())
	r.Drawn = l.strategy.drawn()
	r.Chaos = l.ledger.chaos(l.plan.Strategy)
	r.Chaos.Tracer = ownCPU().Microseconds()
	r.Spoiled = l.spoiled
	r.Notes = append(r.Notes, l.ledger.notes...)
	r.Made, r.Threads, r.Dropped = l.ledger.holds, l.ledger.threads, l.ledger.dropped
	r.Points = l.ledger.trace()
	if l.plan.MaxPoints == 0 {
		r.Threads = nil
	}
	r.Steps = l.ledger.steps
	r.Reached = l.breakpoints.reached
	r.NoStacks, r.Asked = l.witness.told()
	r.Lengthened, r.Tracing = l.bounds.spent, ownTime()
}

// monotonic is the reading of CLOCK_MONOTONIC.
func monotonic() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return 0
	}
	return ts.Nano()
}
