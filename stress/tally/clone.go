package tally

import (
	"maps"
	"slices"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"heisen/stress/contrast"
)

// Clone returns an independent copy, for a reader in another goroutine. It copies memory and encodes
// nothing: a live view asks the dispatcher for one twice a second. The copy's Contrast and Census are empty.
func (t *Tally) Clone() *Tally {
	c := &Tally{s: t.s, times: durations{pass: copyOf(t.times.pass), fail: copyOf(t.times.fail)}, contrast: contrast.New(), census: &Census{}}
	c.s.Counts = t.s.Counts.clone()
	c.s.Epochs = slices.Clone(t.s.Epochs)
	for i, e := range c.s.Epochs {
		c.s.Epochs[i].Counts = e.Counts.clone()
	}
	c.s.Done = slices.Clone(t.s.Done)
	c.s.Tries = maps.Clone(t.s.Tries)
	c.s.Retries = maps.Clone(t.s.Retries)
	c.s.Machine = maps.Clone(t.s.Machine)
	c.s.Passes = slices.Clone(t.s.Passes)
	c.s.Exemplars = slices.Clone(t.s.Exemplars)
	if t.s.Ledger != nil {
		c.s.Ledger = t.s.Ledger.Clone()
	}
	c.s.Signatures = make([]*Signature, len(t.s.Signatures))
	for i, sig := range t.s.Signatures {
		copied := sig.clone()
		c.s.Signatures[i] = &copied
	}
	return c
}

func copyOf(h *hdr.Histogram) *hdr.Histogram { return hdr.Import(h.Export()) }

func (c Counts) clone() Counts {
	c.ByOutcome, c.Disturbed = maps.Clone(c.ByOutcome), maps.Clone(c.Disturbed)
	return c
}

func (s *Signature) clone() Signature {
	c := *s
	c.Bundles, c.ByOutcome, c.Held = slices.Clone(s.Bundles), maps.Clone(s.ByOutcome), maps.Clone(s.Held)
	return c
}
