package evidence

import (
	"encoding/json"
	"time"

	"heisen/repro/bundle"
	"heisen/stress/run"
)

// mostHolds bounds the holds that are read of a plan.
const mostHolds = 2000

// Plan is what a bundle's plan.json says was done to the attempt's schedule. It is read by the names in the file
// alone: reports know nothing of what carries plans out.
type Plan struct {
	Strategy string `json:"strategy"`
	Seed     uint64 `json:"seed"`
	// Drawn is what the strategy drew for the attempt, in words.
	Drawn string `json:"drawn"`
	// Settings are what it drew for the whole attempt beside holds.
	Settings map[string]string `json:"settings"`
	// Holds are those that were made, in the order of time; More counts those beyond the bound.
	Holds []Hold `json:"made"`
	More  int    `json:"-"`
}

// Hold is one thread kept from running.
type Hold struct {
	// Path, Kind, N and Steps are its address: the N-th point of a kind of the thread with that creation path, and
	// so many instructions after it.
	Path  string `json:"thread"`
	Kind  string `json:"kind"`
	Site  string `json:"site"`
	N     int64  `json:"n"`
	Steps int64  `json:"steps"`
	// Call is what the thread was doing, Name its name.
	Call string `json:"call"`
	Name string `json:"name"`
	TID  int    `json:"tid"`
	// At is when it began, since the attempt's start by the trace's clock where Placed is set, and Held how long it
	// lasted.
	At   time.Duration `json:"at_ns"`
	Held time.Duration `json:"held_ns"`
	// Thread is an index of the trace's threads, -1 where it is none of them.
	Thread int  `json:"-"`
	Placed bool `json:"-"`
}

// readPlan reads a plan as far as it can be made out; nil where it is no plan at all.
func readPlan(data []byte, t *bundle.Trace) *Plan {
	p := &Plan{}
	if json.Unmarshal(data, p) != nil || p.Strategy == "" {
		return nil
	}
	if n := len(p.Holds) - mostHolds; n > 0 {
		p.Holds, p.More = p.Holds[:mostHolds], n
	}
	for i := range p.Holds {
		p.Holds[i].Thread = -1
	}
	if t != nil {
		place(p.Holds, t)
	}
	return p
}

// place finds each hold's thread, and puts the holds on the trace's clock. The tracer tells of its holds by a clock
// that began with itself, so the first hold whose point is in the trace gives the difference between both.
func place(holds []Hold, t *bundle.Trace) {
	byTID := map[int]int{}
	for i, th := range t.Threads {
		byTID[th.TID] = i
	}
	points := pointsByAddress(t)
	shift, known := time.Duration(0), false
	for i := range holds {
		h := &holds[i]
		if at, ok := byTID[h.TID]; ok {
			h.Thread = at
		}
		thread := h.Thread
		if h.Path == run.AnyThread {
			thread = -1
		}
		if at, ok := points[pointAt{thread, h.Kind, h.Site, h.N}]; ok && h.Thread >= 0 && h.Steps == 0 && !known {
			shift, known = at-h.At, true
		}
	}
	for i := range holds {
		if known && holds[i].Thread >= 0 {
			holds[i].At, holds[i].Placed = holds[i].At+shift, true
		}
	}
}

// pointAt is a point as a hold names it: by its thread, -1 for any, its kind, its place where it has one, and the how manyth it is.
type pointAt struct {
	thread     int
	kind, site string
	n          int64
}

// pointsByAddress gives the time of the n-th point of each kind, at each place, of each thread and of any.
func pointsByAddress(t *bundle.Trace) map[pointAt]time.Duration {
	seen, at := map[pointAt]int64{}, map[pointAt]time.Duration{}
	for _, p := range t.Points {
		if p.Thread < 0 {
			continue
		}
		address := pointAt{thread: p.Thread, kind: p.Name, site: p.Site()}
		for _, thread := range []int{p.Thread, -1} {
			address.thread, address.n = thread, 0
			seen[address]++
			nth := address
			nth.n = seen[address]
			at[nth] = p.At
		}
	}
	return at
}
