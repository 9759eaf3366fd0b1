package contrast

import (
	"fmt"
	"math"

	"heisen/stress/run"
	"heisen/stress/stats"
)

// Verdict answers whether the machine starved the failing attempts.
type Verdict string

const (
	// Starved: failing attempts waited longer, the effect is large and the corrected p small.
	Starved Verdict = "starved"
	// NotStarved: enough data, and a large effect is excluded for every waiting signal.
	NotStarved Verdict = "not starved"
	// CannotTell: neither, so far.
	CannotTell Verdict = "cannot tell yet"
)

// The rule; docs/statistics.md gives the reasons.
const (
	// LargeEffect is the AUC from which waiting longer matters (A. Vargha and H. D. Delaney, Journal of
	// Educational and Behavioral Statistics 25 (2000), 101-132: 0.71 is large).
	LargeEffect = 0.71
	// SmallP is the corrected p-value below which it is no accident.
	SmallP = 0.01
	// LeastStarved and LeastNotStarved are the failures compared below which neither is said.
	LeastStarved, LeastNotStarved = 5, 10
	// LikeSize is how many times the size (CPU time, threads, life) of passing attempts failing ones may
	// have if their waiting is to be evidence.
	LikeSize = 2.0
	// Longer is how many times the median waiting of passing attempts that of failing ones must be: ranks
	// alone find the smallest difference large if only it is always there.
	Longer = 1.25
	// oneSided95 is the 95th percentile of the normal distribution.
	oneSided95 = 1.6448536269514722
	power      = 0.8
)

// Finding is the comparison of failing with passing attempts.
type Finding struct {
	Verdict  Verdict `json:"verdict"`
	Sentence string  `json:"sentence"`
	// Failures and Passes are how many attempts were compared, in so many blocks of time.
	Failures int `json:"failures"`
	Passes   int `json:"passes"`
	Blocks   int `json:"blocks"`
	// MoreFailures is about how many more failures it would take to tell; absent where it is told, and
	// where more failures do not help.
	MoreFailures int `json:"more_failures,omitempty"`
	// Strongest names the signal the sentence speaks of.
	Strongest string   `json:"strongest,omitempty"`
	Signals   []Signal `json:"signals"`
}

// Compare holds all failing attempts against passing ones. notCollected maps a signal to why the machine
// could not give it.
func (s *Sample) Compare(notCollected map[string]string) Finding {
	return compare(s.strata(nil), notCollected)
}

// CompareSignature holds the attempts that failed in one way against passing ones.
func (s *Sample) CompareSignature(signature string, notCollected map[string]string) Finding {
	return compare(s.strata(&signature), notCollected)
}

func compare(strata []stratum, notCollected map[string]string) Finding {
	f := Finding{Verdict: CannotTell, Blocks: len(strata), Signals: signals(strata, notCollected)}
	for _, st := range strata {
		f.Failures += len(st.fail)
		f.Passes += len(st.pass)
	}
	c := f.weigh(strata)
	switch {
	case f.Failures == 0:
		f.MoreFailures = LeastNotStarved
		f.Sentence = string(CannotTell) + ": no failing attempt so far that passing ones ran beside"
	case c.starved():
		f.tell(Starved, c.strongest, c.starvedText())
	case !f.ownMeasured():
		f.Sentence = f.unmeasured()
	case f.throttled():
		f.Strongest = run.SigThrottled
		f.Sentence = fmt.Sprintf("%s: a CPU quota stalled failing attempts for %s; which of their threads, and when, is not known", CannotTell,
			figure(*find(f.Signals, run.SigThrottled).Fail, unitMicroseconds))
	case f.Failures >= LeastNotStarved && c.excluded():
		f.tell(NotStarved, c.nearest, c.notStarvedText())
	default:
		f.undecided(c)
	}
	return f
}

// throttled tells that most failing attempts were stalled by a CPU quota. How long in all does not say whether it was
// at the wrong moment, and the waiting of threads is counted without it.
func (f *Finding) throttled() bool {
	return f.measured(run.SigThrottled) && *find(f.Signals, run.SigThrottled).Fail > 0
}

func (f *Finding) tell(v Verdict, about *judged, sentence string) {
	f.Verdict, f.Strongest, f.Sentence = v, about.outright, sentence
}

// judged is a waiting signal as the rule sees it.
type judged struct {
	waiting
	row *Signal
	// auc and p are those of the weaker of the two comparisons (the intersection-union test: R. L.
	// Berger, Technometrics 24 (1982), 295-300), upper the weaker one's upper confidence limit.
	auc, p, upper float64
	// size is how many times the size of passing attempts failing ones have; +Inf where passes have none.
	size float64
}

// evidence tells that the signal can make the verdict "starved".
func (j judged) evidence() bool { return j.likeSize() && j.row.Failures >= LeastStarved }

// likeSize tells that failing and passing attempts are of about one size. Smaller ones are fine where the
// attempts' own waiting is compared, for that they would wait less outright; what the machine did meanwhile
// is another figure over a shorter time.
func (j judged) likeSize() bool {
	return j.size < LikeSize && (j.own || j.size > 1/LikeSize)
}

// longer tells that the difference itself is worth a word.
func (j judged) longer() bool {
	return *j.row.Fail > 0 && *j.row.Fail >= Longer**j.row.Pass
}

// differs tells that failing attempts waited longer, by all but the like size.
func (j judged) differs() bool {
	return j.longer() && j.auc >= LargeEffect && j.p <= SmallP
}

func (j judged) starved() bool { return j.evidence() && j.differs() }

// conclusion is all waiting signals that were collected.
type conclusion struct {
	all []judged
	// strongest is the greatest effect among the evidence, greatest among all that count, and nearest among
	// what was measured of the attempts themselves; nil where there is none.
	strongest, greatest, nearest *judged
	cpuRatio                     float64
	failures                     int
}

// weigh judges the waiting signals.
func (f *Finding) weigh(strata []stratum) conclusion {
	c := conclusion{cpuRatio: sizeRatio(strata, cpu), failures: f.Failures}
	for _, w := range waitings() {
		outright, forSize := find(f.Signals, w.outright), find(f.Signals, w.forSize)
		if !outright.tested() || !forSize.tested() || !f.measured(w.outright) || !f.measured(w.forSize) {
			continue
		}
		weaker := outright
		if *forSize.AUC < *outright.AUC {
			weaker = forSize
		}
		c.all = append(c.all, judged{waiting: w, row: outright, auc: *weaker.AUC, p: max(*outright.P, *forSize.P),
			upper: min(1, *weaker.AUC+oneSided95*weaker.ranks.SE), size: sizeRatio(strata, w.size)})
	}
	for i := range c.all {
		j := &c.all[i]
		if j.counts() && (c.greatest == nil || j.auc > c.greatest.auc) {
			c.greatest = j
		}
		if j.own && (c.nearest == nil || j.auc > c.nearest.auc) {
			c.nearest = j
		}
		if j.evidence() && (c.strongest == nil || j.stronger(c.strongest)) {
			c.strongest = j
		}
	}
	return c
}

// stronger puts signals that decide before those that do not, and then greater effects first.
func (j *judged) stronger(than *judged) bool {
	if j.starved() != than.starved() {
		return j.starved()
	}
	return j.auc > than.auc
}

// sizeRatio is the median size of failing attempts divided by that of passing ones at the same time; 1
// where it is not known or both are 0.
func sizeRatio(strata []stratum, size func(attempt) (float64, bool)) float64 {
	pass, fail := spread(values(strata, feature{of: size}))
	if len(fail) == 0 {
		return 1
	}
	p, f := pass.quantile(0.5), fail.quantile(0.5)
	switch {
	case f == p:
		return 1
	case p == 0:
		return math.Inf(1)
	}
	return f / p
}

// measured tells that enough failing attempts have the figure. One that most of them lack is left out: which
// ones have it may depend on how they ran.
func (f *Finding) measured(name string) bool {
	n := find(f.Signals, name).Failures
	return n > 0 && 2*n >= f.Failures
}

// ownMeasured tells that waiting of the attempts themselves was measured: what the whole machine did
// meanwhile may show that they were starved, but never that they were not.
func (f *Finding) ownMeasured() bool {
	for _, w := range waitings() {
		if w.own && f.measured(w.outright) && f.measured(w.forSize) {
			return true
		}
	}
	return false
}

func (c conclusion) starved() bool { return c.strongest != nil && c.strongest.starved() }

// excluded tells that a large effect is excluded for every waiting signal that counts.
func (c conclusion) excluded() bool {
	for _, j := range c.all {
		if j.counts() && j.upper >= LargeEffect {
			return false
		}
	}
	return c.nearest != nil
}

// counts tells that the signal can stand against "not starved". What the machine did during a life of another
// length cannot: a test that hangs always sees more of it.
func (j judged) counts() bool { return j.own || j.likeSize() }

// more is about how many more failures it takes to tell: to find the effect seen, or a just large one where
// that is smaller, or to exclude it. Signals tested together share the level.
func (c conclusion) more(share float64, tests int) float64 {
	effect := LargeEffect
	if c.strongest != nil {
		effect = max(effect, c.strongest.auc)
	}
	need := max(LeastStarved, stats.NoetherSize(effect, share, SmallP/float64(tests), power))
	if have := float64(c.failures); need > have {
		return need - have
	}
	// The effect lies below what matters, but not yet surely: the interval must become narrower.
	need = LeastNotStarved
	for _, j := range c.all {
		if j.counts() && j.upper >= LargeEffect {
			width := max(LargeEffect-j.auc, 0.001) / (j.upper - j.auc + 1e-9)
			need = max(need, float64(c.failures)/(width*width))
		}
	}
	return math.Ceil(max(need-float64(c.failures), 1))
}

// unmeasured is the sentence where the attempts' own waiting is not known.
func (f *Finding) unmeasured() string {
	const text = ": the attempts' own waiting for a CPU was not measured"
	if reason := find(f.Signals, run.SigRunDelay).NotCollected; reason != "" {
		return string(CannotTell) + text + " (" + reason + ")"
	}
	return string(CannotTell) + text
}
