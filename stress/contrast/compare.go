package contrast

import (
	"cmp"
	"maps"
	"slices"

	"heisen/stress/stats"
)

// Signal is one figure of failing attempts against that of passing ones at the same time. What there is
// too little of to compute is absent.
type Signal struct {
	Name string `json:"name"`
	// Unit is "us" (microseconds), "count", "KiB", "1/1000" or "share" (0 to 1).
	Unit string `json:"unit"`
	// Waiting tells that the verdict looks at it; the others only describe.
	Waiting bool `json:"waiting,omitempty"`
	// Pass and Fail are medians, passing attempts weighted so that each moment counts as often as
	// attempts failed in it; the quartiles are the 25th and the 75th percentile.
	Pass          *float64    `json:"pass,omitempty"`
	Fail          *float64    `json:"fail,omitempty"`
	PassQuartiles *[2]float64 `json:"pass_quartiles,omitempty"`
	FailQuartiles *[2]float64 `json:"fail_quartiles,omitempty"`
	// AUC is the probability that a failing attempt's value is greater than that of a passing one at the
	// same time. P is van Elteren's two-sided test, corrected by Holm for the number of signals tested.
	AUC *float64 `json:"auc,omitempty"`
	P   *float64 `json:"p,omitempty"`
	// Passes and Failures are how many attempts had it and were compared.
	Passes   int `json:"passes"`
	Failures int `json:"failures"`
	// NotCollected says why there is nothing to compare.
	NotCollected string `json:"not_collected,omitempty"`

	ranks stats.Ranks
}

// leastTested is how many failing and passing attempts an effect and its test are computed from.
const leastTested = 2

// stratum is a block's attempts, those of other failures left out.
type stratum struct{ pass, fail []attempt }

// strata lists the blocks that hold both passes and failures of a signature; all failures for nil.
func (s *Sample) strata(signature *string) []stratum {
	place := make(map[string]int, len(s.columns))
	for i, name := range s.columns {
		place[name] = i
	}
	var list []stratum
	for _, b := range s.blocks {
		var st stratum
		for _, r := range b.fail {
			if signature == nil || r.signature == *signature {
				st.fail = append(st.fail, attempt{r, place})
			}
		}
		if len(st.fail) == 0 || len(b.pass) == 0 {
			continue
		}
		for _, r := range b.pass {
			st.pass = append(st.pass, attempt{r, place})
		}
		list = append(list, st)
	}
	return list
}

// values are those of one feature, by stratum, without the strata that have it on one side only. A feature of
// several kinds makes a stratum of each.
func values(strata []stratum, f feature) []stats.Stratum {
	list := make([]stats.Stratum, 0, len(strata))
	for _, st := range strata {
		for _, kind := range st.kinds(f) {
			v := stats.Stratum{X: collect(kind.fail, f.of), Y: collect(kind.pass, f.of)}
			if len(v.X) > 0 && len(v.Y) > 0 {
				list = append(list, v)
			}
		}
	}
	return list
}

// kinds splits a stratum by the kind of a feature, in the order of the kinds. What has no kind is left out.
func (st stratum) kinds(f feature) []stratum {
	if f.like == nil {
		return []stratum{st}
	}
	by := map[float64]stratum{}
	for _, a := range st.pass {
		if k, ok := f.like(a); ok {
			by[k] = stratum{pass: append(by[k].pass, a), fail: by[k].fail}
		}
	}
	for _, a := range st.fail {
		if k, ok := f.like(a); ok {
			by[k] = stratum{pass: by[k].pass, fail: append(by[k].fail, a)}
		}
	}
	list := make([]stratum, 0, len(by))
	for _, k := range slices.Sorted(maps.Keys(by)) {
		list = append(list, by[k])
	}
	return list
}

func collect(attempts []attempt, of func(attempt) (float64, bool)) []float64 {
	list := make([]float64, 0, len(attempts))
	for _, a := range attempts {
		if v, ok := of(a); ok {
			list = append(list, v)
		}
	}
	return list
}

// signals compares every feature; notCollected maps a signal to why it could not be had.
func signals(strata []stratum, notCollected map[string]string) []Signal {
	var list []Signal
	for _, f := range features() {
		sig := Signal{Name: f.name, Unit: f.unit}
		sig.fill(values(strata, f))
		if sig.Failures == 0 {
			sig.NotCollected = notCollected[f.needs]
			if sig.NotCollected == "" && len(strata) > 0 {
				sig.NotCollected = "no failing and passing attempt at the same time had it; not_collected in a bundle's manifest says what kept one attempt from it"
			}
		}
		list = append(list, sig)
	}
	for _, w := range waitings() {
		for _, name := range []string{w.outright, w.forSize} {
			find(list, name).Waiting = true
		}
	}
	correct(list)
	return list
}

func (sig *Signal) fill(v []stats.Stratum) {
	pass, fail := spread(v)
	if len(fail) == 0 {
		return
	}
	sig.Pass, sig.PassQuartiles = pass.summary()
	sig.Fail, sig.FailQuartiles = fail.summary()
	sig.ranks, _ = stats.VanElteren(v)
	sig.Passes, sig.Failures = sig.ranks.Y, sig.ranks.X
	if sig.tested() {
		auc := sig.ranks.AUC
		sig.AUC = &auc
	}
}

func (sig *Signal) tested() bool {
	return sig.Failures >= leastTested && sig.Passes >= leastTested
}

// correct sets the p-values, corrected for how many there are. A signal that was the same for all attempts of
// a stratum, everywhere, cannot be told apart whatever failed: it is no test and does not count as one.
func correct(list []Signal) {
	var p []float64
	for _, sig := range list {
		if sig.counts() {
			p = append(p, sig.ranks.P)
		}
	}
	p = stats.Holm(p)
	for i := range list {
		switch {
		case list[i].counts():
			list[i].P, p = &p[0], p[1:]
		case list[i].tested():
			one := 1.0
			list[i].P = &one
		}
	}
}

// counts tells that the signal is a test, which could have come out otherwise.
func (sig *Signal) counts() bool { return sig.tested() && sig.ranks.SE > 0 }

// find returns the signal of a name; it must be there.
func find(list []Signal, name string) *Signal {
	return &list[slices.IndexFunc(list, func(s Signal) bool { return s.Name == name })]
}

// weighted are values that count unequally, smallest first.
type weighted []struct{ value, weight float64 }

// spread collects both groups. A stratum's passes weigh together what its failures do: passes of a quiet
// hour in which nothing failed must not be what the failures of a bad hour are held against.
func spread(strata []stats.Stratum) (pass, fail weighted) {
	for _, s := range strata {
		for _, v := range s.X {
			fail = append(fail, struct{ value, weight float64 }{v, 1})
		}
		for _, v := range s.Y {
			pass = append(pass, struct{ value, weight float64 }{v, float64(len(s.X)) / float64(len(s.Y))})
		}
	}
	for _, w := range []weighted{pass, fail} {
		slices.SortFunc(w, func(a, b struct{ value, weight float64 }) int {
			return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(a.weight, b.weight))
		})
	}
	return pass, fail
}

func (w weighted) summary() (median *float64, quartiles *[2]float64) {
	m := w.quantile(0.5)
	return &m, &[2]float64{w.quantile(0.25), w.quantile(0.75)}
}

// quantile is the least value with at least a share q of the weight at or below it; where exactly q is, the
// mean of it and the next, so that the median of two values lies between them. There must be a value.
func (w weighted) quantile(q float64) float64 {
	const rounding = 1e-9 // of sums of weights like 1/3
	var total, below float64
	for _, e := range w {
		total += e.weight
	}
	for i, e := range w {
		below += e.weight
		switch d := below - q*total; {
		case i == len(w)-1, d > rounding*total:
			return e.value
		case d >= -rounding*total:
			return (e.value + w[i+1].value) / 2
		}
	}
	return 0
}
