package soak

import (
	"maps"
	"slices"
)

// Schedule chooses the plan of each attempt after the change so that at every moment plans have been started in
// proportion to the attempts they had before. Evidence from plans that lag behind is weak. It is not safe for
// concurrent use.
type Schedule struct {
	plans   []string
	weight  []float64
	started []float64
}

// Schedule returns the one that fits the baseline; plans without an attempt are left out.
func (b Baseline) Schedule() *Schedule {
	weights := make(map[string]int64, len(b.Plans))
	for plan, c := range b.given() {
		weights[plan] = c.Attempts
	}
	return scheduleOf(weights)
}

func scheduleOf(weights map[string]int64) *Schedule {
	s := &Schedule{}
	for _, plan := range slices.Sorted(maps.Keys(weights)) {
		if weights[plan] > 0 {
			s.plans = append(s.plans, plan)
			s.weight = append(s.weight, float64(weights[plan]))
		}
	}
	s.started = make([]float64, len(s.plans))
	return s
}

// Next is the plan for the next attempt; "" where the baseline has none.
func (s *Schedule) Next() string {
	best := -1
	for i := range s.plans {
		if best < 0 || (s.started[i]+1)/s.weight[i] < (s.started[best]+1)/s.weight[best] {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	s.started[best]++
	return s.plans[best]
}
