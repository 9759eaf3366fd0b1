package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// UpperBound is the exact one-sided upper limit for the rate behind k failures in n attempts, for a number of
// attempts that was fixed beforehand: a rate above it gives so few failures with a chance of at most 1 -
// confidence. No attempts, or nothing but failures, bound nothing: 1. For k = 0 it is 1 - (1-confidence)^(1/n), and
// then it may also be read at any moment: while nothing fails the bounds only fall, and the first one that is
// too low needs a run that is too clean, whose chance is at most 1 - confidence.
//
// It panics on k < 0, k > n or a confidence outside (0, 1): those are faults of the caller.
//
// Source: Clopper and Pearson (1934), as ClopperPearson.
func UpperBound(k, n int64, confidence float64) float64 {
	check(k, n, confidence)
	switch {
	case k == n:
		return 1
	case k == 0:
		return -math.Expm1(math.Log1p(-confidence) / float64(n))
	}
	return mathext.InvRegIncBeta(float64(k+1), float64(n-k), confidence)
}

// PassChance is the chance that a failure of this rate stays unseen in n independent attempts.
func PassChance(rate float64, n int64) float64 {
	return math.Exp(times(n, math.Log1p(-rate)))
}

// ConfidenceSequence is an interval for the rate behind k failures in n attempts that may be read after every
// attempt: the chance that any of them ever misses the true rate is at most 1 - confidence, so that one may stop
// because of what it says. It is wider than ClopperPearson's for that. No attempts say nothing: [0, 1].
//
// It holds the rates p at which the ratio of a beta-binomial mixture (Jeffreys' prior) to the likelihood at p is
// below 1 / (1 - confidence): at the true rate that ratio is a martingale that starts at 1 (Ville's inequality).
//
// It panics as ClopperPearson does.
//
// Source: H. Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of Mathematical
// Statistics 41 (1970), 1397-1409.
func ConfidenceSequence(k, n int64, confidence float64) Interval {
	check(k, n, confidence)
	in := Interval{Low: 0, High: 1}
	if n == 0 {
		return in
	}
	const shape = 0.5
	mix := mathext.Lbeta(float64(k)+shape, float64(n-k)+shape) - mathext.Lbeta(shape, shape)
	out := func(p float64) bool {
		return mix-times(k, math.Log(p))-times(n-k, math.Log1p(-p)) >= -math.Log1p(-confidence)
	}
	share := float64(k) / float64(n)
	if k > 0 {
		in.Low = crossing(out, 0, share)
	}
	if k < n {
		in.High = crossing(out, 1, share)
	}
	return in
}

// crossing is where, between a place that is out and one that is not, the one becomes the other: the last place
// known to be out.
func crossing(out func(float64) bool, outside, inside float64) float64 {
	for range 200 {
		mid := (outside + inside) / 2
		if mid == outside || mid == inside {
			break
		}
		if out(mid) {
			outside = mid
		} else {
			inside = mid
		}
	}
	return outside
}

func check(k, n int64, confidence float64) {
	if k < 0 || k > n || !(confidence > 0 && confidence < 1) {
		panic(fmt.Sprintf("stats: interval of %d in %d at confidence %v", k, n, confidence))
	}
}
