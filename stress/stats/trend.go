package stats

import (
	"math"
	"slices"
)

// Trend is what a series does over time.
type Trend struct {
	// Tau is Kendall's rank correlation with time, -1 to 1: 1 for a series that only rises.
	Tau float64
	// P is the two-sided p-value of no trend, in (0, 1]; 1 where all values are equal or there are fewer than three.
	P float64
	// Slope is the median of the slopes between any two values, per step of the series.
	Slope float64
}

// MannKendall tests a series, values in the order of time, for a trend in either direction. Values must not be
// NaN. The test is by ranks, so that single wild values do not matter, with the normal limit (continuity
// correction, ties): fit for ten values or more. It supposes values that are independent but for the trend.
//
// Source: H. B. Mann, Econometrica 13 (1945), 245-259; M. G. Kendall, Rank Correlation Methods (1975), for ties; the
// slope: P. K. Sen, Journal of the American Statistical Association 63 (1968), 1379-1389.
func MannKendall(values []float64) Trend {
	n := len(values)
	if n < 3 {
		return Trend{P: 1}
	}
	up, slopes := 0, make([]float64, 0, n*(n-1)/2)
	for i, early := range values {
		for j := i + 1; j < n; j++ {
			d := values[j] - early
			slopes = append(slopes, d/float64(j-i))
			switch {
			case d > 0:
				up++
			case d < 0:
				up--
			}
		}
	}
	slices.Sort(slopes)
	t := Trend{Tau: float64(up) / float64(len(slopes)), P: 1, Slope: median(slopes)}
	if up != 0 {
		t.P = min(max(normalP(math.Abs(float64(up))-1, kendallVariance(values)), leastP), 1)
	}
	return t
}

// kendallVariance is that of the count of rises less falls without a trend, ties taken off.
func kendallVariance(values []float64) float64 {
	part := func(n float64) float64 { return n * (n - 1) * (2*n + 5) / 18 }
	sorted := slices.Sorted(slices.Values(values))
	variance := part(float64(len(sorted)))
	for from := 0; from < len(sorted); {
		to := from
		for to < len(sorted) && sorted[to] == sorted[from] {
			to++
		}
		variance -= part(float64(to - from))
		from = to
	}
	return variance
}

// median is that of sorted values, which are not none.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
