// Package human writes numbers the way people read them. Every view uses it, so that a figure looks the
// same wherever it is printed.
package human

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Count writes a whole number with a comma between groups of three digits: 12,345.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Plural writes a count and its noun: 1 attempt, 2 attempts.
func Plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(n) + " " + noun + "s"
}

// Percent writes a share of one with two significant digits, without the sign: 0.060, 1.2, 34. What is
// close to everything keeps two digits of what is missing (99.97), because a rounded 100 would be a claim.
// Only nothing is 0 and only everything is 100.
func Percent(share float64) string {
	p := 100 * share
	switch {
	case math.IsNaN(p):
		return "?"
	case p == 0 || p == 100:
		return strconv.FormatFloat(p, 'f', 0, 64)
	}
	small := math.Min(math.Abs(p), math.Abs(100-p))
	// Two digits of the smaller part; the logarithm counts the zeros that come before them.
	decimals := max(0, 1-int(math.Floor(math.Log10(small))))
	return strconv.FormatFloat(p, 'f', min(decimals, 12), 64)
}

// Range writes an interval of shares as percentages, without the sign: 0.012–0.18.
func Range(low, high float64) string {
	return Percent(low) + "–" + Percent(high)
}

// Probability writes a p-value so that it never reads as zero.
func Probability(p float64) string {
	if p < 0.0001 {
		return "< 0.0001"
	}
	return fmt.Sprintf("%.2g", p)
}

// Elapsed writes how long something has been going on, to the second: 45s, 2m30s, 1h02m, 3d04h.
func Elapsed(d time.Duration) string {
	s := int64(d / time.Second)
	switch {
	case s < 0:
		return "0s"
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s%86400/3600)
}

// Duration writes a measured time with three significant digits: 850µs, 12.3ms, 1.25s. From a minute on
// it is as Elapsed writes it.
func Duration(d time.Duration) string {
	switch {
	case d <= 0:
		return "0s"
	case d < time.Microsecond:
		return fmt.Sprintf("%dns", d.Nanoseconds())
	case d < time.Millisecond:
		return significant(float64(d)/float64(time.Microsecond)) + "µs"
	case d < time.Second:
		return significant(float64(d)/float64(time.Millisecond)) + "ms"
	case d < time.Minute:
		return significant(d.Seconds()) + "s"
	}
	return Elapsed(d)
}

// PerSecond writes a rate: 0.42/s, 5.4/s, 1,230/s.
func PerSecond(rate float64) string {
	if rate >= 100 {
		return Count(int64(math.Round(rate))) + "/s"
	}
	return significantTo(rate, 2) + "/s"
}

// Bytes writes a size in binary units: 512 B, 1.5 KiB, 20 MiB.
func Bytes(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	size := float64(n)
	for _, unit := range []string{"KiB", "MiB", "GiB"} {
		size /= 1024
		if size < 1024 {
			return significant(size) + " " + unit
		}
	}
	return significant(size/1024) + " TiB"
}

func significant(x float64) string { return significantTo(x, 3) }

// significantTo writes a number below 1000 with so many significant digits at most, trailing zeros cut.
func significantTo(x float64, digits int) string {
	if x == 0 {
		return "0"
	}
	decimals := max(0, digits-1-int(math.Floor(math.Log10(math.Abs(x)))))
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
