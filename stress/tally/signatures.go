package tally

import (
	"cmp"
	"slices"

	"heisen/stress/run"
)

// maxSignatures bounds how many different failures are listed: a test that prints random words on each
// failure must not fill the memory. The rest is counted as Unlisted.
const maxSignatures = 2000

// Signature is one kind of failure in a campaign.
type Signature struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Count int64  `json:"count"`
	// Epoch is the latest epoch it was seen in, First and Last the attempts' numbers.
	Epoch     int                   `json:"epoch"`
	First     int64                 `json:"first"`
	Last      int64                 `json:"last"`
	ByOutcome map[run.Outcome]int64 `json:"by_outcome"`
	// Bundles are the folders kept, relative to the campaign's, in the order in which they came.
	Bundles []string `json:"bundles,omitempty"`
	// Held is by strategy the bundle of the attempt with the fewest holds, of those that had some: holds can be cut down to a
	// cause and explained, which other ways of disturbing cannot.
	Held map[string]Held `json:"held,omitempty"`
}

// Held is a bundle whose attempt had so many holds.
type Held struct {
	Bundle string `json:"bundle"`
	Holds  int64  `json:"holds"`
}

// keep adds a bundle.
func (s *Signature) keep(e run.Finished) {
	s.Bundles = append(s.Bundles, e.Filed.Bundle)
	c := e.Chaos
	if c == nil || c.Held == 0 {
		return
	}
	if best, have := s.Held[c.Strategy]; !have || c.Made < best.Holds {
		if s.Held == nil {
			s.Held = map[string]Held{}
		}
		s.Held[c.Strategy] = Held{Bundle: e.Filed.Bundle, Holds: c.Made}
	}
}

// file notes where an attempt's evidence went and which failure it is.
func (t *Tally) file(e run.Finished) {
	if e.Filed.Signature == "" {
		switch {
		case e.Filed.Bundle == "":
		case e.Filed.Exemplar:
			t.s.Exemplars = append(t.s.Exemplars, e.Filed.Bundle)
		default:
			t.s.Passes = append(t.s.Passes, e.Filed.Bundle)
		}
		return
	}
	sig := t.signature(e.Filed.Signature)
	if sig == nil {
		t.s.Unlisted++
		return
	}
	if sig.Count == 0 {
		sig.Title, sig.First = e.Filed.Title, e.Seq
	}
	sig.Count++
	sig.ByOutcome[e.Outcome]++
	sig.Epoch, sig.Last = max(sig.Epoch, e.Epoch), max(sig.Last, e.Seq)
	sig.First = min(sig.First, e.Seq)
	if e.Filed.Bundle != "" {
		sig.keep(e)
	}
}

// signature finds or makes the entry of an id; nil when the list is full.
func (t *Tally) signature(id string) *Signature {
	for _, s := range t.s.Signatures {
		if s.ID == id {
			return s
		}
	}
	if len(t.s.Signatures) >= maxSignatures {
		return nil
	}
	s := &Signature{ID: id, ByOutcome: map[run.Outcome]int64{}}
	t.s.Signatures = append(t.s.Signatures, s)
	return s
}

// Signatures lists the kinds of failure, the most frequent first.
func (t *Tally) Signatures() []Signature {
	list := make([]Signature, len(t.s.Signatures))
	for i, s := range t.s.Signatures {
		list[i] = s.clone()
	}
	slices.SortStableFunc(list, func(a, b Signature) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.First, b.First))
	})
	return list
}

// Unlisted is how many failures had a signature beyond the number that is listed.
func (t *Tally) Unlisted() int64 { return t.s.Unlisted }

// Passes lists the folders of the passing attempts that were kept to compare with.
func (t *Tally) Passes() []string { return slices.Clone(t.s.Passes) }

// Exemplars lists the folders of passing attempts that were kept because their variant was new.
func (t *Tally) Exemplars() []string { return slices.Clone(t.s.Exemplars) }

// Bundles lists every bundle folder the campaign's records know, relative to the campaign's folder.
func (t *Tally) Bundles() []string {
	all := append(t.Passes(), t.s.Exemplars...)
	for _, s := range t.s.Signatures {
		all = append(all, s.Bundles...)
	}
	return all
}
