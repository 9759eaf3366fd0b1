package minimize

import "heisen/stress/stats"

// State is everything a run has seen. It may be written as JSON after every Progress and handed to a later Run with
// the same plan and options, which goes through the same steps and asks only what is not answered there. The zero
// value is a fresh start.
type State struct {
	// Full and Plain are attempts of the whole plan and of none of its holds, from which the bar is set.
	Full  Tally `json:"full"`
	Plain Tally `json:"plain"`
	// Bar is set once; every question is asked against it.
	Bar *Bar `json:"bar,omitempty"`
	// Questions are the tallies of candidates that were asked about, by candidate.
	Questions map[string]*Tally `json:"questions,omitempty"`
	// Duels are comparisons of a longer hold, or one condition more, with the candidate without, by both.
	Duels map[string]*Duel `json:"duels,omitempty"`
	// Final are the fresh attempts of the result, by candidate.
	Final map[string]*Tally `json:"final,omitempty"`
	// Spent is the number of all judged attempts.
	Spent int64 `json:"spent"`
}

// Bar is what a candidate has to reach: it reproduces if its rate is High or more, and does not if it is Low or
// less.
type Bar struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Duel pairs attempts of two candidates.
type Duel struct {
	Pairs stats.Pairs `json:"pairs"`
	Count int64       `json:"count"`
}

// of returns the value under a key, a new one where there is none.
func of[T any](m *map[string]*T, key string) *T {
	if *m == nil {
		*m = map[string]*T{}
	}
	if (*m)[key] == nil {
		(*m)[key] = new(T)
	}
	return (*m)[key]
}
