package html

import (
	"fmt"
	"math"
	"strings"

	"heisen/reports"
	"heisen/reports/human"
)

// growthChart is how the number of variants grew with the attempts: both axes count in doublings, so that a curve that
// goes on straight is of a test with ever new ones, and one that goes flat has shown what it has.
func growthChart(i *reports.Interleavings) (chart, bool) {
	if i == nil || len(i.Growth) < 3 {
		return chart{}, false
	}
	last := i.Growth[len(i.Growth)-1]
	c := canvas{most: logTwo(max(last.Variants, 2))}
	c.frame(func(v float64) string { return human.Count(int64(math.Round(math.Exp2(v)))) }, "1 attempt", human.Plural(last.Attempts, "attempt"))
	per := logTwo(max(last.Attempts, 2))
	var points strings.Builder
	for _, g := range i.Growth {
		at, v := x(logTwo(g.Attempts)/per), c.y(logTwo(g.Variants))
		fmt.Fprintf(&points, "%.1f,%.1f ", at, v)
		c.add(`<circle class="spot" cx="%.1f" cy="%.1f" r="3"><title>%s in %s</title></circle>`, at, v, human.Plural(g.Variants, "variant"), human.Plural(g.Attempts, "attempt"))
	}
	c.add(`<polyline class="line" points="%s"/>`, points.String())
	note := "both axes count in doublings: a curve that goes flat says that the test has shown most of its orders"
	if !i.Exact {
		note += "; numbers are estimated from a sample of the variants"
	}
	return chart{"How the variants grew", note, c.svg("variants by attempts")}, true
}

func logTwo(n int64) float64 { return math.Log2(float64(max(n, 1))) }
