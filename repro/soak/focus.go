package soak

import (
	"maps"
	"math"
	"slices"
)

// favour is how much more weight a favoured choice has.
const favour = 4

// Focused settles what the attempts of a soak are given: the plan alone that lets a fix be shown in the least time, or all
// plans in their proportions where that is sooner. cost is as Baseline.Cost; favoured are the plans that are expected, whatever the baseline
// saw, to tell the most.
//
// The plan is chosen by how often it failed, and what was chosen so looks worse than it is. That is paid for: the
// evidence of any choice is divided by one over its weight, and the weights of all choices add up to one. Each of them by
// itself expects at most 1, so their weighted sum does, and the one that was chosen is never more than that sum. That holds for
// weights that do not depend on the counts: a favoured choice has favour times the weight of another.
func (b Baseline) Focused(o Options, cost map[string]float64, favoured []string) Baseline {
	plans := slices.Sorted(maps.Keys(b.Plans))
	plans = slices.DeleteFunc(plans, func(plan string) bool { return b.Plans[plan].Attempts == 0 })
	if len(plans) < 2 {
		return b
	}
	weights, sum := map[string]float64{}, 1.0 // all plans together weigh 1
	for _, plan := range plans {
		if weights[plan] = 1; slices.Contains(favoured, plan) {
			weights[plan] = favour
		}
		sum += weights[plan]
	}
	best := b
	best.Cost = cost
	best.Weight = 1 / sum
	least := best.wait(o)
	for _, plan := range plans {
		alone := best
		alone.Focus, alone.Beside, alone.Weight = plan, b.others(plan), weights[plan]/sum
		if wait := alone.wait(o); wait < least {
			best, least = alone, wait
		}
	}
	return best
}

// wait is how long it takes, one attempt after another, until FIXED is shown if nothing fails any more.
func (b Baseline) wait(o Options) float64 {
	t := Against(b, o)
	same, all := t.views()
	more := t.opts.outlook(same, all, 0)
	if more < 0 {
		return math.Inf(1)
	}
	sum := 0.0
	for plan, c := range b.given() {
		sum += float64(c.Attempts) * b.Cost[plan]
	}
	wait := float64(more) * sum / float64(b.total().Attempts)
	for plan, n := range t.needs {
		wait += float64(n) * b.Cost[plan]
	}
	return wait
}

// given are the plans that attempts are given, with what is known of them.
func (b Baseline) given() map[string]Count {
	if b.Focus == "" {
		return b.Plans
	}
	return map[string]Count{b.Focus: b.Plans[b.Focus]}
}

// left tells whether an attempt's plan is none of those given: what it was to be given could not be carried out.
func (b Baseline) left(plan string) bool { return b.Focus != "" && plan != b.Focus }
