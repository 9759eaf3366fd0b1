package main

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"reflect"

	"github.com/urfave/cli/v2"

	"heisen/repro/provenance"
	"heisen/stress/campaign"
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
	epoch    int
	session  int
	// selfStats asks for a line on what measuring cost.
	selfStats bool
	// resumed is the campaign to go on with, nil for a new one.
	resumed *campaign.Folder
}

// planHunt turns the command line into a plan. Whatever the user got wrong is told here, before anything
// is made or started.
func planHunt(c *cli.Context) (*plan, error) {
	p := &plan{store: campaign.NewStore(c.String(flagDir)), epoch: 1, session: 1, selfStats: c.Bool(flagSelfStats)}
	var err error
	if c.IsSet(flagResume) {
		err = p.resume(c)
	} else {
		err = p.begin(c)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (p *plan) begin(c *cli.Context) (err error) {
	if c.Bool(flagNewEpoch) {
		return usagef("--new-epoch goes with --resume")
	}
	if p.spec, err = applyFlags(c, run.Spec{}, false); err != nil {
		return err
	}
	p.complete(c.IsSet(flagSeed))
	p.identity = provenance.Identify(p.spec.Command)
	return nil
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

func (p *plan) resume(c *cli.Context) error {
	folder, err := p.store.Open(c.String(flagResume))
	if err != nil {
		return err
	}
	figures, err := readTally(folder)
	if err != nil {
		return err
	}
	_, latest := figures.Began()
	if latest.Session == 0 {
		return fmt.Errorf("resume campaign %s: it never began: start a new one", folder.ID())
	}
	p.resumed, p.session, p.epoch = folder, latest.Session+1, latest.Epoch
	if p.spec, err = applyFlags(c, latest.Spec, true); err != nil {
		return err
	}
	p.identity = provenance.Identify(p.spec.Command)
	if what := changed(latest, p.spec, p.identity); what != "" {
		if !c.Bool(flagNewEpoch) {
			return usagef("resume campaign %s: %s changed, and attempts of different programs must not be counted together: add --new-epoch to count apart, or start a new campaign", folder.ID(), what)
		}
		p.epoch++
	}
	return p.somethingLeft(figures)
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
func (p *plan) somethingLeft(figures *tally.Tally) error {
	counts, stop := figures.Counts(), p.spec.Stop
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
