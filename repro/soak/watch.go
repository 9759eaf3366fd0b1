package soak

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"heisen/stress/stats"
)

const (
	// hour is what is compared: the last one with the first.
	hour = time.Hour
	// blocks is how many parts an hour is cut into; each gives one value, so that what attempts of the same minute
	// have in common is not taken for many observations.
	blocks = 20
	block  = hour / blocks
	// perBlock bounds the values a block keeps.
	perBlock = 256
	// watchError is the chance that a soak without drift, or without growth, is ever told to have some.
	watchError = 0.01
	// largeShift is how far from one half the probability of a greater value must be, as in stress/contrast.
	largeShift = 0.21
	// leastGrowth is by how much of its first level a resource must have grown to be told.
	leastGrowth = 0.1
)

// failedShare names the share of failing attempts among the signals.
const failedShare = "failure rate"

// Sample is what the watch needs of one judged attempt.
type Sample struct {
	// At is the time since the soak's start at which the attempt ended, pauses not counted.
	At     time.Duration
	Failed bool
	// Signals are values by name: durations, starvation signals, resources. A missing one was not collected.
	Signals map[string]float64
}

// Watch looks for drift (the last hour unlike the first) and growth (a resource that rises from hour to hour).
// Samples come in the order of At. It is not safe for concurrent use.
type Watch struct {
	// Grows names the signals that should stay level over a soak: memory, descriptors, processes, temp files.
	grows  []string
	now    int // number of the block that is being filled
	values map[string][]float64
	seen   map[string]int
	// past are the medians of the blocks that are over, by signal; NaN where a block had no value.
	past map[string][]float64
}

// NewWatch returns a watch that also looks for growth of these signals.
func NewWatch(grows ...string) *Watch {
	return &Watch{grows: grows, values: map[string][]float64{}, seen: map[string]int{}, past: map[string][]float64{}}
}

// Add takes in an attempt.
func (w *Watch) Add(s Sample) {
	for at := int(s.At / block); w.now < at; w.now++ {
		w.close()
	}
	failed := 0.0
	if s.Failed {
		failed = 1
	}
	w.put(failedShare, failed)
	for name, v := range s.Signals {
		w.put(name, v)
	}
}

// put keeps a value; once a block is full every second one of it is let go and of what comes only every second,
// fourth, ... is kept, so that what is kept is spread over the block.
func (w *Watch) put(name string, v float64) {
	n := w.seen[name]
	w.seen[name]++
	kept := w.values[name]
	step := 1
	for s := n; s >= perBlock; s /= 2 {
		step *= 2
	}
	if n%step != 0 {
		return
	}
	if len(kept) >= perBlock {
		for i := range perBlock / 2 {
			kept[i] = kept[2*i]
		}
		kept = kept[:perBlock/2]
	}
	w.values[name] = append(kept, v)
}

// close ends the present block.
func (w *Watch) close() {
	for name := range w.values {
		if _, known := w.past[name]; !known {
			w.past[name] = slices.Repeat([]float64{math.NaN()}, w.now)
		}
	}
	for name, medians := range w.past {
		v := math.NaN()
		if values := w.values[name]; len(values) > 0 {
			v = middle(values, name == failedShare)
		}
		w.past[name] = append(medians, v)
	}
	clear(w.values)
	clear(w.seen)
}

// middle is the median, or the mean of zeros and ones.
func middle(values []float64, mean bool) float64 {
	if mean {
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		return sum / float64(len(values))
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// Notice is one thing the watch tells.
type Notice struct {
	Signal string `json:"signal"`
	// From and To are the medians of the first and of the last hour, or for growth the first level and the last.
	From float64 `json:"from"`
	To   float64 `json:"to"`
	// P is corrected for the number of signals and has to be below Level.
	P     float64 `json:"p"`
	Level float64 `json:"level"`
	Grows bool    `json:"grows"`
}

// Sentence says it.
func (n Notice) Sentence() string {
	if n.Grows {
		return fmt.Sprintf("%s grows: from %s to %s since the start (p = %.1g)", n.Signal, digits(n.From), digits(n.To), n.P)
	}
	return fmt.Sprintf("the last hour is unlike the first: %s %s, %s then (p = %.1g)", n.Signal, digits(n.To), digits(n.From), n.P)
}

// Hours is how many whole hours are over.
func (w *Watch) Hours() int { return w.now / blocks }

// Notices are what is to be told after the last whole hour: nothing before the second is over. They are tested
// once an hour, at the level watchError / (h (h - 1)) after h hours: all hours together at watchError, for drift and
// for growth each.
func (w *Watch) Notices() []Notice {
	h := w.Hours()
	if h < 2 {
		return nil
	}
	level := watchError / float64(h*(h-1))
	list := append(w.drift(h, level), w.growth(h, level)...)
	slices.SortStableFunc(list, func(a, b Notice) int { return cmp.Or(cmp.Compare(a.P, b.P), cmp.Compare(a.Signal, b.Signal)) })
	return list
}

// drift compares the blocks of the last whole hour with those of the first by ranks.
func (w *Watch) drift(h int, level float64) []Notice {
	var tests []test
	for _, name := range w.names() {
		first, last := present(w.past[name][:blocks]), present(w.past[name][(h-1)*blocks:h*blocks])
		if r, ok := stats.VanElteren([]stats.Stratum{{X: last, Y: first}}); ok {
			share := name == failedShare
			tests = append(tests, test{p: r.P, matters: math.Abs(r.AUC-0.5) >= largeShift,
				notice: Notice{Signal: name, From: middle(first, share), To: middle(last, share)}})
		}
	}
	return told(tests, level)
}

// growth tests each resource for a rise over all whole hours, by the medians of as many parts as an hour has blocks.
func (w *Watch) growth(h int, level float64) []Notice {
	const ends = blocks / 4 // the first and the last level are medians of so many parts
	var tests []test
	for _, name := range w.grows {
		series := parts(w.past[name], h)
		if len(series) < blocks {
			continue
		}
		trend := stats.MannKendall(series)
		from, to := middle(slices.Clone(series[:ends]), false), middle(slices.Clone(series[blocks-ends:]), false)
		tests = append(tests, test{p: trend.P, matters: trend.Tau > 0 && to > from && to-from >= leastGrowth*math.Abs(from),
			notice: Notice{Signal: name, From: from, To: to, Grows: true}})
	}
	return told(tests, level)
}

// test is one signal's: what would be told, and whether it is large enough to matter.
type test struct {
	p       float64
	matters bool
	notice  Notice
}

// told corrects tests by Holm for their number and keeps what is both sure and large enough.
func told(tests []test, level float64) (list []Notice) {
	p := make([]float64, len(tests))
	for i, t := range tests {
		p[i] = t.p
	}
	for i, corrected := range stats.Holm(p) {
		if n := tests[i].notice; tests[i].matters && corrected <= level {
			n.P, n.Level = corrected, level
			list = append(list, n)
		}
	}
	return list
}

// parts cuts h hours of blocks into as many parts as an hour has blocks, each h blocks long, and takes their medians.
func parts(past []float64, h int) (series []float64) {
	for at := 0; at+h <= min(len(past), h*blocks); at += h {
		if values := present(past[at : at+h]); len(values) > 0 {
			series = append(series, middle(values, false))
		}
	}
	return series
}

// lacking says of resources without a value, once an hour is over, why there is none.
func (w *Watch) lacking(why map[string]string) map[string]string {
	if w.Hours() == 0 {
		return nil
	}
	var lacks map[string]string
	for _, name := range w.grows {
		if len(present(w.past[name])) > 0 {
			continue
		}
		if lacks == nil {
			lacks = map[string]string{}
		}
		lacks[name] = cmp.Or(why[name], "no attempt that was left alone had a figure: too short for the sampler, or in part hidden from it")
	}
	return lacks
}

// names are the signals with a value in the last whole hour's time, in order.
func (w *Watch) names() (list []string) {
	for name, medians := range w.past {
		if len(medians) >= w.Hours()*blocks {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// present are the values that are there.
func present(values []float64) (list []float64) {
	for _, v := range values {
		if !math.IsNaN(v) {
			list = append(list, v)
		}
	}
	return list
}
