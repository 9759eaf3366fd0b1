package stats

import (
	"cmp"
	"math"
	"slices"
)

// Stratum holds the values of two groups that may be compared with each other: here, of failing (X) and of
// passing (Y) attempts that ran at the same time.
type Stratum struct{ X, Y []float64 }

// Ranks is a stratified comparison of two groups by ranks.
type Ranks struct {
	// Strata, X and Y count what was compared: strata that hold both groups, and the values in them.
	Strata, X, Y int
	// AUC is the probability that a value of X is greater than a value of Y of the same stratum, ties
	// counted half: 0.5 where the groups are alike, 1 where every X is greater.
	AUC float64
	// SE is the standard error of AUC: the greatest of what the test's null hypothesis gives and what the
	// scatter between the values of X and between strata shows; 0 only where all values of each stratum
	// are equal, so that nothing could be found.
	SE float64
	// P is the two-sided p-value of van Elteren's test, in (0, 1]. It is 1 where all values are equal.
	P float64
	// Exact tells that P comes from the permutation distribution itself and not from its normal limit.
	Exact bool
}

// leastP keeps a p-value from being printed as impossible: the normal approximation means nothing out there.
const leastP = 1e-15

// VanElteren compares X with Y within strata: it adds up the strata's rank sums, each divided by the
// stratum's size plus one, which is the most powerful weighting if the groups differ alike everywhere. With
// one stratum it is the Wilcoxon-Mann-Whitney test. Ties get their mean rank. Strata without X or without Y
// say nothing and are left out; ok is false if no others are there.
//
// P is exact for small samples and else normal, without a correction for continuity.
//
// Values must not be NaN.
//
// Source: P. H. van Elteren, Bulletin of the International Statistical Institute 37 (1960), 351-361; the
// variance with ties as in E. L. Lehmann, Nonparametrics (1975), section 3.3.
func VanElteren(strata []Stratum) (r Ranks, ok bool) {
	blocks := make([]block, 0, len(strata))
	for _, s := range strata {
		if len(s.X) > 0 && len(s.Y) > 0 {
			b := rank(s)
			blocks = append(blocks, b)
			r.X += b.nx
			r.Y += b.ny
		}
	}
	r.Strata = len(blocks)
	if r.Strata == 0 {
		return Ranks{}, false
	}
	var weight, sum, null float64
	for _, b := range blocks {
		weight += b.weight() * float64(b.nx)
		for _, v := range b.below {
			sum += b.weight() * v
		}
		null += b.variance()
	}
	r.AUC = min(sum/weight, 1) // rounding
	r.SE = max(math.Sqrt(null), scatter(blocks, r.AUC)) / weight
	r.P, r.Exact = exactP(blocks, r.X, r.Y)
	if !r.Exact {
		r.P = normalP(sum-weight/2, null)
	}
	r.P = min(max(r.P, leastP), 1)
	return r, true
}

// block is a stratum by ranks.
type block struct {
	nx, ny int
	// below is, for each X, the share of the stratum's Y that is smaller, ties counted half.
	below []float64
	// ranks are twice the mean ranks of all values, smallest first, so that they are whole numbers; of
	// says which of them belong to X.
	ranks []int
	of    []bool
	// ties is the sum of t³-t over groups of t equal values.
	ties float64
}

func rank(s Stratum) block {
	type entry struct {
		value float64
		x     bool
	}
	all := make([]entry, 0, len(s.X)+len(s.Y))
	for _, v := range s.X {
		all = append(all, entry{v, true})
	}
	for _, v := range s.Y {
		all = append(all, entry{v, false})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.value, b.value) })
	b := block{nx: len(s.X), ny: len(s.Y), below: make([]float64, 0, len(s.X)),
		ranks: make([]int, len(all)), of: make([]bool, len(all))}
	smaller := 0 // values of Y before the present group of equals
	for from := 0; from < len(all); {
		to, ys := from, 0
		for ; to < len(all) && all[to].value == all[from].value; to++ {
			if !all[to].x {
				ys++
			}
		}
		for i := from; i < to; i++ {
			b.ranks[i], b.of[i] = from+to+1, all[i].x
			if all[i].x {
				b.below = append(b.below, (float64(smaller)+float64(ys)/2)/float64(b.ny))
			}
		}
		t := float64(to - from)
		b.ties += t*t*t - t
		smaller += ys
		from = to
	}
	return b
}

// n is the stratum's size.
func (b block) n() int { return b.nx + b.ny }

// weight is what each X of the stratum weighs in the sum.
func (b block) weight() float64 { return float64(b.ny) / float64(b.n()+1) }

// variance is that of the stratum's part of the sum if both groups are alike.
func (b block) variance() float64 {
	n, pairs := float64(b.n()), float64(b.nx)*float64(b.ny)
	if b.ties == n*n*n-n {
		return 0 // all equal, and exactly so
	}
	plain := pairs / (12 * (n + 1))
	return plain - pairs*b.ties/(12*n*(n-1)*(n+1)*(n+1))
}

// scatter is the standard deviation of the weighted sum as the data show it: between single values of X,
// and between strata where there are several. Where only some failures come from starvation it is far
// greater than the null hypothesis has it.
func scatter(blocks []block, auc float64) float64 {
	var single, clustered float64
	for _, b := range blocks {
		var of float64
		for _, v := range b.below {
			d := b.weight() * (v - auc)
			single += d * d
			of += d
		}
		clustered += of * of
	}
	if n := float64(len(blocks)); n > 1 {
		clustered *= n / (n - 1)
	}
	return math.Sqrt(max(single, clustered))
}

// normalP is the two-sided p-value of a deviation with this variance.
func normalP(deviation, variance float64) float64 {
	if variance <= 0 {
		return 1 // all values are equal
	}
	return math.Erfc(math.Abs(deviation) / math.Sqrt(2*variance))
}
