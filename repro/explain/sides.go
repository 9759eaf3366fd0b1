package explain

import (
	"context"

	"heisen/repro/minimize"
	"heisen/repro/replay"
	"heisen/stress/stats"
)

// look is a moment at which two sides are compared: after so many attempts of each, with so great a confidence.
type look struct {
	attempts   int
	confidence float64
}

// looks are all there are. The first is for an order that always decides; it is strict, so that it adds next to nothing to
// the errors of the second one (TestOrdersThatDecideNothingSeldomSeemTo).
var looks = []look{{12, 0.99}, {30, 0.95}}

// side is one of the orders that are compared, and what came of it.
type side struct {
	candidate minimize.Candidate
	order     replay.Order
	asked     int
	answers   []replay.Answer
	minimize.Tally
}

// upTo has the side's attempts made, up to so many.
func (s *side) upTo(ctx context.Context, lab Lab, attempts int) error {
	if s.asked >= attempts {
		return nil
	}
	answers, err := lab.Run(ctx, s.candidate, s.order, attempts-s.asked)
	if err != nil {
		return err
	}
	s.asked, s.answers = attempts, append(s.answers, answers...)
	s.Tally = lab.Count(s.answers)
	return nil
}

// rivals are the events of other threads during the side's holds, where it failed.
func (s *side) rivals(lab Lab) []rival {
	return rivals(failing(lab, s.answers))
}

// fewer tells whether one side fails less often than the other one. It gives up at the first look where that shows nothing
// like it.
func fewer(ctx context.Context, lab Lab, low, high *side) (bool, error) {
	const hopeless = 0.8 // of the other side's share
	for _, l := range looks {
		for _, s := range []*side{high, low} {
			if err := s.upTo(ctx, lab, l.attempts); err != nil {
				return false, err
			}
		}
		if apart(low.Tally, high.Tally, l.confidence) {
			return true, nil
		}
		if float64(low.Reproduced)*float64(high.Attempts) >= hopeless*float64(high.Reproduced)*float64(low.Attempts) {
			return false, nil
		}
	}
	return false, nil
}

// apart tells whether the first share is below the second one, their intervals not touching.
func apart(low, high minimize.Tally, confidence float64) bool {
	return stats.ClopperPearson(low.Reproduced, low.Attempts, confidence).High < stats.ClopperPearson(high.Reproduced, high.Attempts, confidence).Low
}
