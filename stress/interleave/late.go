package interleave

import (
	"cmp"
	"slices"
	"time"

	"heisen/stress/run"
	"heisen/stress/stats"
)

// Late is a thread that came onto a CPU later after its creation in failing attempts than in passing ones:
// also where the order of all events is the same, as of a test that waits and then looks at a clock.
type Late struct {
	Thread string `json:"thread"`
	// Fail and Pass are medians of the time from creation to first run, PassMost the longest of a pass.
	Fail     time.Duration `json:"fail_ns"`
	Pass     time.Duration `json:"pass_ns"`
	PassMost time.Duration `json:"pass_most_ns"`
	// Within is how many of Passes attempts had it running sooner than any failing one.
	Within   int `json:"within"`
	Passes   int `json:"passes"`
	Failures int `json:"failures"`
	// Never is in how many failing attempts it had not run when the attempt ended.
	Never int `json:"never"`
	// P is the rank test, two-sided, corrected for the number of threads looked at.
	P float64 `json:"p"`
	// AUC is the probability that it took longer in a failing attempt than in a passing one.
	AUC float64 `json:"auc"`

	key string
}

// How much later is said: ranks alone find the smallest difference if only it is always there.
const (
	lateAUC   = 0.9
	lateRatio = 2
)

// latencies are a thread's in the attempts that created it.
type latencies struct {
	fail, pass []float64
	never      int
}

// late tests every thread that was created in at least half of either kind of attempts.
func late(all []*Observed) []Late {
	of := map[string]*latencies{}
	fails, passes := 0, 0
	for _, o := range all {
		if o.Failed {
			fails++
		} else {
			passes++
		}
		for _, t := range o.Form.Threads {
			if t.Created == run.NotSeen || t.Creator < 0 {
				continue // the main thread's start is heisen's doing
			}
			if of[t.Key] == nil {
				of[t.Key] = &latencies{}
			}
			of[t.Key].add(o, t)
		}
	}
	var found []Late
	var p []float64
	for key, l := range of {
		if 2*len(l.fail) < fails || 2*len(l.pass) < passes || len(l.fail) < 2 || len(l.pass) < 2 {
			continue
		}
		r, _ := stats.VanElteren([]stats.Stratum{{X: l.fail, Y: l.pass}})
		found = append(found, l.late(key, r))
	}
	slices.SortFunc(found, func(a, b Late) int { return cmp.Compare(a.key, b.key) })
	for _, l := range found {
		p = append(p, l.P)
	}
	for i, corrected := range stats.Holm(p) {
		found[i].P = corrected
	}
	found = slices.DeleteFunc(found, func(l Late) bool {
		return l.P > Significant || l.AUC < lateAUC || l.Fail < lateRatio*l.Pass
	})
	slices.SortStableFunc(found, func(a, b Late) int { return cmp.Or(cmp.Compare(a.P, b.P), cmp.Compare(b.Fail, a.Fail)) })
	return found
}

func (l *latencies) add(o *Observed, t Thread) {
	wait := t.FirstRun - t.Created
	if t.NeverRan() {
		wait = time.Duration(o.Ended) - t.Created // it waited at least until the end
	}
	into := &l.pass
	if o.Failed {
		into = &l.fail
		if t.NeverRan() {
			l.never++
		}
	}
	*into = append(*into, float64(max(wait, 0)))
}

func (l *latencies) late(key string, r stats.Ranks) Late {
	slices.Sort(l.fail)
	slices.Sort(l.pass)
	within, _ := slices.BinarySearch(l.pass, l.fail[0])
	middle := func(v []float64) time.Duration { return time.Duration(v[len(v)/2]) }
	return Late{key: key, Fail: middle(l.fail), Pass: middle(l.pass), PassMost: time.Duration(l.pass[len(l.pass)-1]),
		Within: within, Passes: len(l.pass), Failures: len(l.fail), Never: l.never, P: r.P, AUC: r.AUC}
}
