package stats

import (
	"fmt"
	"math"
)

// Fisher is the two-sided p-value of Fisher's exact test on the table
//
//	a  b
//	c  d
//
// (all at least 0): with the margins as they are, the probability of a table no more likely than this one if
// rows and columns are independent. It is 1 where a margin is 0, for then nothing could be found. It panics
// on a negative count, a fault of the caller.
//
// Source: R. A. Fisher, Statistical Methods for Research Workers, 5th edition (1934), section 21.02; the two
// sides as R's fisher.test takes them.
func Fisher(a, b, c, d int64) float64 {
	if min(a, b, c, d) < 0 {
		panic(fmt.Sprintf("stats: Fisher's test of the counts %d %d %d %d", a, b, c, d))
	}
	row, other, column := a+b, c+d, a+c
	if row == 0 || other == 0 || column == 0 || b+d == 0 {
		return 1
	}
	of := func(x int64) float64 { return hypergeometric(x, row, other, column) }
	// Tables as likely as this one may differ from it by rounding.
	limit, p := of(a)*(1+1e-7), 0.0
	for x := max(0, column-other); x <= min(row, column); x++ {
		if q := of(x); q <= limit {
			p += q
		}
	}
	return min(max(p, leastP), 1)
}

// hypergeometric is the probability of x among drawn, if row of the row+other things count.
func hypergeometric(x, row, other, drawn int64) float64 {
	return math.Exp(logChoose(row, x) + logChoose(other, drawn-x) - logChoose(row+other, drawn))
}

func logChoose(n, k int64) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}
