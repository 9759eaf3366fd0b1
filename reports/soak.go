package reports

import (
	"fmt"
	"maps"
	"slices"

	"heisen/repro/soak"
)

// Soak is what the attempts of a soak show of the question it was asked.
type Soak struct {
	// Finding is the verdict with what it rests on; nil where the soak compares with nothing.
	*soak.Finding
	// Bound is what there is where nothing is compared with.
	Bound *SoakBound `json:"bound,omitempty"`
	// Both tells that the campaign ran two programs in turn: all of its other figures are of both together.
	Both bool `json:"both_programs,omitempty"`
	// Hours is how many whole hours were watched for drift and growth; below 2 nothing can be told.
	Hours   int           `json:"hours_watched"`
	Notices []soak.Notice `json:"notices"`
	// NotWatched maps what should be watched for growth and was not collected to why.
	NotWatched map[string]string `json:"not_watched,omitempty"`
}

// SoakBound is what a soak without a baseline shows: the counts are of attempts that were left alone.
type SoakBound struct {
	soak.Count
	Confidence float64    `json:"confidence"`
	UnderChaos soak.Count `json:"under_chaos"`
	Sentences  []string   `json:"sentences"`
}

// SoakOf derives what a soak that asked q shows from its account.
func SoakOf(q soak.Question, a *soak.Account) *Soak {
	s := &Soak{Both: q.Before != nil, Hours: a.Hours(), Notices: append([]soak.Notice{}, a.Notices()...), NotWatched: a.NotWatched()}
	if f, ok := a.Finding(); ok {
		s.Finding = &f
		return s
	}
	b := SoakBound{Confidence: q.Confidence}
	b.Count, b.UnderChaos, b.Sentences = a.Bounds()
	s.Bound = &b
	return s
}

// Lines says it in sentences, the verdict's first.
func (s *Soak) Lines() (lines []string) {
	if s.Finding != nil {
		lines = append(lines, s.Sentence)
	} else {
		lines = append(lines, s.Bound.Sentences...)
	}
	for _, n := range s.Notices {
		lines = append(lines, n.Sentence())
	}
	switch {
	case s.Hours < 2:
		lines = append(lines, "drift and growth: not told before two whole hours are over")
	case len(s.Notices) == 0:
		lines = append(lines, fmt.Sprintf("drift and growth: none told in %d hours", s.Hours))
	}
	for _, name := range slices.Sorted(maps.Keys(s.NotWatched)) {
		lines = append(lines, "growth not watched: "+name+" not collected: "+s.NotWatched[name])
	}
	if s.Both {
		lines = append(lines, "All other figures are of both programs together.")
	}
	return lines
}
