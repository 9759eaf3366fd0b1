package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/urfave/cli/v2"

	"heisen/reports/serve"
	"heisen/repro/provenance"
	"heisen/repro/replay"
	"heisen/stress/campaign"
	"heisen/stress/chaos/conductor"
	"heisen/stress/doctor"
	"heisen/stress/run"
	"heisen/stress/tally"
)

// plan is what a session is to do: a new campaign, or an old one to go on with.
type plan struct {
	store campaign.Store
	spec  run.Spec
	// widthWhy says how the width was chosen, where heisen chose it.
	widthWhy string
	identity run.Identity
	programs *programs         // nil unless the command is go test or go run
	watched  *conductor.Scouts // where breakpoints can be set, once that was looked up
	epoch    int
	session  int
	// door is where the dashboard is to be; nil for none.
	door *serve.Door
	// desk hands out the attempts of a replay; nil for a hunt, which makes all there are.
	desk *replay.Desk
	// selfStats asks for a line on what measuring cost.
	selfStats bool
	// soak is what the campaign is to find out, nil for a hunt.
	soak *soaking
	// resumed is the campaign to go on with, nil for a new one. Its lock is held from before its journal was
	// folded into figures; the session gives it back.
	resumed *campaign.Folder
	// made is a new campaign's folder, where it had to be there before the session; its lock is held. revisions are
	// checked out in it, or in the resumed one's.
	made      *campaign.Folder
	revisions *revisions
	lock      *campaign.Lock
	figures   *tally.Tally
}

// planHunt turns the command line into a plan. Whatever the user got wrong is told here, before anything
// is made or started.
func planHunt(c *cli.Context, stderr io.Writer) (*plan, error) {
	p := &plan{store: campaign.NewStore(c.String(flagDir)), epoch: 1, session: 1, selfStats: c.Bool(flagSelfStats)}
	var err error
	if p.door, err = prepareServe(c); err != nil {
		return nil, err
	}
	if c.IsSet(flagResume) {
		err = p.resume(c, stderr)
	} else {
		err = p.begin(c, stderr)
	}
	if err != nil {
		return nil, errors.Join(err, p.release())
	}
	return p, nil
}

// release removes worktrees and gives the campaign's lock back, where there are any.
func (p *plan) release() error {
	if p.lock == nil {
		return nil
	}
	return errors.Join(p.revisions.remove(), p.lock.Unlock())
}

func (p *plan) begin(c *cli.Context, stderr io.Writer) (err error) {
	if c.Bool(flagNewEpoch) {
		return usagef("--new-epoch goes with --resume")
	}
	if p.spec, err = applyFlags(c, run.Spec{}, false); err != nil {
		return err
	}
	p.complete(c.IsSet(flagSeed))
	return p.identify(c, stderr)
}

// complete chooses what the user left open.
func (p *plan) complete(seeded bool) {
	if p.spec.Width == 0 {
		p.spec.Width, p.widthWhy = doctor.Measure().DefaultWidth()
	}
	if !seeded {
		var b [4]byte // short enough to be typed again
		_, _ = rand.Read(b[:])
		p.spec.Seed = uint64(binary.LittleEndian.Uint32(b[:]))
	}
}

// identify says what program is run, and builds it first where heisen does that.
func (p *plan) identify(c *cli.Context, stderr io.Writer) (err error) {
	p.identity = p.revisions.pin(provenance.Identify(p.spec.Command), p.spec.Command.Dir)
	if c.Bool(flagNoGoBuild) {
		return nil
	}
	if p.programs, err = buildPrograms(p.spec.Command, p.spec.Chaos.On(), c.Bool(flagGoLeaks), stderr); err != nil || p.programs == nil {
		return err
	}
	p.identity = p.programs.identity(p.identity)
	return nil
}

func (p *plan) resume(c *cli.Context, stderr io.Writer) error {
	folder, err := p.store.Open(c.String(flagResume))
	if err != nil {
		return err
	}
	if folder.Replays() {
		return usagef("resume campaign %s: it replays a failure: heisen repro --resume %s goes on with it", folder.ID(), folder.ID())
	}
	latest, err := p.take(folder)
	if err != nil {
		return err
	}
	if latest.Session == 0 {
		return fmt.Errorf("resume campaign %s: it never began: start a new one", folder.ID())
	}
	if isSoak(folder) != (p.soak != nil) {
		return usagef("resume campaign %s: it is a %s: go on with heisen %[2]s --resume %[3]s", folder.ID(), kindOf(folder), c.String(flagResume))
	}
	if err := p.checkOutAgain(stderr); err != nil {
		return err
	}
	p.epoch = latest.Epoch
	if p.spec, err = applyFlags(c, latest.Spec, true); err != nil {
		return err
	}
	if err := p.identify(c, stderr); err != nil {
		return err
	}
	if what := changed(latest, p.spec, p.identity); what != "" {
		if !c.Bool(flagNewEpoch) {
			return usagef("resume campaign %s: %s changed, and attempts of different programs must not be counted together: add --new-epoch to count apart, or start a new campaign", folder.ID(), what)
		}
		p.epoch++
	}
	return p.somethingLeft()
}

// take locks a campaign, folds its journal and makes the plan one for its next session; it returns how the latest
// began, which is nothing where there was none.
func (p *plan) take(folder *campaign.Folder) (latest run.Began, err error) {
	if p.lock, err = folder.Lock(context.Background(), lockWait, time.Now()); err != nil {
		return latest, err
	}
	if p.figures, err = readTally(folder); err != nil {
		return latest, err
	}
	_, latest = p.figures.Began()
	p.resumed, p.session = folder, latest.Session+1
	return latest, nil
}

// changed names the first thing that makes attempts not comparable with those on record, or "". When to
// stop and what to keep may change freely.
func changed(before run.Began, spec run.Spec, now run.Identity) string {
	was := before.Spec
	for _, part := range []struct {
		name     string
		old, new any
	}{
		{"the command", was.Command, spec.Command},
		{"the program or a file it is given", before.Identity.Hashes, now.Hashes},
		{"-j", was.Width, spec.Width},
		{"what counts as a failure", was.Oracle, spec.Oracle},
		{"the time-out", was.Timeout, spec.Timeout},
		{"--limit or --weak", was.Limits, spec.Limits},
		{"--load", was.Load, spec.Load},
		{"--sched", was.Sched == schedOff, spec.Sched == schedOff}, // the same attempt is another variant without
		{"--chaos, --max-hold or --chaos-budget", was.Chaos, spec.Chaos},
		{"--ports", was.Ports, spec.Ports},
		{"--seed", was.Seed, spec.Seed},
	} {
		if !reflect.DeepEqual(part.old, part.new) {
			return part.name
		}
	}
	return ""
}

// somethingLeft refuses to resume a campaign whose stop rule holds already.
func (p *plan) somethingLeft() error {
	figures, stop := p.figures, p.spec.Stop
	counts := figures.Counts()
	switch {
	case stop.Runs > 0 && counts.Total() >= stop.Runs:
		return usagef("resume campaign %s: all %d attempts are made: ask for more with --runs", figures.Campaign(), stop.Runs)
	case stop.Failures > 0 && counts.Failures() >= stop.Failures:
		return usagef("resume campaign %s: it has its %d failures: ask for more with --failures", figures.Campaign(), stop.Failures)
	case stop.For > 0 && figures.Elapsed() >= stop.For:
		return usagef("resume campaign %s: its %v are over: ask for more with --for", figures.Campaign(), stop.For)
	}
	return nil
}
