package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Holm corrects p-values for their number: the chance that any true null hypothesis among them gets a
// corrected value below α is at most α, however they depend on each other. The order is kept.
//
// Source: S. Holm, Scandinavian Journal of Statistics 6 (1979), 65-70.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	corrected, least := make([]float64, len(p)), 0.0
	for done, i := range order {
		least = max(least, min(1, float64(len(p)-done)*p[i]))
		corrected[i] = least
	}
	return corrected
}

// NoetherSize is how many values of X a rank test needs to find, at the two-sided level alpha and with the
// given power, that X is greater than Y with probability auc, if a share of all values are X (0 < share < 1,
// 0 < alpha, power < 1). It is +Inf for auc = 0.5, where there is nothing to find.
//
// Source: G. E. Noether, Journal of the American Statistical Association 82 (1987), 645-647.
func NoetherSize(auc, share, alpha, power float64) float64 {
	z := distuv.UnitNormal.Quantile(1-alpha/2) + distuv.UnitNormal.Quantile(power)
	return math.Ceil(z * z / (12 * (1 - share) * (auc - 0.5) * (auc - 0.5)))
}
