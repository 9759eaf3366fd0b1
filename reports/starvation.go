package reports

import (
	"heisen/stress/contrast"
	"heisen/stress/tally"
)

// maxCompared bounds how many signatures get a verdict of their own: each takes tens of milliseconds.
const maxCompared = 10

// Starvation is the verdict on all failures together, and on each of the most frequent signatures.
type Starvation struct {
	contrast.Finding
	BySignature map[string]contrast.Finding `json:"by_signature,omitempty"`
}

// starvation compares failing with passing attempts of the same time; nil where no attempt failed.
func starvation(t *tally.Tally, notCollected map[string]string) *Starvation {
	sample := t.Contrast()
	if sample.Seen().Failures == 0 {
		return nil
	}
	s := &Starvation{Finding: sample.Compare(notCollected)}
	ids := sample.Signatures()
	if len(ids) < 2 {
		return s // it would say the same again
	}
	s.BySignature = map[string]contrast.Finding{}
	for _, id := range ids[:min(len(ids), maxCompared)] {
		s.BySignature[id] = sample.CompareSignature(id, notCollected)
	}
	return s
}
