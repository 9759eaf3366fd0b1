package bundle

import (
	"math"
	"slices"
)

// sampling says which passes are kept to compare failures with. It is a rule over the attempt's number and
// the count already kept, so a resumed campaign goes on as if it had never stopped.
//
// A pass is kept while fewer are kept than there are points at or before its number. So the passes kept are
// spread like the points, and a point that falls on a failure is made up for by the next pass.
type sampling []int64

// horizon is where the last point lies in a campaign that has no last attempt.
const horizon = 1_000_000

// newSampling spreads passes points: evenly over a campaign of that many runs, and in constant ratio from 1
// to a million where its end is unknown (runs is 0), since what is kept is never given up again.
func newSampling(runs int64, passes int) sampling {
	s := make(sampling, max(0, passes))
	for i := range s {
		share := 0.0 // of the way from the first point to the last
		if passes > 1 {
			share = float64(i) / float64(passes-1)
		}
		at := math.Pow(horizon, share)
		if runs > 0 {
			at = 1 + share*float64(runs-1)
		}
		s[i] = int64(math.Round(at))
	}
	return s
}

// due tells whether a pass of that number is kept when kept passes are kept already.
func (s sampling) due(seq int64, kept int) bool {
	points, _ := slices.BinarySearch(s, seq+1)
	return kept < points
}
