// Package stats holds the statistics that heisen prints. It is pure: the same numbers always give the
// same answer.
package stats

import "gonum.org/v1/gonum/mathext"

// Confidence is the confidence of every interval heisen prints.
const Confidence = 0.95

// Interval is a range of proportions, 0 <= Low <= High <= 1.
type Interval struct {
	Low, High float64
}

// ClopperPearson returns the exact two-sided interval for the proportion behind k successes in n
// independent trials. Whatever the true proportion is, the interval holds it with at least the given
// confidence (0 < confidence < 1), which approximations do not promise where k is small: the usual case
// for a rare failure. No trials at all say nothing: [0, 1].
//
// It panics on k < 0, k > n or a confidence outside (0, 1): those are faults of the caller.
//
// Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413; in terms of the beta
// distribution as in Brown, Cai and DasGupta, Statistical Science 16 (2001), 101-133.
func ClopperPearson(k, n int64, confidence float64) Interval {
	check(k, n, confidence)
	tail := (1 - confidence) / 2
	in := Interval{Low: 0, High: 1}
	// The beta distribution has no shape 0, so the ends where nothing or everything failed are set apart.
	if k > 0 {
		in.Low = mathext.InvRegIncBeta(float64(k), float64(n-k+1), tail)
	}
	if k < n {
		in.High = mathext.InvRegIncBeta(float64(k+1), float64(n-k), 1-tail)
	}
	return in
}
