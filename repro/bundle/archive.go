package bundle

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"sync"

	"heisen/repro/provenance"
	"heisen/stress/durable"
	"heisen/stress/interleave"
	"heisen/stress/run"
)

// Names under which kept passes are counted and filed, beside the signatures: those of a sample, and those
// kept because their interleaving was new.
const (
	PassKey    = "pass"
	VariantKey = "variant"
)

// Signer gives a failure its identity. Reports are the JUnit files the attempt left in its temp folder,
// joined. It is called from several goroutines.
type Signer func(fin *run.Finished, res *run.Result, reports []byte) Signature

// Facts are what all bundles of one session share.
type Facts struct {
	Campaign string
	Version  string
	Epoch    int
	Spec     run.Spec
	Tier     run.Tier
	Identity run.Identity
	Git      provenance.Git
	Host     provenance.Host
	// Environ is what attempts inherit from heisen, NAME=value; Spec.Command.Env comes on top.
	Environ []string
}

// ArchiverConfig is what an Archiver needs to know.
type ArchiverConfig struct {
	// Dir is the campaign's folder.
	Dir   string
	Facts Facts
	Sign  Signer
	// Kept is how many bundles the journal names already, by signature, PassKey and VariantKey.
	Kept map[string]int
	// Compare sets a failure against the nearest passing attempt so far; nil for none, or where there is nothing
	// to compare with. It is called from several goroutines.
	Compare func(res *run.Result) *interleave.Divergence
	// Met are the variants of the campaign's attempts so far.
	Met        []string
	TempLimits TempLimits
	Fail       durable.Failpoints
}

// Archiver files the evidence of attempts. It is safe for concurrent use.
//
// Failures of the test (fail, crash, timeout) and attempts that ran out of memory get a signature; the
// first Spec.Keep.Failures of each have a bundle, the others a record with the end of their output. Passes
// are sampled (see sampling), and the first with a new interleaving are kept as its exemplars. Nothing is filed for the other outcomes: start_failed, killed,
// harness_error, skip and cancelled say nothing about the test, and their cause is in the journal.
type Archiver struct {
	cfg    ArchiverConfig
	sample sampling

	mu   sync.Mutex
	kept map[string]int
	met  map[string]bool // variants; no more are added once no exemplar may be kept
	// filed holds what was archived in this session, so that archiving an attempt again (its journal record
	// met a full disk) neither writes nor counts twice. Only bundles are in it, whose number is bounded.
	filed map[tryKey]*run.Filed
}

type tryKey struct {
	seq int64
	try int
}

// NewArchiver returns an Archiver for one session of a campaign.
func NewArchiver(cfg ArchiverConfig) (*Archiver, error) {
	if cfg.Sign == nil {
		return nil, errors.New("new archiver: no signer")
	}
	kept := maps.Clone(cfg.Kept)
	if kept == nil {
		kept = make(map[string]int)
	}
	met := make(map[string]bool, len(cfg.Met))
	for _, variant := range cfg.Met {
		met[variant] = true
	}
	return &Archiver{
		cfg: cfg, kept: kept, met: met, filed: make(map[tryKey]*run.Filed),
		sample: newSampling(cfg.Facts.Spec.Stop.Runs, cfg.Facts.Spec.Keep.Passes),
	}, nil
}

// Archive files the evidence of one attempt before its journal record is written. It returns nil, nil for
// what is not filed, such as a pass that is not sampled. After an error nothing is filed and Archive can be
// called again; durable.IsNoSpace tells that the disk is full.
func (a *Archiver) Archive(at run.Attempt, fin *run.Finished, res *run.Result) (*run.Filed, error) {
	switch {
	case fin.Outcome.Failed() || fin.Outcome == run.OOM:
		return a.failure(at, fin, res)
	case fin.Outcome == run.Pass && fin.Chaos == nil: // kept to compare with, so left alone
		return a.pass(at, fin, res)
	}
	return nil, nil
}

func (a *Archiver) failure(at run.Attempt, fin *run.Finished, res *run.Result) (*run.Filed, error) {
	a.meet(fin.Variant)
	sig := a.cfg.Sign(fin, res, junitReports(at.Temp))
	key := tryKey{fin.Seq, fin.Try}
	filed, room := a.reserve(key, sig.ID, func(kept int) bool { return kept < a.cfg.Facts.Spec.Keep.Failures })
	if filed != nil {
		return filed, nil
	}
	filed = &run.Filed{Signature: sig.ID, Title: sig.Title, Parts: sig.Parts()}
	if !room {
		filed.Tail = tail(res.Evidence.Output.Bytes())
		return filed, nil
	}
	c := a.contents(at, fin, res)
	c.Manifest.Signature = &sig
	if a.cfg.Compare != nil {
		c.Divergence = a.cfg.Compare(res)
	}
	c.Temp = at.Temp
	return a.write(key, sig.ID, folderFor(sig.ID), c, filed)
}

func (a *Archiver) pass(at run.Attempt, fin *run.Finished, res *run.Result) (*run.Filed, error) {
	key := tryKey{fin.Seq, fin.Try}
	filed, room := a.reserve(key, VariantKey, func(kept int) bool {
		if kept >= a.cfg.Facts.Spec.Keep.Variants || fin.Variant == "" || a.met[fin.Variant] {
			return false
		}
		a.met[fin.Variant] = true // here, for another attempt may end with the same at once
		return true
	})
	if filed != nil {
		return filed, nil
	}
	if room {
		c := a.contents(at, fin, res)
		c.Manifest.Exemplar = true
		filed, err := a.write(key, VariantKey, VariantKey, c, &run.Filed{Exemplar: true})
		if err != nil {
			a.forget(fin.Variant)
		}
		return filed, err
	}
	filed, room = a.reserve(key, PassKey, func(kept int) bool { return a.sample.due(fin.Seq, kept) })
	if filed != nil || !room {
		return filed, nil
	}
	return a.write(key, PassKey, PassKey, a.contents(at, fin, res), &run.Filed{})
}

// meet notes that a variant is no longer new, while that matters.
func (a *Archiver) meet(variant string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if variant != "" && a.kept[VariantKey] <= a.cfg.Facts.Spec.Keep.Variants && len(a.met) < maxMet {
		a.met[variant] = true
	}
}

// forget takes it back: its exemplar could not be written and will be tried again.
func (a *Archiver) forget(variant string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.met, variant)
}

// maxMet bounds the variants that are remembered. There are more only where failures alone bring new ones.
const maxMet = 100_000

// reserve takes a place among the kept before anything is written: two failures of one signature that end
// at once must not both take the last one. It returns what was filed for this try before, if anything.
func (a *Archiver) reserve(key tryKey, name string, room func(kept int) bool) (*run.Filed, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if filed := a.filed[key]; filed != nil {
		again := *filed
		return &again, true
	}
	if !room(a.kept[name]) {
		return nil, false
	}
	a.kept[name]++
	return nil, true
}

// write files a bundle in the place that was reserved, and gives the place back if it cannot.
func (a *Archiver) write(key tryKey, name, folder string, c Contents, filed *run.Filed) (*run.Filed, error) {
	ref, err := Write(a.cfg.Dir, path.Join(folder, fmt.Sprintf("%08d", key.seq)), c)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.kept[name]--
		return nil, err
	}
	filed.Bundle, filed.Hash = ref.Path, ref.ManifestHash
	again := *filed
	a.filed[key] = &again
	return filed, nil
}

// contents puts together all but the signature and the temp folder.
func (a *Archiver) contents(at run.Attempt, fin *run.Finished, res *run.Result) Contents {
	f := &a.cfg.Facts
	epoch := fin.Epoch
	if epoch == 0 {
		epoch = f.Epoch
	}
	return Contents{
		Output: &res.Evidence.Output, DumpAt: res.Evidence.DumpAt,
		Trace: res.Evidence.Trace, Spans: res.Evidence.Spans, Plan: res.Evidence.Plan,
		TempLimits: a.cfg.TempLimits, Fail: a.cfg.Fail,
		Manifest: Manifest{
			Heisen: f.Version, Campaign: f.Campaign, Epoch: epoch,
			Attempt: Attempt{
				Seq: at.Seq, Try: at.Try, Seed: at.Seed, CampaignSeed: f.Spec.Seed, Slot: at.Slot,
				PortBase: at.PortBase, Ports: f.Spec.Ports, Running: at.Running,
				Temp: Text(at.Temp), Timeout: at.Timeout.Microseconds(),
			},
			Command: commandOf(f.command(at), at), Hashes: f.Identity.Hashes, Git: f.Git,
			Environment: environmentOf(f, at), Host: f.Host, Tier: f.Tier,
			Ending: endingOf(fin, res), Timing: timingOf(res),
			Variant: fin.Variant, Chaos: fin.Chaos, Conditions: conditionsOf(&f.Spec),
			Leaks: res.Evidence.Leaks, HeldOpen: res.Evidence.HeldOpen,
			NotCollected: res.Evidence.NotCollected,
		},
	}
}

func conditionsOf(s *run.Spec) *Conditions {
	return &Conditions{Width: s.Width, Load: s.Load, Limits: s.Limits, Oracle: s.Oracle, Timeout: s.Timeout}
}

// command is what the attempt ran.
func (f *Facts) command(at run.Attempt) run.Command {
	if at.Instead != nil {
		return *at.Instead
	}
	return f.Spec.Command
}

func commandOf(cmd run.Command, at run.Attempt) Command {
	expanded := make([]string, len(cmd.Args))
	for i, arg := range cmd.Args {
		expanded[i] = at.Expand(arg)
	}
	return Command{
		Given: texts(cmd.Args), Args: texts(expanded),
		Path: Text(cmd.Path), Dir: Text(at.Expand(cmd.Dir)),
	}
}

func environmentOf(f *Facts, at run.Attempt) Environment {
	environ := slices.Clone(f.Environ)
	for _, entry := range f.command(at).Env {
		environ = append(environ, at.Expand(entry))
	}
	values, names := provenance.Environment(append(environ, at.Environ()...))
	env := Environment{Values: make(map[string]Text, len(values)), Names: texts(names)}
	for name, value := range values {
		env.Values[name] = Text(value)
	}
	return env
}

func endingOf(fin *run.Finished, res *run.Result) Ending {
	e := res.Ending
	return Ending{
		Outcome: fin.Outcome, Cause: fin.Cause, Code: e.Code, Signal: e.Signal, SignalName: e.SignalName,
		CoreDumped: e.CoreDumped, TimedOut: e.TimedOut, OOMKills: e.OOMKills,
		Machine: e.Machine, Harness: e.Harness,
	}
}

func timingOf(res *run.Result) Timing {
	return Timing{
		Started: res.Started, Wall: res.Wall.Microseconds(),
		User: res.Usage.User.Microseconds(), System: res.Usage.System.Microseconds(),
		Suspended: res.Ending.Suspended.Microseconds(), MaxRSS: res.Usage.MaxRSS,
	}
}
