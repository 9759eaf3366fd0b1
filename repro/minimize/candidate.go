package minimize

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Hold is one decision of a plan by its place there, and for how long it holds.
type Hold struct {
	ID     int           `json:"id"`
	Length time.Duration `json:"length_ns"`
}

// Candidate is what one attempt is given: holds, and conditions by name (load, width, a variable).
type Candidate struct {
	Holds      []Hold   `json:"holds"`
	Conditions []string `json:"conditions,omitempty"`
}

// key names a candidate in a State.
func (c Candidate) key() string {
	var b strings.Builder
	for _, h := range c.Holds {
		fmt.Fprintf(&b, "%d=%d ", h.ID, h.Length)
	}
	return b.String() + "| " + strings.Join(c.Conditions, ",")
}

// without is the candidate less the holds from one place to another.
func (c Candidate) without(from, to int) Candidate {
	c.Holds = slices.Concat(c.Holds[:from], c.Holds[to:])
	return c
}

// lasting is the candidate with one hold of another length.
func (c Candidate) lasting(at int, length time.Duration) Candidate {
	c.Holds = slices.Clone(c.Holds)
	c.Holds[at].Length = length
	return c
}

// lacking is the candidate less one condition.
func (c Candidate) lacking(condition string) Candidate {
	c.Conditions = slices.DeleteFunc(slices.Clone(c.Conditions), func(s string) bool { return s == condition })
	return c
}

// Outcome is how one attempt ended.
type Outcome int

// The outcomes. A failure with another signature is no reproduction, or minimising would drift to another bug.
const (
	Passed Outcome = iota
	Reproduced
	OtherFailure
)

// Trier runs attempts. It may run them side by side, and leaves out of its answer those that said nothing of the
// test (skipped, killed from outside, the machine's fault).
type Trier interface {
	Try(ctx context.Context, c Candidate, n int) ([]Outcome, error)
}

// Tally counts judged attempts of one candidate.
type Tally struct {
	Attempts   int64 `json:"attempts"`
	Reproduced int64 `json:"reproduced"`
	Other      int64 `json:"other"`
}

// Share is the rate that was seen; 0 before any attempt.
func (t *Tally) Share() float64 { return float64(t.Reproduced) / float64(max(t.Attempts, 1)) }

func (t *Tally) add(outcomes []Outcome) {
	for _, o := range outcomes {
		t.Attempts++
		switch o {
		case Reproduced:
			t.Reproduced++
		case OtherFailure:
			t.Other++
		}
	}
}
