package stats_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"heisen/stress/stats"
)

func TestFisherPublishedValues(t *testing.T) {
	for _, c := range []struct {
		name       string
		a, b, c, d int64
		p          float64
	}{
		{"R, the tea taster (its help page)", 3, 1, 1, 3, 0.4857},
		{"R, Fisher's convicted twins (its help page)", 2, 10, 15, 3, 0.0005367},
		{"8 2, 1 5, by enumeration 280 of 8008", 8, 2, 1, 5, 280.0 / 8008},
		{"perfect: 1 in C(67,10)", 10, 0, 0, 57, 1 / 247994680648.0},
		{"no margin", 0, 0, 5, 9, 1},
	} {
		require.InEpsilon(t, c.p, stats.Fisher(c.a, c.b, c.c, c.d), 2e-4, c.name)
	}
	require.Panics(t, func() { stats.Fisher(-1, 2, 3, 4) })
}

// The probabilities of all tables of given margins, by exact binomials.
func TestFisherIsTheSumOfTheTablesNoMoreLikely(t *testing.T) {
	choose := func(n, k int64) float64 {
		if k < 0 || k > n {
			return 0
		}
		r := 1.0
		for i := range k {
			r = r * float64(n-i) / float64(i+1)
		}
		return r
	}
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.Int64Range(0, 25)
		a, b, c, d := count.Draw(t, "a"), count.Draw(t, "b"), count.Draw(t, "c"), count.Draw(t, "d")
		row, other, drawn := a+b, c+d, a+c
		if row == 0 || other == 0 || drawn == 0 || b+d == 0 {
			return
		}
		own, sum := choose(row, a)*choose(other, c), 0.0
		for x := int64(0); x <= drawn; x++ {
			if q := choose(row, x) * choose(other, drawn-x); q <= own*(1+1e-7) {
				sum += q
			}
		}
		require.InEpsilon(t, math.Max(sum/choose(row+other, drawn), 1e-15), stats.Fisher(a, b, c, d), 1e-6)
		require.InEpsilon(t, stats.Fisher(a, b, c, d), stats.Fisher(c, d, a, b), 1e-9)
	})
}
