package contrast

import (
	"fmt"
	"math"
	"strings"
)

// starvedText names the strongest signal with its figures.
func (c conclusion) starvedText() string {
	j := c.strongest
	return fmt.Sprintf("%s: failing attempts %s%s, passing ones %s at the same time (AUC %.2f, %s, %s)", Starved,
		fmt.Sprintf(j.text, figure(*j.row.Fail, j.row.Unit)), j.note, figure(*j.row.Pass, j.row.Unit),
		j.auc, pText(j.p), failures(j.row.Failures))
}

// notStarvedText names the signal of the attempts' own that came nearest to a difference.
func (c conclusion) notStarvedText() string {
	j := c.nearest
	return fmt.Sprintf("%s: failing attempts %s%s, passing ones %s at the same time (AUC %.2f, at most %.2f; %s)%s", NotStarved,
		fmt.Sprintf(j.text, figure(*j.row.Fail, j.row.Unit)), j.note, figure(*j.row.Pass, j.row.Unit),
		j.auc, j.upper, failures(j.row.Failures), c.slownessText())
}

// slownessText tells of failing attempts that were busy themselves.
func (c conclusion) slownessText() string {
	if !(c.cpuRatio >= LikeSize) || math.IsInf(c.cpuRatio, 1) {
		return ""
	}
	return fmt.Sprintf("; they used %s times the CPU time of passing ones themselves", digits(c.cpuRatio))
}

// undecided says what keeps the verdict open: attempts too unlike to be compared, a difference too small to
// matter, or too few failures.
func (f *Finding) undecided(c conclusion) {
	if j := c.greatest; j != nil && j.row.Failures >= LeastNotStarved && j.auc >= LargeEffect && j.p <= SmallP {
		f.Strongest = j.outright
		reason := fmt.Sprintf("their %s was %s times that of passing ones, which alone can explain it", j.sizeText, digits(j.size))
		if !j.longer() {
			reason = fmt.Sprintf("hardly: %s, passing ones %s", figure(*j.row.Fail, j.row.Unit), figure(*j.row.Pass, j.row.Unit))
		}
		f.Sentence = fmt.Sprintf("%s: failing attempts waited longer, but %s", CannotTell, reason)
		return
	}
	tests := 0
	for i := range f.Signals {
		if f.Signals[i].counts() {
			tests++
		}
	}
	share := float64(f.Failures) / float64(f.Failures+f.Passes)
	const most = 100_000
	more := c.more(share, max(tests, len(f.Signals)/2))
	f.MoreFailures = int(min(more, most))
	about := fmt.Sprintf("about %d more", f.MoreFailures)
	if more >= most {
		about = fmt.Sprintf("more than %d more", most)
	}
	if c.greatest != nil {
		f.Strongest = c.greatest.outright
	}
	f.Sentence = fmt.Sprintf("%s: %s compared with passing attempts at the same time; it would take %s", CannotTell, failures(f.Failures), about)
}

func failures(n int) string {
	if n == 1 {
		return "1 failure"
	}
	return fmt.Sprintf("%d failures", n)
}

func pText(p float64) string {
	if p < 0.0001 {
		return "p < 0.0001"
	}
	return "p = " + digits(p)
}

// figure prints a value for people.
func figure(v float64, unit string) string {
	switch unit {
	case unitPerThousand:
		return digits(v / 1000)
	case unitMicroseconds:
		switch {
		case v >= 1e6:
			return digits(v/1e6) + " s"
		case v >= 100:
			return digits(v/1000) + " ms"
		}
		return digits(v) + " µs"
	}
	return digits(v)
}

// digits prints two of them, and all before the point.
func digits(v float64) string {
	if v == 0 || math.IsInf(v, 0) {
		return strings.TrimPrefix(fmt.Sprint(v), "+")
	}
	decimals := 1 - int(math.Floor(math.Log10(math.Abs(v))))
	text := fmt.Sprintf("%.*f", max(decimals, 0), v)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
