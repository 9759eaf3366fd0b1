package soak

import (
	"math"
	"time"
)

// Verdict is what a soak says.
type Verdict string

// The verdicts. Their text is what people and scripts read.
const (
	// Fixed: failures, old ones and new ones together, became rarer by at least the factor, and none was the old one.
	Fixed Verdict = "FIXED"
	// NotFixed: the same failure did not become rarer by the factor.
	NotFixed Verdict = "NOT FIXED"
	// Perturbed: the same failure became rarer, but not by the factor; or by the factor, and it came all the same.
	Perturbed Verdict = "PERTURBED"
	// Different: with failures that were never seen before the change, it did not become rarer by the factor.
	Different Verdict = "DIFFERENT FAILURE"
	// CannotTell: more attempts are needed.
	CannotTell Verdict = "CANNOT TELL YET"
)

// Options are what is asked of a verdict. The zero value asks for the usual: a factor of 10 at 99 %.
type Options struct {
	// Factor is by how much the failure must have become rarer, over 1; 0 for 10.
	Factor float64 `json:"factor"`
	// Confidence bounds the chance that a verdict is wrong, over 0 and below 1; 0 for 0.99.
	Confidence float64 `json:"confidence"`
}

func (o Options) normal() Options {
	if o.Factor == 0 {
		o.Factor = 10
	}
	if o.Confidence == 0 {
		o.Confidence = 0.99
	}
	return o
}

func (o Options) alpha() float64 { return 1 - o.Confidence }

// Finding is a verdict with what it rests on.
type Finding struct {
	Verdict    Verdict `json:"verdict"`
	Attempts   int64   `json:"attempts"`
	Failures   int64   `json:"failures"` // with a target signature
	New        int64   `json:"new_failures"`
	Baseline   Count   `json:"baseline"`
	Plan       string  `json:"plan,omitempty"` // of all attempts that are counted, before and after; empty for several
	Confidence float64 `json:"confidence"`
	Factor     float64 `json:"factor"`
	// Beside counts attempts under other plans that failed before, where attempts are given one plan; nil where not.
	Beside *Beside `json:"beside,omitempty"`
	// StillThere tells of PERTURBED that it is so because the failure became rarer and came again, not because it is shown not to
	// be rarer by the factor; ByFactor that it did become rarer by the factor.
	StillThere bool `json:"still_there,omitempty"`
	ByFactor   bool `json:"by_factor,omitempty"`
	// More is how many further attempts after the change decide it, if they go on as they did so far; 0 where it is
	// decided, -1 where no number in sight does.
	More int64 `json:"more"`
	// About is how long they take; 0 where that is not known.
	About    time.Duration `json:"about_ns,omitempty"`
	Sentence string        `json:"sentence"`
}

// Finding reads the evidence of the attempts counted so far. pace is the mean time from the start of one counted
// attempt after the change to the next, 0 where it is not known.
func (t *Tracker) Finding(pace time.Duration) Finding {
	f := Finding{Confidence: t.opts.Confidence, Factor: t.opts.Factor, Baseline: t.base.total(), Plan: t.base.Focus, Beside: t.seenBeside()}
	if t.paired {
		f.Baseline = t.before
	}
	seen, fresh := t.sum(t.after)
	f.Attempts, f.Failures, f.New = seen.Attempts, seen.Failures, fresh
	same, all := t.views()
	f.Verdict = t.opts.decide(same, all)
	if f.Verdict == Perturbed {
		f.StillThere, f.ByFactor = !t.opts.stayed(same), t.opts.rarer(all)
	}
	if f.Verdict == CannotTell {
		f.More = t.opts.outlook(same, all, f.Attempts)
		f.About = time.Duration(max(f.More, 0)) * pace
	}
	f.Sentence = t.sentence(f)
	return f
}

// views are the evidence by the target's failures alone, and by those and new ones.
func (t *Tracker) views() (same, all evidence) {
	return t.view(t.target), t.view(func(s string) bool { return t.target(s) || t.fresh(s) })
}

// verdict is the finding's, without the outlook, which takes far longer.
func (t *Tracker) verdict() Verdict { return t.opts.decide(t.views()) }

// rarer tells whether failures are shown to have become rarer by the factor.
func (o Options) rarer(all evidence) bool {
	return all.fellBelow(1/o.Factor) >= -math.Log(o.alpha())
}

// stayed tells whether failures are shown not to have become rarer by the factor.
func (o Options) stayed(e evidence) bool {
	return e.stayedAbove(1/o.Factor) >= -math.Log(o.alpha())
}

// decide is the rule. What came again is not fixed, however rare it became and under whatever plan: a sleep in the right
// place makes a race a hundred times rarer and mends nothing. So once it is shown to be rarer at all, more attempts could only tell
// how much rarer, and close to the factor that would take for ever. Where both are shown that failures did not become rarer by the factor, those of the
// target signature by themselves come first: they need no new failure to say so.
func (o Options) decide(same, all evidence) Verdict {
	gone := same.failed() == 0
	switch {
	case gone && o.rarer(all) && same.askedAll():
		return Fixed
	case !gone && (o.rarer(all) || same.fellBelow(1) >= -math.Log(o.alpha())):
		return Perturbed
	case o.stayed(same):
		return NotFixed
	case o.stayed(all):
		return Different
	}
	return CannotTell
}
