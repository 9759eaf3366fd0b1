package soak

import (
	"maps"
	"math"
	"slices"
)

// besideMiss is the chance to which a plan beside the focus is asked whose failures did not become rarer by the factor: not to
// fail once in all its attempts.
const besideMiss = 0.05

// besideShare is how long the plans beside the focus may take in all, as a share of what the focus takes: they guard against a change that
// silences one plan alone, which comes again within a few attempts, and every attempt of theirs delays the answer.
const besideShare = 0.5

// Beside counts attempts under the plans that failed before and are not the focus. They are no evidence of a rate, but
// a failure that comes again under any of them is not gone.
type Beside struct {
	Plans []string `json:"plans"`
	Count          // Failures with a target signature
	New   int64    `json:"new_failures"`
}

// others are the plans beside a focus under which the failure came before, in the order of their names.
func (b Baseline) others(focus string) []string {
	plans := slices.Sorted(maps.Keys(b.Plans))
	return slices.DeleteFunc(plans, func(plan string) bool { return plan == focus || b.Plans[plan].Failures == 0 })
}

// needs is how many attempts each plan beside the focus is asked for: until a failure that did not become rarer by the
// factor would have come again, but all together no longer than besideShare of what the focus takes: an attempt
// that is stepped through can cost ten times as much as one under a switch interval. Half a failure
// and half a pass are added to what was seen before (Jeffreys), because nothing fails always.
func (b Baseline) needs(o Options, focus int64) map[string]int64 {
	needs := make(map[string]int64, len(b.Beside))
	for _, plan := range b.Beside {
		c := b.Plans[plan]
		rate := (float64(c.Failures) + 0.5) / (float64(c.Attempts) + 1) / o.Factor
		enough := int64(math.Ceil(math.Log(besideMiss) / math.Log1p(-rate)))
		share := besideShare * float64(focus) / float64(len(b.Beside)) * b.dearer(b.Focus, plan)
		needs[plan] = max(1, min(enough, int64(share)))
	}
	return needs
}

// dearer is how many attempts of the other plan cost as much as one of the first; 1 where that is not known.
func (b Baseline) dearer(plan, other string) float64 {
	if b.Cost[plan] <= 0 || b.Cost[other] <= 0 {
		return 1
	}
	return b.Cost[plan] / b.Cost[other]
}

// alone is how many attempts the focus takes until FIXED is shown, if nothing fails any more; as many as it had before where
// that is out of sight.
func (t *Tracker) alone() int64 {
	same, all := t.views()
	if n := t.opts.outlook(same, all, 0); n > 0 {
		return n
	}
	return t.base.total().Attempts
}

// asked is one plan beside the focus: how many attempts it is to have, and how many were judged.
type asked struct{ need, attempts int64 }

// besides is what was seen of them, with only those failures that count.
func (t *Tracker) besides(counts func(signature string) bool) (plans []asked, failed int64) {
	for plan, need := range t.needs {
		a := asked{need: need}
		if of := t.beside[plan]; of != nil {
			a.attempts = of.attempts
			failed += of.failures(counts)
		}
		plans = append(plans, a)
	}
	return plans, failed
}

// seenBeside is what a finding says of them; nil where there are none.
func (t *Tracker) seenBeside() *Beside {
	if len(t.needs) == 0 {
		return nil
	}
	b := &Beside{Plans: t.base.Beside}
	b.Count, b.New = t.sum(t.beside)
	return b
}

// askedAll tells whether every plan beside the focus had its attempts.
func (e evidence) askedAll() bool {
	return !slices.ContainsFunc(e.beside, func(a asked) bool { return a.attempts < a.need })
}
