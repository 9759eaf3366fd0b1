package reports

import (
	"path/filepath"

	"heisen/stress/interleave"
	"heisen/stress/stats"
	"heisen/stress/tally"
)

// Interleavings says how many orders of things the latest epoch's attempts had.
type Interleavings struct {
	// Attempts are the judged attempts whose interleaving was recorded, Without the others.
	Attempts int64 `json:"attempts"`
	Without  int64 `json:"without"`
	// Variants is how many there were; Exact tells that it is counted and not estimated.
	Variants int64 `json:"variants"`
	Exact    bool  `json:"exact"`
	// Unseen is the estimated probability that the next attempt has a variant never seen, with its interval.
	Unseen     float64 `json:"unseen"`
	Low        float64 `json:"unseen_low"`
	High       float64 `json:"unseen_high"`
	Confidence float64 `json:"confidence"`
	// Lately is how many of the latest attempts, about half of all, brought how many new ones; nil before
	// there are 8.
	Lately *Lately `json:"lately,omitempty"`
	// Growth is how many variants there were after 1, 2, 4, ... attempts and after all.
	Growth []Grown `json:"growth,omitempty"`
	// Unlisted are attempts whose variant is not among the listed.
	UnlistedPass int64 `json:"unlisted_pass,omitempty"`
	UnlistedFail int64 `json:"unlisted_fail,omitempty"`
}

// Lately is how the number of variants grew in the latest attempts.
type Lately struct {
	Attempts int64 `json:"attempts"`
	New      int64 `json:"new"`
}

// Grown is how many variants so many attempts had.
type Grown struct {
	Attempts int64 `json:"attempts"`
	Variants int64 `json:"variants"`
}

// Variant is one interleaving and how often it came.
type Variant struct {
	ID    string `json:"id"`
	Count int64  `json:"count"`
	Pass  int64  `json:"pass"`
	Fail  int64  `json:"fail"`
	First int64  `json:"first_attempt"`
	// NearMiss tells that attempts with it passed, none failed, and most passes are of another.
	NearMiss bool `json:"near_miss,omitempty"`
	// Exemplar is the folder of an attempt with it, absolute.
	Exemplar string `json:"exemplar,omitempty"`
}

// Divergence says where failing interleavings part from passing ones: of all failures together, and of each
// of the most frequent signatures where there are several.
type Divergence struct {
	*interleave.Divergence
	BySignature map[string]*interleave.Divergence `json:"by_signature,omitempty"`
}

// Compare makes the divergence of a campaign's sample; nil where there is nothing to compare. Signatures
// beyond the ten most frequent go without.
func Compare(s *interleave.Sample, signatures []tally.Signature) *Divergence {
	all := s.Diverge(nil)
	if all == nil {
		return nil
	}
	d := &Divergence{Divergence: all}
	if len(signatures) < 2 {
		return d
	}
	d.BySignature = map[string]*interleave.Divergence{}
	for _, sig := range signatures[:min(len(signatures), maxCompared)] {
		if one := s.Diverge(&sig.ID); one != nil {
			d.BySignature[sig.ID] = one
		}
	}
	return d
}

func interleavings(c *tally.Census) *Interleavings {
	if c.Attempts == 0 {
		return nil
	}
	share, in := c.Unseen()
	r := &Interleavings{Attempts: c.Attempts, Without: c.Without, Variants: c.Distinct(), Exact: c.Exact(), Unseen: share,
		Low: in.Low, High: in.High, Confidence: stats.Confidence, UnlistedPass: c.UnlistedPass, UnlistedFail: c.UnlistedFail}
	if attempts, fresh, ok := c.Half(); ok {
		r.Lately = &Lately{attempts, fresh}
	}
	for i, n := range c.Growth {
		r.Growth = append(r.Growth, Grown{Attempts: 1 << i, Variants: n})
	}
	if n := len(r.Growth); n > 0 && r.Growth[n-1].Attempts < c.Attempts {
		r.Growth = append(r.Growth, Grown{Attempts: c.Attempts, Variants: r.Variants})
	}
	return r
}

func variants(c *tally.Census, dir string) []Variant {
	listed := c.Variants()
	var common int64
	for _, v := range listed {
		common = max(common, v.Pass)
	}
	var all []Variant
	for _, v := range listed {
		out := Variant{ID: v.ID, Count: v.Count(), Pass: v.Pass, Fail: v.Fail, First: v.First,
			NearMiss: v.Fail == 0 && v.Pass < common}
		if v.Exemplar != "" && filepath.IsLocal(v.Exemplar) {
			out.Exemplar = filepath.Join(dir, v.Exemplar)
		}
		all = append(all, out)
	}
	return all
}
