package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Unseen estimates the share of what was never seen: the probability that the next draw is of a kind that
// none of n draws was, where once of the kinds were drawn exactly once and twice exactly twice (once+2·twice
// at most n). It is the Good-Turing estimate once/n, with a two-sided interval at Confidence.
//
// Where only each kind with probability 1/scale was watched, chosen without regard to how often it comes,
// once and twice are scale times what was counted, and the interval is as much wider as that costs; scale is
// 1 where all are watched. No draws say nothing: share 1, interval [0, 1]. It panics on impossible counts.
//
// The interval is Esty's normal one, and at least as wide as Clopper and Pearson's for once in n: the normal
// one shrinks to nothing where no kind, or every kind, was drawn once. It supposes independent draws from one
// distribution: of a campaign whose load changes it holds only as far as its past resembles its future.
//
// Source: I. J. Good, Biometrika 40 (1953), 237-264; W. W. Esty, Annals of Statistics 11 (1983), 905-912.
func Unseen(n, once, twice int64, scale float64) (share float64, in Interval) {
	if n < 0 || once < 0 || twice < 0 || scale < 1 {
		panic(fmt.Sprintf("stats: unseen share of %d draws, %d kinds once, %d twice, scale %v", n, once, twice, scale))
	}
	if n == 0 {
		return 1, Interval{0, 1}
	}
	once = min(once, n) // a scaled count may be above
	size := float64(n)
	share = float64(once) / size
	// One more of each, so that few do not look more certain than they are.
	once1, twice1 := float64(once)/size+scale/size, float64(twice)/size+scale/size
	variance := once1*max(1-once1, 0) + 2*twice1 + once1*(scale-1)
	z := distuv.UnitNormal.Quantile(1 - (1-Confidence)/2)
	half := z * math.Sqrt(variance/size)
	exact := ClopperPearson(once, n, Confidence)
	return share, Interval{Low: max(min(share-half, exact.Low), 0), High: min(max(share+half, exact.High), 1)}
}
