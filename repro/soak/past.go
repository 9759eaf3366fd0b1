package soak

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"heisen/stress/run"
)

const (
	// plain names the plan of attempts that were left alone.
	plain = "plain"
	// mostSeeds is of how many attempts of a plan the seeds are kept, to be given out again.
	mostSeeds = 4096
	// mostKinds bounds the signatures that are told apart; a test that prints random words has as many as failures.
	mostKinds = 2000
	// otherKind stands for those beyond it.
	otherKind = "(other)"
)

// planOf names the conditions an attempt really ran under: the strategy that disturbed its schedule, or none.
func planOf(fin run.Finished) string {
	if fin.Chaos == nil {
		return plain
	}
	return fin.Chaos.Strategy
}

// signatureOf is a failure's identity.
func signatureOf(fin run.Finished) string {
	if fin.Filed == nil {
		return ""
	}
	return fin.Filed.Signature
}

// partsOf are the identities of what failed in it, where it was several things.
func partsOf(fin run.Finished) []string {
	if fin.Filed == nil {
		return nil
	}
	return fin.Filed.Parts
}

// Past folds the events of a campaign that is over into a baseline. Only its latest epoch counts. The zero value is
// ready.
type Past struct {
	latest run.Began
	ended  *run.Ended
	seen   numbers
	plans  map[string]*pastPlan
	kinds  map[string][]string // signatures, with their parts
}

// pastPlan is what is on record of one plan.
type pastPlan struct {
	attempts int64
	wall     time.Duration
	cpu      time.Duration // of the test and of what disturbed it
	failed   map[string]int64
	seeds    []uint64
}

// Add folds one event.
func (p *Past) Add(e run.Event) {
	switch e := e.(type) {
	case run.Began:
		if p.plans == nil || e.Epoch != p.latest.Epoch {
			p.plans, p.kinds = map[string]*pastPlan{}, map[string][]string{}
		}
		p.latest, p.ended = e, nil
	case run.Finished:
		p.finished(e)
	case run.Ended:
		p.ended = &e
	}
}

func (p *Past) finished(fin run.Finished) {
	if p.plans == nil || !p.seen.add(fin.Seq) || !fin.Outcome.Judged() || fin.Epoch != 0 && fin.Epoch != p.latest.Epoch {
		return
	}
	of := p.plans[planOf(fin)]
	if of == nil {
		of = &pastPlan{failed: map[string]int64{}}
		p.plans[planOf(fin)] = of
	}
	of.attempts++
	of.wall += time.Duration(fin.Wall) * time.Microsecond
	of.cpu += time.Duration(fin.User+fin.System) * time.Microsecond
	if fin.Chaos != nil {
		of.cpu += time.Duration(fin.Chaos.Tracer) * time.Microsecond
	}
	if len(of.seeds) < mostSeeds {
		of.seeds = append(of.seeds, fin.Seed)
	}
	if fin.Outcome.Failed() {
		kind, parts := signatureOf(fin), partsOf(fin)
		if _, known := p.kinds[kind]; !known && len(p.kinds) >= mostKinds {
			kind, parts = otherKind, nil
		}
		p.kinds[kind] = parts
		of.failed[kind]++
	}
}

// Latest is the opening of the latest session.
func (p *Past) Latest() run.Began { return p.latest }

// Baseline is what the campaign says of failures with a target signature or a part of one, of all signatures where none
// is named, and the seeds of its attempts by plan, in the order in which they ended. It is an error if there is nothing
// to compare with.
func (p *Past) Baseline(target ...string) (Baseline, map[string][]uint64, error) {
	if len(target) == 0 {
		target = slices.Collect(maps.Keys(p.kinds))
	}
	b := Baseline{Plans: map[string]Count{}, Target: p.withParts(target)}
	var same, others []string
	targets := setOf(b.Target)
	for kind, parts := range p.kinds {
		if targets.touches(kind, parts) {
			same = append(same, kind)
		} else {
			others = append(others, kind)
		}
	}
	b.Known = p.withParts(others)
	seeds := map[string][]uint64{}
	for name, of := range p.plans {
		c := Count{Attempts: of.attempts}
		for _, kind := range same {
			c.Failures += of.failed[kind]
		}
		b.Plans[name], seeds[name] = c, of.seeds
	}
	if b.total().Failures == 0 {
		return b, nil, fmt.Errorf("no failure to compare with is on record")
	}
	if why := p.unplanned(); why != "" {
		b.Differs = append(b.Differs, why)
	}
	return b, seeds, nil
}

// Costs is how long a judged attempt of each plan keeps a machine with so many CPUs, in seconds, where -j of them run at
// once: its share of the places, or of the CPUs with what its tracer took, whichever is more.
func (p *Past) Costs(cpus int) map[string]float64 {
	mean := map[string]float64{}
	for name, of := range p.plans {
		n := float64(max(of.attempts, 1))
		mean[name] = max(of.wall.Seconds()/n/float64(max(p.latest.Spec.Width, 1)), of.cpu.Seconds()/n/float64(max(cpus, 1)))
	}
	return mean
}

// withParts lists signatures and their parts, each once, sorted.
func (p *Past) withParts(kinds []string) []string {
	list := slices.Clone(kinds)
	for _, kind := range kinds {
		list = append(list, p.kinds[kind]...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// unplanned says that the campaign's end was not fixed beforehand; "" where it was.
func (p *Past) unplanned() string {
	switch {
	case p.ended == nil:
		return "an end that nobody fixed beforehand (heisen was killed)"
	case p.ended.Reason == run.ReasonRuns || p.ended.Reason == run.ReasonTime || p.ended.Reason == run.ReasonFailures:
		return ""
	}
	return fmt.Sprintf("an end that nobody fixed beforehand (%s)", p.ended.Reason)
}

// numbers is a set of attempts' numbers, a bit each.
type numbers []uint64

// add puts in a number and tells whether it is new.
func (s *numbers) add(n int64) bool {
	if n < 0 {
		return false
	}
	word, bit := int(n/64), uint64(1)<<(n%64)
	if word >= len(*s) {
		*s = append(*s, make([]uint64, word+1-len(*s))...)
	}
	fresh := (*s)[word]&bit == 0
	(*s)[word] |= bit
	return fresh
}
