package tracer

import (
	"fmt"
	"strings"
	"time"

	"heisen/stress/chaos"
)

// hold stops threads at sync points for a while. It is for races in which a thread must lose the CPU just before or
// just after it meets another: a waker that is late after its wake (bpo-37224), a thread that starts late, a
// lock taken in between, a signal that comes early. Blind low rates find nothing that needs two holds, and holding
// everything only makes the test slow, so it is a swarm (Groce et al. 2012, swarm testing): each attempt draws which
// kinds of point, which threads, how likely and how long.
type hold struct {
	passive
	seed    source
	group   [kinds]bool // kinds of call that are held
	edges   [2]bool
	victims float64
	likely  float64
	longest time.Duration
	few     bool // lengths are log-uniform below the longest; else uniform
	late    bool // threads start late, for long, and nothing else is held
}

// lateShare is how many attempts hold threads at their first instruction and nowhere else. An attempt has few births
// beside its other points, and what takes for granted that a thread has begun allows it some time: drawn as one kind
// among all, a start that is late enough came in 2 attempts of 100.
const lateShare = 0.2

// families are kinds that are drawn together: what holds a futex's wake and not its wait is still drawn apart, by the
// edges and by families of one.
var families = []struct {
	name  string
	share float64 // of attempts that hold it: threads meet at wakes and waits most of all
	kinds []kind
}{
	{"wake", 0.5, []kind{futexWake, futexRequeue, eventWrite}},
	{"wait", 0.5, []kind{futexWait, eventRead, signalWait}},
	{"birth", 0.3, []kind{clone, threadStart, execve}},
	{"death", 0.2, []kind{exit, wait}},
	{"stream", 0.25, []kind{pipeRead, pipeWrite, socketRecv, socketSend, socketOpen, socketAccept}},
	{"time", 0.2, []kind{poll, sleep, yield, timerRead}},
	{"file", 0.2, []kind{lock, fileCreate, fileRename, fileUnlink}},
	{"signal", 0.2, []kind{signalled, signalSend}},
}

func newHold(p *chaos.Plan) *hold {
	s := source(p.Seed).of("hold")
	h := &hold{seed: s.of("points")}
	h.victims = []float64{0.25, 0.5, 1}[s.of("victims").below(3)]
	h.likely = []float64{0.1, 0.3, 0.7, 0.7}[s.of("likely").below(4)]
	h.longest = s.of("longest").between(p.MaxHold/5, p.MaxHold)
	h.few = s.of("shape").chance(0.3)
	if s.of("late").chance(lateShare) {
		h.late, h.group[threadStart] = true, true
		h.victims = []float64{0.5, 1}[s.of("late victims").below(2)]
		h.likely, h.longest = 1, p.MaxHold
		return h
	}
	for any := false; !any; s = s.with(1) {
		for _, f := range families {
			on := s.of(f.name).chance(f.share)
			any = any || on
			for _, k := range f.kinds {
				h.group[k] = on
			}
		}
	}
	// The exit of a wake is where a waker loses the CPU.
	switch s.of("edges").below(4) {
	case 0:
		h.edges = [2]bool{true, false}
	case 1:
		h.edges = [2]bool{true, true}
	default:
		h.edges = [2]bool{false, true}
	}
	return h
}

func (h *hold) at(t *task, p point, n int64) act {
	if !h.group[p.kind()] || !h.edges[p.edge()] && !unsided(p) {
		return act{}
	}
	thread := h.seed.with(t.hash)
	if !thread.of("victim").chance(h.victims) {
		return act{}
	}
	here := thread.with(uint64(p)).with(uint64(n))
	if !here.chance(h.likely) {
		return act{}
	}
	if h.late {
		return act{hold: here.of("long").between(h.longest/5, h.longest)}
	}
	if h.few {
		return act{hold: here.of("long").between(min(100*time.Microsecond, h.longest), h.longest)}
	}
	return act{hold: time.Duration(here.of("long").unit() * float64(h.longest))}
}

// unsided tells whether a point is neither the entry nor the exit of a call.
func unsided(p point) bool {
	switch p.kind() {
	case threadStart, signalled, exit, breakpoint:
		return true
	}
	return false
}

func (h *hold) drawn() string {
	if h.late {
		return fmt.Sprintf("late starts of %.0f %% of threads, up to %s", 100*h.victims, h.longest.Round(time.Microsecond))
	}
	var on []string
	for _, f := range families {
		if h.group[f.kinds[0]] {
			on = append(on, f.name)
		}
	}
	side := "entries and exits"
	if !h.edges[leave] {
		side = "entries"
	} else if !h.edges[entry] {
		side = "exits"
	}
	return fmt.Sprintf("%s of %s, %.0f %% of them, %.0f %% of threads, up to %s", side, strings.Join(on, " "), 100*h.likely,
		100*h.victims, h.longest.Round(time.Microsecond))
}
