package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"heisen/reports"
	"heisen/reports/live"
	"heisen/reports/serve"
	"heisen/reports/text"
	"heisen/repro/bundle"
	"heisen/repro/provenance"
	"heisen/stress"
	"heisen/stress/campaign"
	"heisen/stress/durable"
	"heisen/stress/interleave/sched"
	"heisen/stress/journal"
	"heisen/stress/ports"
	"heisen/stress/proc"
	"heisen/stress/proc/guard"
	"heisen/stress/run"
	"heisen/stress/starve"
	"heisen/stress/strain"
	"heisen/stress/tally"
)

const (
	// lockWait is how long a resume waits for a heisen that was killed a moment ago to be gone.
	lockWait = 10 * time.Second
	// mostTemp is how much of a failure's temp folder a bundle keeps.
	mostTempBytes   = 64 << 20
	mostTempEntries = 10_000
)

// session is one run of a campaign put together: what has to be closed again, in reverse order, and the
// engine with its view.
type session struct {
	plan    *plan
	link    *guard.Link
	folder  *campaign.Folder
	began   run.Began
	figures *tally.Tally
	engine  *stress.Engine
	view    *live.View
	meter   *starve.Meter // nil with --no-signals
	hogs    *strain.Hogs  // nil without --load
	// The scheduler's own record, and why there is none.
	recorder *sched.Recorder
	recorded *sched.Attempts
	noRecord string
	weaver   *weaver
	sinks    []stress.Sink // beside the view and the timings
	mixed    []string      // the strategies of --chaos that are drawn
	// dashboard is nil without --serve.
	dashboard *serve.Server
	stderr    io.Writer
	fail      durable.Failpoints
	closers   []func() error
}

// closeLater remembers how to give something back.
func (s *session) closeLater(f func() error) { s.closers = append(s.closers, f) }

// close gives everything back, the last taken first.
func (s *session) close() error {
	var errs []error
	for _, f := range slices.Backward(s.closers) {
		errs = append(errs, f())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// openSession takes the campaign's folder and everything a session needs. After an error nothing is left.
func openSession(p *plan, link *guard.Link, stderr io.Writer) (_ *session, err error) {
	fail, err := durable.ParseFailpoints(os.Getenv("HEISEN_FAILPOINTS"))
	if err != nil {
		return nil, usageError{err}
	}
	s := &session{plan: p, link: link, stderr: stderr, fail: fail}
	defer func() {
		if err != nil {
			_ = s.close() // the first error is the one to tell
			s.closeDashboard()
		}
	}()
	if err := s.openDashboard(); err != nil {
		return nil, err
	}
	if err := s.openFolder(); err != nil {
		return nil, err
	}
	j, err := s.openJournal()
	if err != nil {
		return nil, err
	}
	if err := s.openMeter(); err != nil {
		return nil, err
	}
	supervisor, err := s.openSupervisor()
	if err != nil {
		return nil, err
	}
	if err := s.startLoad(); err != nil {
		return nil, err
	}
	if err := s.assemble(j, supervisor); err != nil {
		return nil, err
	}
	return s, s.startDashboard()
}

// openFolder makes and locks the campaign, or takes the one the plan has locked and puts right what a killed
// heisen left.
func (s *session) openFolder() (err error) {
	if s.plan.resumed == nil {
		return s.newFolder()
	}
	s.folder, s.figures = s.plan.resumed, s.plan.figures
	s.closeLater(s.plan.release)
	left, err := proc.Sweep(s.folder.ID())
	if len(left) > 0 {
		fmt.Fprintf(s.stderr, "killed %d processes that the last session left\n", len(left))
	}
	if err != nil {
		return err
	}
	_, err = s.folder.Collect()
	return err
}

func (s *session) newFolder() (err error) {
	if s.plan.made != nil {
		s.folder, s.figures = s.plan.made, tally.New()
		s.closeLater(s.plan.release)
		return nil
	}
	now := time.Now()
	if s.folder, err = s.plan.store.Create(now, rand.Reader, version); err != nil {
		return err
	}
	lock, err := s.folder.Lock(context.Background(), lockWait, now)
	if err != nil {
		return err
	}
	s.closeLater(lock.Unlock)
	s.figures = tally.New()
	return nil
}

// openJournal opens the journal. What it puts right there, a torn end, no reader has counted.
func (s *session) openJournal() (*journal.Journal, error) {
	j, err := journal.Open(s.folder.Journal(), journal.Options{Campaign: s.folder.ID(), NewFold: newFold, Failpoints: s.fail,
		CommitRecords: stress.SpareSlots / 2})
	if err != nil {
		return nil, err
	}
	s.closeLater(j.Close)
	if torn := j.Recovered(); torn.Torn != "" {
		fmt.Fprintf(s.stderr, "the journal's end was torn (%d bytes): cut off and kept as %s\n", torn.TornBytes, torn.Torn)
	}
	if s.plan.soak != nil {
		if err := s.plan.soak.begin(s.folder); err != nil {
			return nil, err
		}
	}
	known := map[string]bool{}
	for _, b := range s.figures.Bundles() {
		known[b] = true
	}
	_, err = s.folder.DiscardUnknown(known)
	return j, err
}

func (s *session) openSupervisor() (*proc.Supervisor, error) {
	cfg := proc.Config{Spec: s.plan.spec, Campaign: s.folder.ID(), Environ: os.Environ()}
	s.measure(&cfg)
	supervisor, err := proc.Open(cfg)
	if err != nil {
		return nil, err
	}
	s.closeLater(supervisor.Close)
	return supervisor, nil
}

// startLoad keeps the machine busy, if the user wants that.
func (s *session) startLoad() error {
	if s.plan.spec.Load == "" {
		return nil
	}
	load, err := strain.Parse(s.plan.spec.Load)
	if err != nil {
		return err
	}
	if s.hogs, err = strain.Start(load, strain.Config{Dir: s.folder.Path()}); err != nil {
		return err
	}
	s.closeLater(s.endLoad)
	return nil
}

// endLoad ends it, and says if it was not what it should have been all the time.
func (s *session) endLoad() error {
	if stats := s.hogs.Stats(); stats.Restarts > 0 {
		fmt.Fprintf(s.stderr, "the load was lighter for moments: %d of its processes died and were started again (%v)\n", stats.Restarts, stats.LastDeath)
	}
	return s.hogs.Close()
}

// assemble puts the engine together.
func (s *session) assemble(j *journal.Journal, supervisor *proc.Supervisor) error {
	p := s.plan
	temps, err := s.folder.NewTemp(rand.Reader)
	if err != nil {
		return err
	}
	s.closeLater(temps.Close)
	block, err := ports.Reserve(stress.MaxSlots(p.spec.Width) * p.spec.Ports)
	if err != nil {
		return err
	}
	s.closeLater(block.Close)
	judge, err := run.NewJudge(p.spec.Oracle)
	if err != nil {
		return usageError{err}
	}
	s.began = run.Began{At: time.Now(), Campaign: s.folder.ID(), Epoch: p.epoch, Session: p.session, Spec: p.spec,
		Identity: p.identity, Tier: supervisor.Tier(), NotCollected: s.notCollected(), Version: version}
	runner, err := s.measured(supervisor, temps.Root())
	if err != nil {
		return err
	}
	if runner, err = s.conducted(p.soak.shared(runner, p.programs), temps.Root()); err != nil {
		return err
	}
	archiver, err := s.archiver()
	if err != nil {
		return err
	}
	var admit func(int64) bool
	if p.desk != nil {
		runner, admit = p.desk.Over(runner), p.desk.Admit
		s.sinks = append(s.sinks, p.desk)
	}
	if s.dashboard != nil {
		s.sinks = append(s.sinks, s.dashboard)
	}
	times, err := openTimings(s.folder.Path(), s.began.At)
	if err != nil {
		return err
	}
	s.closeLater(times.Close)
	s.view = newView(s.stderr, s.folder.Path(), s.link.Foreground(), p.soak)
	cfg := stress.Config{
		Began: s.began, Runner: runner, Archiver: archiver, Journal: j, Workspace: temps,
		Sinks: append(s.sinks, s.view, times), Judge: judge, Confirm: proc.MachineFault, Strays: supervisor.Strays,
		Tally: s.figures, PortBase: block.Base, CPUs: runtime.NumCPU(), Admit: admit,
	}
	if p.widthWhy != "" {
		cfg.Idle = new(starve.Idle).Share
	}
	if p.soak != nil {
		cfg.Assign, cfg.Answered = p.soak.assign, p.soak.account.Answered
		cfg.Sinks = append(cfg.Sinks, p.soak.account)
	}
	s.engine = stress.New(cfg)
	if p.desk != nil {
		p.desk.Attach(s.engine.Nudge)
	}
	return nil
}

func (s *session) archiver() (stress.Archiver, error) {
	var err error
	if s.weaver, err = openWeaver(s.folder.Path()); err != nil {
		return nil, err
	}
	s.closeLater(s.weaver.Close)
	kept := map[string]int{bundle.PassKey: len(s.figures.Passes()), bundle.VariantKey: len(s.figures.Exemplars())}
	for _, sig := range s.figures.Signatures() {
		kept[sig.ID] = len(sig.Bundles)
	}
	var met []string
	if census := s.figures.Census(); census.Epoch == s.plan.epoch {
		for _, v := range census.Variants() {
			met = append(met, v.ID)
		}
	}
	ctx := context.Background()
	s.weaver.archiver, err = bundle.NewArchiver(bundle.ArchiverConfig{
		Compare: s.weaver.compare,
		Dir:     s.folder.Path(), Sign: sign, Kept: kept, Met: met, Fail: s.fail.Under("bundle"),
		TempLimits: bundle.TempLimits{Bytes: mostTempBytes, Entries: mostTempEntries},
		Facts: bundle.Facts{
			Campaign: s.folder.ID(), Version: version, Epoch: s.plan.epoch, Spec: s.plan.spec, Tier: s.began.Tier,
			Identity: s.plan.identity, Git: provenance.ReadGit(ctx, s.plan.spec.Command.Dir),
			Host: provenance.System.Host(ctx), Environ: os.Environ(),
		},
	})
	return s.weaver, err
}

// run goes on to the campaign's end, prints the summary and gives everything back.
func (s *session) run(stdout io.Writer) (reports.Report, run.Ended, error) {
	s.announce()
	stopFollowing := s.follow()
	s.view.Start(s.engine)
	ended, err := s.engine.Run()
	stopFollowing()
	s.view.Close()
	if s.plan.selfStats {
		s.selfStats()
	}
	err = errors.Join(err, s.close())
	report := reports.Build(s.figures, reports.Facts{Dir: s.folder.Path(), Compare: true, Interleavings: s.weaver.diverged()})
	report.Resume = kindOf(s.folder)
	if k := s.plan.soak; k != nil {
		report.Soak = k.shown()
	}
	if s.dashboard != nil {
		s.dashboard.End(report)
	}
	// A reader that is gone (heisen hunt | head) has all it wants, and the journal has the rest.
	_ = text.Summary(stdout, report, styleFor(stdout))
	tellCI(report, stdout, s.stderr)
	return report, ended, err
}

// announce says what was chosen, where the user did not.
func (s *session) announce() {
	p := s.plan
	rel := s.folder.Path()
	if here, err := os.Getwd(); err == nil {
		if r, err := filepath.Rel(here, rel); err == nil && len(r) < len(rel) {
			rel = r
		}
	}
	fmt.Fprintf(s.stderr, "campaign %s in %s, seed %d, supervision: %s\n", s.folder.ID(), rel, p.spec.Seed, s.began.Tier.Name)
	if p.widthWhy != "" {
		fmt.Fprintf(s.stderr, "running %d at once (%s); -j changes that\n", p.spec.Width, p.widthWhy)
	}
	s.announceChaos()
	if s.dashboard != nil {
		fmt.Fprintf(s.stderr, "dashboard: %s\n", s.dashboard.URL())
	}
}

// hunt runs a plan and turns what it found into the exit code.
func hunt(p *plan, link *guard.Link, stdout, stderr io.Writer) error {
	s, err := openSession(p, link, stderr)
	if err != nil {
		return err
	}
	report, ended, err := s.run(stdout)
	if err != nil {
		return fmt.Errorf("%w: what is on record is safe; go on with %s", err, goOn(report.Dir))
	}
	return verdict(report, ended)
}

// stopped is how a session ends that a stop rule did not end, nil for the others: mend says what to do about a command
// that cannot be started, resume is the command line that goes on.
func stopped(ended run.Ended, mend, resume string) error {
	switch ended.Reason {
	case run.ReasonInterrupted:
		return coded(exitInterrupted)
	case run.ReasonStart:
		return errors.New("the command cannot be started (see above): " + mend)
	case run.ReasonMachine:
		return errors.New("the machine was out of resources for too long: free some, and go on with " + resume)
	}
	return nil
}

// verdict is the exit code of a hunt that could do its work, or why it could not.
func verdict(r reports.Report, ended run.Ended) error {
	if err := stopped(ended, "mend it, and go on with --resume or start anew", goOn(r.Dir)); err != nil {
		return err
	}
	switch {
	case r.Attempts.Failures() > 0:
		return coded(exitFailures)
	case r.Chaos.Nothing() != "":
		return errors.New(r.Chaos.Nothing())
	case r.Rate.Attempts == 0:
		return errors.New("no attempt could be judged, so nothing is known about the test: see the outcomes above")
	}
	return nil
}
