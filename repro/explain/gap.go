package explain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"heisen/repro/replay"
	"heisen/stress/chaos"
	"heisen/stress/chaos/conductor"
	"heisen/stress/run"
)

// rival is an event of another thread that happened while a thread was held.
type rival struct {
	held  chaos.Made
	event chaos.Address
	name  string // of the thread
	// seen is in how many failing attempts it happened in that gap.
	seen int
	at   time.Duration // of the first time, to have an order
}

func (r *rival) key() string {
	return fmt.Sprint(r.held.Address, r.event)
}

// rivals lists, the most frequent first, the first event of each other thread in each gap of failing attempts.
func rivals(answers []replay.Answer) []rival {
	found := map[string]*rival{}
	for _, a := range answers {
		var record conductor.Record
		if json.Unmarshal(a.Record, &record) != nil || a.Trace == nil {
			continue
		}
		for _, r := range gaps(record.Made, a.Trace) {
			if known := found[r.key()]; known != nil {
				known.seen++
				continue
			}
			r.seen = 1
			found[r.key()] = &r
		}
	}
	var all []rival
	for _, r := range found {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b rival) int {
		return cmp.Or(cmp.Compare(b.seen, a.seen), cmp.Compare(a.at, b.at), strings.Compare(a.key(), b.key()))
	})
	return all
}

// gaps finds what other threads did during each hold of one attempt: the first thing each began, and where it went on from
// before that. Points of threads whose creation path is not
// certain are passed over: they could not be addressed.
func gaps(made []chaos.Made, t *run.Trace) []rival {
	paths := pathsOf(made, t)
	points := addressed(t, paths, slices.ContainsFunc(made, func(m chaos.Made) bool { return m.Thread == chaos.AnyThread }))
	var found []rival
	for _, m := range made {
		at := slices.IndexFunc(points, func(p placed) bool { return p.Address == plain(m.Address) })
		if at < 0 {
			continue
		}
		met, left := map[string]bool{points[at].path: true}, map[string]placed{}
		for _, p := range points[at+1:] {
			if p.at > points[at].at+m.Held {
				break
			}
			switch {
			case met[p.path]:
			case leaves(p.Address):
				left[p.path] = p
			default:
				met[p.path] = true
				found = append(found, rival{held: m, event: p.Address, name: p.name, at: p.at})
			}
		}
		for _, p := range left {
			found = append(found, rival{held: m, event: p.Address, name: p.name, at: p.at})
		}
	}
	return found
}

// leaves tells whether an event is the end of a call: what the call did had happened before, and what the thread does
// next is what may decide. Of several in a row the last is the one nearest to that.
func leaves(a chaos.Address) bool { return strings.HasSuffix(a.Kind, ".exit") }

// plain is an address without what is counted from it.
func plain(a chaos.Address) chaos.Address {
	a.Steps, a.CPU = 0, 0
	return a
}

// placed is a point with its address.
type placed struct {
	chaos.Address
	path string // of its thread
	at   time.Duration
	name string
}

// addressed gives the points that a plan can name their addresses: the n-th of that kind, at that site, of that thread; at
// breakpoints of any, where threads are not told apart there.
func addressed(t *run.Trace, paths []string, anyThread bool) []placed {
	counts := map[chaos.Address]int64{}
	var points []placed
	for _, p := range t.Points {
		if p.Source != run.FromTracer && p.Source != run.FromRuntime || p.Thread < 0 || p.Thread >= len(paths) || paths[p.Thread] == "" {
			continue
		}
		a := chaos.Address{Thread: paths[p.Thread], Kind: p.Name, Site: p.Site()}
		if p.Name == chaos.AtInstruction && anyThread {
			a.Thread = chaos.AnyThread
		}
		counts[a]++
		a.N = counts[a]
		points = append(points, placed{a, paths[p.Thread], p.At, t.Threads[p.Thread].Name})
	}
	return points
}

// pathsOf rebuilds the threads' creation paths from who created whom. Only threads of which the tracer or the runtime told
// count: what went on before, in a shell that looked for the program, has no number there. All paths are empty where that contradicts the paths of
// the threads that were held.
func pathsOf(made []chaos.Made, t *run.Trace) []string {
	paths := make([]string, len(t.Threads))
	children := make([]int, len(t.Threads))
	told := make([]bool, len(t.Threads))
	for _, p := range t.Points {
		if (p.Source == run.FromTracer || p.Source == run.FromRuntime) && p.Thread >= 0 && p.Thread < len(told) {
			told[p.Thread] = true
		}
	}
	for i := range t.Threads {
		switch parent := t.Threads[i].Parent; {
		case i > 0 && !told[i]:
		case i == 0:
			paths[i] = "0"
		case parent >= 0 && parent < i && paths[parent] != "":
			children[parent]++
			paths[i] = fmt.Sprintf("%s.%d", paths[parent], children[parent])
		}
	}
	for _, m := range made {
		i := slices.IndexFunc(t.Threads, func(th run.Thread) bool { return th.TID == m.TID })
		if m.TID != 0 && i >= 0 && m.Thread != chaos.AnyThread && paths[i] != m.Thread {
			return make([]string, len(t.Threads))
		}
	}
	return paths
}
