package interleave

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"heisen/stress/run"
)

// Form is the canonical form of one attempt's trace. Its events stand in an order that is the same for all
// traces of one variant (see docs/interleavings.md).
type Form struct {
	// Variant names the order: the same for attempts of the same order, on any machine. It is empty where
	// nothing was recorded.
	Variant string   `json:"variant"`
	Threads []Thread `json:"threads,omitempty"`
	Events  []Event  `json:"events,omitempty"`
	// Numbers are the identities' in the order of their first appearance, by name: threads and what events
	// were about.
	Numbers map[string]int `json:"numbers,omitempty"`
	// Left counts events beyond MaxEvents: they are in Variant and not in Events.
	Left int `json:"left,omitempty"`
}

// Event is one event of a Form.
type Event struct {
	// Key is the same for the same event of any attempt: who did what with what, identities between brackets
	// and named by where they first appeared. An event that comes again has the same key again.
	Key string `json:"key"`
	// Thread is an index of Form.Threads: who did it, -1 where that is not known.
	Thread int        `json:"thread"`
	Source run.Source `json:"source"`
	// Starts is the thread whose first moment on a CPU this is, -1 for another event.
	Starts int `json:"starts"`
	// At is since the attempt's start.
	At time.Duration `json:"at_ns"`
}

// MaxEvents is how many events of one attempt a Form keeps.
const MaxEvents = 4096

// formVersion is raised when the same trace gets another canonical text. Variants of different versions
// differ.
const formVersion = "heisen interleaving 1\n"

// Canonical makes the canonical form of a trace; nil gives an empty one. The trace is only read. It takes
// time in proportion to n log n for n threads and points together.
func Canonical(t *run.Trace) Form {
	if t == nil {
		return Form{}
	}
	w := newWriter(t)
	spine := w.spine()
	if len(spine) == 0 {
		return Form{Threads: w.form.Threads}
	}
	for _, step := range spine {
		w.write(step)
	}
	w.form.Variant = hex.EncodeToString(w.hash.Sum(nil)[:8])
	return w.form
}

// digest is a short name for a long text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// kind is what a step of the spine is.
type kind uint8

const (
	marked kind = iota
	create
	firstRun
	exit
)

// step is one event of the order, before it is put into words.
type step struct {
	kind   kind
	thread int // who: of create, the creator; of firstRun and exit, the thread itself
	child  int // of create
	point  int // index of Trace.Points, of marked
	at     time.Duration
}

// orders tells the sources whose points make the order of a variant: what the user or the test marked. A
// tracer's and a runtime's points come in numbers that change with every contended lock, so that each
// attempt would be its own variant.
func orders(s run.Source) bool {
	return s == run.FromOutput || s == run.FromLine || s == run.FromTest
}

// spine is the order of a trace. Marked events stand in the order of their times. What the scheduler tells
// is put between them by its relation to the creator's own events alone, since the order in which threads
// that have nothing to do with one another start is noise:
//
//   - a creation stands before the creator's next marked event;
//   - a first run stands after the last of the creator's own events that came before it. Where none of those
//     is marked, only the creator's next event and its end count;
//   - a process's end stands before or after that of the thread that created it. Threads of one process
//     end all at once, in any order, with exit_group(2), and are left out.
func (w *writer) spine() []step {
	own := make([][]step, len(w.trace.Threads)) // of each thread: creations and marks, in order
	var marks []step
	for i, p := range w.trace.Points {
		if !orders(p.Source) {
			continue
		}
		s := step{kind: marked, thread: p.Thread, point: i, at: p.At}
		if p.Thread >= len(own) {
			s.thread = -1
		}
		marks = append(marks, s)
		if s.thread >= 0 {
			own[s.thread] = append(own[s.thread], s)
		}
	}
	slices.SortStableFunc(marks, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	for p, children := range ordered(w.trace) {
		for _, c := range children {
			if at := w.trace.Threads[c].Created; at != run.NotSeen {
				own[p] = append(own[p], step{kind: create, thread: p, child: c, at: at})
			}
		}
		slices.SortStableFunc(own[p], func(a, b step) int { return cmp.Compare(a.at, b.at) })
	}
	return newLayout(w.trace, own).all(marks)
}
