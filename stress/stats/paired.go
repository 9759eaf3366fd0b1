package stats

import "math"

// Pairs counts what became of pairs of attempts that were given the same (plan, seed, minute), one of the
// program before a change and one of it after. Pairs in which both passed say nothing about which is better.
type Pairs struct{ OnlyBefore, OnlyAfter, Both int64 }

// Add counts one pair by which of its attempts failed.
func (p *Pairs) Add(before, after bool) {
	switch {
	case before && after:
		p.Both++
	case before:
		p.OnlyBefore++
	case after:
		p.OnlyAfter++
	}
}

// stakes are the shares of what can be staked on a pair. The full stake is best where the failure is gone
// altogether, and carries most of the weight.
var stakes = [...]struct{ weight, share float64 }{{0.5, 1}, {0.3, 0.8}, {0.2, 0.4}}

// FellBelow is the evidence that the rate after is less than ratio (0 < ratio <= 1) times the rate before: the
// logarithm of an e-value against after >= ratio * before, 0 for no pairs.
//
// A pair with b failures before and a after multiplies a stake of one by 1 + s (b - a/ratio), s <= ratio. If after
// >= ratio * before that is a losing bet, so the chance that the product ever reaches 1/alpha is at most alpha,
// whenever one looks and stops. It holds for attempts of a pair that depend on each other, and for rates that
// change from pair to pair (a noisy hour, another plan); pairs must be counted in the order in which they were
// started, or a pair that hangs would be counted later than one that passes.
//
// Source: J. Ville (1939); I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by
// betting", Journal of the Royal Statistical Society B 86 (2024), 1-27. For ratio = 1 only the pairs that differ
// count, as in Q. McNemar, Psychometrika 12 (1947), 153-157, read sequentially.
func (p Pairs) FellBelow(ratio float64) float64 {
	return p.wealth(func(share float64) (onlyBefore, onlyAfter float64) {
		return share * ratio, -share
	})
}

// StayedAbove is the evidence that the rate after is more than ratio times the rate before: as FellBelow, the other
// way about, 1 + s (a/ratio - b) with s <= 1.
func (p Pairs) StayedAbove(ratio float64) float64 {
	const most = 0.6 // of everything: where nothing has changed both sides fail alike, and half is best
	return p.wealth(func(share float64) (onlyBefore, onlyAfter float64) {
		return -most * share, most * share / ratio
	})
}

// wealth is the logarithm of the mixture over stakes of what the pairs multiply one to, from what a failure
// before and one after add.
func (p Pairs) wealth(add func(share float64) (before, after float64)) float64 {
	var mix mixture
	for _, s := range stakes {
		before, after := add(s.share)
		mix.add(s.weight, times(p.OnlyBefore, math.Log1p(before))+times(p.OnlyAfter, math.Log1p(after))+
			times(p.Both, math.Log1p(before+after)))
	}
	return mix.log()
}
