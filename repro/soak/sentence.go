package soak

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"heisen/stress/stats"
)

// sentence says a finding by one rule: the verdict; what failed after and before; what that shows, at which
// confidence; what else was seen; what weakens it.
func (t *Tracker) sentence(f Finding) string {
	text := string(f.Verdict) + ": " + t.seenText(f) + t.shownText(f)
	if f.New > 0 && f.Verdict != Different {
		text += fmt.Sprintf("; %s of a signature that was not seen before", failures(f.New))
	}
	if b := f.Beside; b != nil && b.Attempts > 0 {
		text += fmt.Sprintf("; %s of %s failed in the old way under other plans that failed before (%s)",
			number(b.Failures), number(b.Attempts), strings.Join(b.Plans, ", "))
		if b.New > 0 {
			text += fmt.Sprintf(", and %s in a new way", number(b.New))
		}
	}
	if len(t.base.Differs) > 0 {
		text += "; only as far as it makes no difference that the baseline had " + strings.Join(t.base.Differs, ", ")
	}
	return text
}

func (t *Tracker) seenText(f Finding) string {
	k, how := f.Failures, "failed"
	switch f.Verdict {
	case Fixed:
		k += f.New
	case Different:
		k, how = f.New, "failed in a new way"
	case NotFixed, Perturbed:
		how = "failed in the same way"
	}
	text := fmt.Sprintf("%s of %s %s, %s of %s before", number(k), number(f.Attempts), how,
		number(f.Baseline.Failures), number(f.Baseline.Attempts))
	switch f.Plan {
	case "":
	case plain:
		text += ", left alone"
	default:
		text += ", under " + f.Plan
	}
	if f.Verdict == Different && f.Failures > 0 {
		text += fmt.Sprintf(" (and %s in the old way)", number(f.Failures))
	}
	return text
}

func (t *Tracker) shownText(f Finding) string {
	factor, sure := exact(f.Factor), exact(100*f.Confidence)+" % confidence"
	switch f.Verdict {
	case Fixed:
		return fmt.Sprintf(": at least %s times rarer (%s)", factor, sure)
	case NotFixed:
		return fmt.Sprintf(": not %s times rarer (%s)", factor, sure)
	case Perturbed:
		switch {
		case f.ByFactor:
			return fmt.Sprintf(": at least %s times rarer (%s), but not gone", factor, sure)
		case f.StillThere:
			return fmt.Sprintf(": rarer (%s), but not gone", sure)
		}
		return fmt.Sprintf(": rarer, but not %s times (%s)", factor, sure)
	case Different:
		return fmt.Sprintf(": all failures together are not %s times rarer (%s)", factor, sure)
	}
	switch {
	case f.Baseline.Failures == 0:
		return ": what was not seen to fail before cannot be shown to be rarer"
	case f.More < 0:
		return fmt.Sprintf(": close to %s times rarer, so that no number of attempts in sight decides it (%s)", factor, sure)
	}
	how := "if they fail as often"
	if f.Failures+f.New == 0 {
		how = "if none fails"
	}
	text := fmt.Sprintf(": %s, %s more decide it (%s)", how, number(f.More), sure)
	if f.About > 0 {
		text += ", about " + about(f.About)
	}
	return text
}

// Bound says what k failures in n judged attempts say of the rate, without anything to compare with: for a
// clean run what it bounds (rounded up to one digit) and what it may have missed, the greatest power of ten that
// would have passed at least half the time. Both hold at whatever moment one stops.
func Bound(k, n int64, confidence float64) string {
	sure := exact(100*confidence) + " %"
	switch {
	case n == 0:
		return "no attempt judged: nothing is bounded"
	case k > 0:
		in := stats.ConfidenceSequence(k, n, confidence)
		return fmt.Sprintf("%s of %s: %s to %s %% at %s, at whatever moment one stops", number(k), number(n),
			digits(100*in.Low), digits(100*in.High), sure)
	}
	one := int64(10)
	for stats.PassChance(1/float64(one), n) < 0.5 {
		one *= 10
	}
	return fmt.Sprintf("0 of %s: below %s %% at %s; a failure of 1 in %s would have passed this soak %.0f %% of the time",
		number(n), up(100*stats.UpperBound(0, n, confidence)), sure, number(one), 100*stats.PassChance(1/float64(one), n))
}

func failures(n int64) string {
	if n == 1 {
		return "1 failure"
	}
	return number(n) + " failures"
}

// number writes a count with a comma between groups of three digits.
func number(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// up rounds up to one digit, so that a bound stays one.
func up(v float64) string {
	places := -int(math.Floor(math.Log10(v)))
	unit := math.Pow(10, -float64(places))
	return strconv.FormatFloat(math.Ceil(v/unit-1e-9)*unit, 'f', max(places, 0), 64)
}

// exact prints what was asked for, free of the rounding of binary fractions.
func exact(v float64) string { return strconv.FormatFloat(v, 'g', 9, 64) }

// digits prints two digits, and all before the point.
func digits(v float64) string {
	return strconv.FormatFloat(v, 'f', decimals(v), 64)
}

func decimals(v float64) int {
	if v == math.Trunc(v) {
		return 0
	}
	return max(1-int(math.Floor(math.Log10(math.Abs(v)))), 0)
}

// about writes a guess of a duration: nothing finer than a twentieth of it.
func about(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%.0f s", math.Ceil(d.Seconds()))
	case d < 90*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
