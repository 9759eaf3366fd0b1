package soak

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"heisen/stress/run"
	"heisen/stress/stats"
)

// Side tells which program an attempt ran.
type Side int

// The two sides of a comparison.
const (
	After Side = iota
	Before
)

// Attempt is what a verdict needs to know of one attempt.
type Attempt struct {
	// Seq numbers the attempts of both sides from 1, without gaps, in the order in which they were started.
	Seq int64
	// Side is the program it ran; Before only where both sides are run in turn.
	Side Side
	// Pair is shared by the two attempts that were given the same plan and seed; 0 where a baseline is known.
	Pair int64
	// Plan names the conditions, which have a failure rate of their own.
	Plan    string
	Outcome run.Outcome
	// Signature is the failure's; "" where none was found is a signature like any other.
	Signature string
	// Parts are the signatures of each thing that failed, where there were several.
	Parts []string
}

// Count is a number of judged attempts and how many of them failed.
type Count struct {
	Attempts int64 `json:"attempts"`
	Failures int64 `json:"failures"`
}

// Baseline is what is known of the failure before the change.
type Baseline struct {
	// Plans counts judged attempts and failures with a target signature, by plan. They must be fresh: the
	// attempts for which a plan was chosen flatter it. What ended them must have been fixed beforehand: a number of
	// attempts, a time, or a number of failures.
	Plans map[string]Count `json:"plans"`
	// Focus is the one plan that attempts are given; empty for all of Plans in their proportions. Weight is that choice's
	// share of all that could have been made, 0 where there was none to make.
	Focus  string  `json:"focus,omitempty"`
	Weight float64 `json:"weight,omitempty"`
	// Beside are the plans that are asked beside the focus; none in the soaks of a heisen that asked none.
	Beside []string `json:"beside,omitempty"`
	// Cost is how long an attempt of each plan keeps the machine, in seconds.
	Cost map[string]float64 `json:"cost_seconds,omitempty"`
	// Target lists the signatures that the change is meant to remove, and those of their parts.
	Target []string `json:"target"`
	// Known lists other signatures that were there before, with their parts. They are neither the target nor new, and
	// not counted.
	Known []string `json:"known,omitempty"`
	// Differs names what was not the same before ("another machine"): it weakens every sentence.
	Differs []string `json:"differs,omitempty"`
}

// total adds up the plans that attempts are given.
func (b Baseline) total() (c Count) {
	for _, p := range b.given() {
		c.Attempts += p.Attempts
		c.Failures += p.Failures
	}
	return c
}

// idSet is a set of signatures.
type idSet map[string]bool

func setOf(ids []string) idSet {
	set := idSet{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// touches tells whether a failure is in the set or has a part there. A run of many tests has a signature for each set of
// them that fails: two sets that overlap are the same failure.
func (s idSet) touches(signature string, parts []string) bool {
	return s[signature] || slices.ContainsFunc(parts, func(part string) bool { return s[part] })
}

// Tracker takes in attempts one by one, in any order, and counts them in the order in which they were started:
// an attempt that hangs is known later than one that passes, and counting as they come would find too few
// failures at every moment. It is not safe for concurrent use.
type Tracker struct {
	opts    Options
	base    Baseline
	next    int64
	waiting map[int64]Attempt
	after   map[string]*tally
	needs   map[string]int64  // attempts that are asked for under each plan that failed before and is not the focus
	beside  map[string]*tally // those there were
	paired  bool
	before  Count
	pairs   map[pairKey]int64
	open    map[int64]Attempt
	targets idSet
	known   idSet               // before and not the target; of the side before, where both are run in turn, all with their parts
	parts   map[string][]string // of each signature after
}

// tally counts one plan's attempts after the change.
type tally struct {
	attempts int64
	failed   map[string]int64
}

// failures adds up those of signatures that count.
func (t *tally) failures(counts func(signature string) bool) (n int64) {
	for signature, k := range t.failed {
		if counts(signature) {
			n += k
		}
	}
	return n
}

// sum adds tallies up: failures with a target signature, and new ones.
func (t *Tracker) sum(tallies map[string]*tally) (target Count, fresh int64) {
	for _, of := range tallies {
		target.Attempts += of.attempts
		target.Failures += of.failures(t.target)
		fresh += of.failures(t.fresh)
	}
	return target, fresh
}

// pairKey is what became of a pair.
type pairKey struct {
	before, after bool   // whether it failed
	signature     string // after's
}

// Against compares with a baseline.
func Against(b Baseline, o Options) *Tracker {
	t := newTracker(o)
	t.base, t.targets, t.known = b, setOf(b.Target), setOf(b.Known)
	if len(b.Beside) > 0 {
		t.needs = b.needs(t.opts, t.alone())
	}
	return t
}

// InTurn compares two programs that are run in turn, in pairs. Without targets every failure before is one.
func InTurn(target []string, o Options) *Tracker {
	t := newTracker(o)
	t.paired, t.targets = true, setOf(target)
	return t
}

func newTracker(o Options) *Tracker {
	return &Tracker{opts: o.normal(), next: 1, waiting: map[int64]Attempt{}, after: map[string]*tally{}, beside: map[string]*tally{},
		pairs: map[pairKey]int64{}, open: map[int64]Attempt{}, known: idSet{}, parts: map[string][]string{}}
}

// Add takes in an attempt that has ended, whatever its outcome. One that was added before is refused, and so is one
// that does not fit the comparison: those are faults of the caller.
func (t *Tracker) Add(a Attempt) error {
	_, twice := t.waiting[a.Seq]
	switch {
	case a.Seq < t.next || twice:
		return fmt.Errorf("add attempt %d to the soak: added before", a.Seq)
	case t.paired != (a.Pair != 0):
		return fmt.Errorf("add attempt %d to the soak: pair %d, where pairs are %t", a.Seq, a.Pair, t.paired)
	case a.Side == Before && !t.paired:
		return fmt.Errorf("add attempt %d to the soak: the baseline is closed", a.Seq)
	}
	t.waiting[a.Seq] = a
	for {
		a, ok := t.waiting[t.next]
		if !ok {
			return nil
		}
		delete(t.waiting, t.next)
		t.next++
		if t.paired {
			t.pair(a)
		} else if a.Outcome.Judged() {
			t.count(a)
		}
	}
}

// Waiting is how many attempts have ended but are not counted yet, because an earlier one still runs.
func (t *Tracker) Waiting() int { return len(t.waiting) }

func (t *Tracker) count(a Attempt) {
	tallies := t.after
	switch {
	case !t.base.left(a.Plan):
	case t.needs[a.Plan] > 0:
		tallies = t.beside
	default:
		return
	}
	of := tallies[a.Plan]
	if of == nil {
		of = &tally{failed: map[string]int64{}}
		tallies[a.Plan] = of
	}
	of.attempts++
	if a.Outcome.Failed() {
		of.failed[a.Signature]++
		t.parts[a.Signature] = a.Parts
	}
}

// pair counts a pair once both of its attempts are there. A pair with an attempt that says nothing says nothing.
func (t *Tracker) pair(a Attempt) {
	other, ok := t.open[a.Pair]
	if !ok {
		t.open[a.Pair] = a
		return
	}
	delete(t.open, a.Pair)
	before, after := a, other
	if before.Side != Before {
		before, after = other, a
	}
	if before.Side == after.Side || !before.Outcome.Judged() || !after.Outcome.Judged() {
		return
	}
	t.count(after)
	t.before.Attempts++
	hit := before.Outcome.Failed() && (len(t.targets) == 0 || t.targets.touches(before.Signature, before.Parts))
	if hit {
		t.before.Failures++
	}
	if before.Outcome.Failed() {
		for _, id := range append([]string{before.Signature}, before.Parts...) {
			t.known[id] = true
		}
	}
	key := pairKey{before: hit, after: after.Outcome.Failed()}
	if key.after {
		key.signature = after.Signature
	}
	t.pairs[key]++
}

// target tells whether a failure after the change is the one the change was meant to remove.
func (t *Tracker) target(signature string) bool {
	if t.paired && len(t.targets) == 0 {
		return t.known.touches(signature, t.parts[signature])
	}
	return t.targets.touches(signature, t.parts[signature])
}

// fresh tells whether nothing of a failure was seen before the change.
func (t *Tracker) fresh(signature string) bool {
	return !t.target(signature) && !t.known.touches(signature, t.parts[signature])
}

// evidence is one view of the counts: which failures after the change count.
type evidence struct {
	arms   []stats.Arms
	pairs  stats.Pairs
	paired bool
	// beside are the plans that are asked beside the focus, and besideFailed the failures there that count.
	beside       []asked
	besideFailed int64
	// weight divides it: the share of the choice that was made of what attempts are given.
	weight float64
}

// view collects the counts with only those failures after the change that counts says.
func (t *Tracker) view(counts func(signature string) bool) evidence {
	e := evidence{paired: t.paired, weight: cmp.Or(t.base.Weight, 1)}
	for key, n := range t.pairs {
		switch after := key.after && counts(key.signature); {
		case key.before && after:
			e.pairs.Both += n
		case key.before:
			e.pairs.OnlyBefore += n
		case after:
			e.pairs.OnlyAfter += n
		}
	}
	if t.paired {
		return e
	}
	given := t.base.given()
	plans := slices.Collect(maps.Keys(given))
	for plan := range t.after {
		if _, ok := given[plan]; !ok {
			plans = append(plans, plan)
		}
	}
	slices.Sort(plans)
	for _, plan := range plans {
		b := t.base.Plans[plan]
		arm := stats.Arms{Before: b.Attempts, BeforeFailed: b.Failures}
		if of := t.after[plan]; of != nil {
			arm.After, arm.AfterFailed = of.attempts, of.failures(counts)
		}
		e.arms = append(e.arms, arm)
	}
	e.beside, e.besideFailed = t.besides(counts)
	return e
}

// failed is how many failures after the change count, whatever plan they came under.
func (e evidence) failed() int64 {
	n := e.pairs.OnlyAfter + e.pairs.Both + e.besideFailed
	for _, a := range e.arms {
		n += a.AfterFailed
	}
	return n
}

func (e evidence) fellBelow(ratio float64) float64 {
	if e.paired {
		return e.pairs.FellBelow(ratio)
	}
	return stats.FellBelow(e.arms, ratio) + math.Log(e.weight)
}

func (e evidence) stayedAbove(ratio float64) float64 {
	if e.paired {
		return e.pairs.StayedAbove(ratio)
	}
	return stats.StayedAbove(e.arms, ratio) + math.Log(e.weight)
}
