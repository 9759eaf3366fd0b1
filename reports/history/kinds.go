package history

import (
	"time"

	"heisen/stress/run"
)

// Bounds on what attempts are told apart by. What is beyond is counted, not named.
const (
	mostKinds    = 256
	mostFailures = 1000
)

// Other stands for the signatures and strategies there was no room for.
const Other = "…"

// Kind is what a reader may choose attempts by.
type Kind struct {
	Outcome run.Outcome
	// Signature is the id of a failure's; "" for none. Strategy is what disturbed the schedule; "" for nothing.
	Signature, Strategy string
}

// Failure is one failing attempt.
type Failure struct {
	Seq int64
	// Kind is an index of History.Kinds.
	Kind int
	// At is when it ended, since History.Start; Wall how long it took.
	At, Wall time.Duration
	// Bundle is its folder below the campaign's; "" where only a record was kept.
	Bundle string
}

// kind is the index of an attempt's kind, which is listed where there is room.
func (h *History) kind(e run.Finished) int {
	k := Kind{Outcome: e.Outcome}
	if e.Chaos != nil {
		k.Strategy = e.Chaos.Strategy
	}
	if e.Filed != nil && e.Outcome.Failed() {
		k.Signature = e.Filed.Signature
	}
	if h.kinds == nil {
		h.kinds = map[Kind]int{}
	}
	i, known := h.kinds[k]
	if !known && len(h.Kinds) >= mostKinds {
		// These few are listed beyond the bound; a stranger's journal may hold outcomes that there are not.
		if k.Signature, k.Strategy = Other, Other; !k.Outcome.Valid() {
			k.Outcome = Other
		}
		i, known = h.kinds[k]
	}
	if !known {
		i = len(h.Kinds)
		h.Kinds, h.kinds[k] = append(h.Kinds, k), i
	}
	return i
}

// list keeps a failure while there is room.
func (h *History) list(e run.Finished, end time.Time, kind int) {
	if len(h.Failures) == mostFailures {
		return
	}
	f := Failure{Seq: e.Seq, Kind: kind, At: max(end.Sub(h.Start), 0), Wall: time.Duration(e.Wall) * time.Microsecond}
	if e.Filed != nil {
		f.Bundle = e.Filed.Bundle
	}
	h.Failures = append(h.Failures, f)
}
