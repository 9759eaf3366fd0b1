package interleave

import (
	"cmp"
	"slices"
	"strconv"

	"heisen/stress/run"
	"heisen/stress/stats"
)

// Pair is an order of two events that separates failing from passing attempts: First came before Second, or
// Second never came.
type Pair struct {
	First  string `json:"first"`
	Second string `json:"second"`
	// Pass and Fail are in how many of Passes and of Failures attempts that was so.
	Pass     int `json:"pass"`
	Passes   int `json:"passes"`
	Fail     int `json:"fail"`
	Failures int `json:"failures"`
	// P is Fisher's exact test, two-sided, corrected for the number of orders looked at.
	P float64 `json:"p"`

	first, second *moment
	decided       float64
}

// Significant is the corrected level at which an order is said to separate.
const Significant = 0.01

// mostMoments bounds the events that are set in pairs, and mostPairs the pairs that are told.
const (
	mostMoments = 160
	mostPairs   = 10
)

// moment is one event, told apart from others of its key by how often it had come, in all attempts.
type moment struct {
	key    string
	event  Event
	time   int     // the how manieth of its key it is
	thread string  // key; "" where that is not known
	rank   []int32 // by attempt: its place in the order of times, absent where it never came
	fails  int     // attempts that had it
	passes int
}

const absent int32 = 1 << 30

// moments lists the events that came in at least two attempts, the most telling first where there are
// too many: marked before the scheduler's, frequent before rare.
func moments(all []*Observed) []*moment {
	known := map[string]*moment{}
	var list []*moment
	for n, o := range all {
		order := make([]int, len(o.Form.Events))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(o.Form.Events[a].At, o.Form.Events[b].At) })
		times := map[string]int{}
		for place, i := range order {
			e := o.Form.Events[i]
			e.Key = bare(e)
			times[e.Key]++
			key := e.Key + slot + strconv.Itoa(times[e.Key])
			m := known[key]
			if m == nil {
				m = &moment{key: key, event: e, rank: slices.Repeat([]int32{absent}, len(all))}
				m.time = times[e.Key]
				if e.Thread >= 0 {
					m.thread = o.Form.Threads[e.Thread].Key
				}
				known[key] = m
				list = append(list, m)
			}
			m.rank[n] = int32(place)
			if o.Failed {
				m.fails++
			} else {
				m.passes++
			}
		}
	}
	list = slices.DeleteFunc(list, func(m *moment) bool { return m.fails+m.passes < 2 })
	slices.SortStableFunc(list, func(a, b *moment) int {
		return cmp.Or(cmp.Compare(class(a), class(b)), cmp.Compare(b.fails+b.passes, a.fails+a.passes), cmp.Compare(a.key, b.key))
	})
	return list[:min(len(list), mostMoments)]
}

func class(m *moment) int {
	switch m.event.Source {
	case run.FromLine: // its time is when heisen came to read it
		return 2
	case run.FromSched:
		return 1
	}
	return 0
}

// pairs tests every order of two events of different threads. Looked is how many orders could have come out
// otherwise: those that were the same in every attempt are no tests.
func pairs(list []*moment, all []*Observed) (found []Pair, looked int) {
	fails := 0
	for _, o := range all {
		if o.Failed {
			fails++
		}
	}
	for i, a := range list {
		for _, b := range list[i+1:] {
			for _, o := range [][2]*moment{{a, b}, {b, a}} {
				p, varies := order(o[0], o[1], all)
				if !varies {
					continue
				}
				p.Failures, p.Passes = fails, len(all)-fails
				complement := o[0] == b && a.fails+a.passes == len(all) && b.fails+b.passes == len(all)
				if !complement {
					looked++ // where both always come, one order is the other one's opposite
				}
				if !tellable(p) || complement && p.Pass*fails < p.Fail*p.Passes {
					continue
				}
				p.P = stats.Fisher(int64(p.Pass), int64(p.Passes-p.Pass), int64(p.Fail), int64(fails-p.Fail))
				found = append(found, p)
			}
		}
	}
	return rankPairs(found, looked), looked
}

// order counts in which attempts a came before b.
func order(a, b *moment, all []*Observed) (p Pair, varies bool) {
	p = Pair{first: a, second: b}
	before, decided := 0, 0.0
	for n, o := range all {
		switch {
		case a.rank[n] < b.rank[n]:
			before++
			if o.Failed {
				p.Fail++
			} else {
				p.Pass++
			}
		case o.Failed && b.rank[n] != absent:
			decided += float64(b.rank[n])
		}
	}
	p.decided = decided
	return p, before > 0 && before < len(all)
}

// tellable tells an order that can be a cause from a symptom: one that passing attempts have more often,
// of two threads, whose second event came in failing attempts as well as in passing ones. A first event that
// never came in a failure says something only as another thread's.
func tellable(p Pair) bool {
	a, b := p.first, p.second
	switch {
	case p.Pass*p.Failures <= p.Fail*p.Passes:
		return false
	case a.passes == 0 || b.passes == 0 || b.fails == 0:
		return false
	case a.thread != "" && a.thread == b.thread:
		return false
	case a.thread == "" || b.thread == "":
		return a.fails > 0
	}
	return true
}

// rankPairs corrects for the number of orders looked at, and puts the best first; of those that separate
// equally well, the one that was decided first in the failing attempts, for what came later may have followed from it.
func rankPairs(found []Pair, looked int) []Pair {
	for i := range found {
		p := &found[i]
		p.P = min(p.P*float64(looked), 1)
		if wrong := p.Failures - p.Fail; wrong > 0 {
			p.decided /= float64(wrong)
		}
	}
	slices.SortStableFunc(found, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.P, b.P), cmp.Compare(a.decided, b.decided), cmp.Compare(starts(b), starts(a)),
			cmp.Compare(a.first.key, b.first.key), cmp.Compare(a.second.key, b.second.key))
	})
	return found
}

// starts prefers, among orders that separate equally well at the same moment, that of a thread's first
// moment on a CPU: what it did later followed from it.
func starts(p Pair) int {
	if p.first.event.Starts >= 0 {
		return 1
	}
	return 0
}
