package interleave

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"heisen/stress/run"
)

// Bounds on a Sample: attempts of either kind, and what is kept of each.
const (
	maxFails   = 64
	maxPasses  = 192
	keepEvents = 400
	keepOf     = 200 // threads
)

// Observed is one attempt of a Sample.
type Observed struct {
	Seq    int64 `json:"seq"`
	Failed bool  `json:"failed,omitempty"`
	// Signature is a failure's identity.
	Signature string `json:"signature,omitempty"`
	Form      Form   `json:"form"`
	// Ended is how long the attempt ran, in nanoseconds.
	Ended int64 `json:"ended_ns"`
}

// Sample holds the orders of a bounded number of failing and of passing attempts of one epoch, to be
// compared. Failures are the first; passes are drawn evenly from all, by a lot that depends on the attempt's number
// alone and never on what was measured. It is not safe for concurrent use.
type Sample struct {
	Epoch  int        `json:"epoch"`
	Fails  []Observed `json:"fails,omitempty"`
	Passes []Observed `json:"passes,omitempty"`
}

// Wants tells whether Add would keep an attempt, so that its form need not be made for nothing.
func (s *Sample) Wants(fin *run.Finished) bool {
	switch {
	case fin.Variant == "" || !fin.Outcome.Judged() || fin.Epoch < s.Epoch:
		return false
	case fin.Epoch > s.Epoch:
		return true
	case fin.Outcome.Failed():
		return len(s.Fails) < maxFails
	}
	return len(s.Passes) < maxPasses || lot(fin.Seq) < lot(s.Passes[len(s.Passes)-1].Seq)
}

// Add keeps an attempt, if there is room or its lot is better than another's.
func (s *Sample) Add(fin *run.Finished, form Form) {
	if !s.Wants(fin) {
		return
	}
	if fin.Epoch > s.Epoch {
		*s = Sample{Epoch: fin.Epoch}
	}
	o := Observed{Seq: fin.Seq, Failed: fin.Outcome.Failed(), Form: form.trimmed(), Ended: fin.Wall * 1000}
	if fin.Filed != nil {
		o.Signature = fin.Filed.Signature
	}
	same := func(x Observed) bool { return x.Seq == o.Seq }
	if o.Failed {
		if !slices.ContainsFunc(s.Fails, same) {
			s.Fails = append(s.Fails, o)
		}
		return
	}
	if slices.ContainsFunc(s.Passes, same) {
		return
	}
	at, _ := slices.BinarySearchFunc(s.Passes, lot(o.Seq), func(x Observed, l uint64) int { return cmp.Compare(lot(x.Seq), l) })
	s.Passes = slices.Insert(s.Passes, at, o)
	s.Passes = s.Passes[:min(len(s.Passes), maxPasses)]
}

// lot is an attempt's place in the draw: the finaliser of SplitMix64 (G. L. Steele, D. Lea, C. H. Flood,
// "Fast splittable pseudorandom number generators", OOPSLA 2014) over its number.
func lot(seq int64) uint64 {
	z := uint64(seq) * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// trimmed is a form within the bounds of a sample; what its events and threads refer to stays in it.
func (f Form) trimmed() Form {
	if n := len(f.Events); n > keepEvents {
		f.Events, f.Left = f.Events[:keepEvents], f.Left+n-keepEvents
	}
	f.Threads = f.Threads[:min(len(f.Threads), keepOf)]
	f.Events = slices.Clone(f.Events)
	for i := range f.Events {
		e := &f.Events[i]
		if e.Thread >= len(f.Threads) {
			e.Thread = -1
		}
		if e.Starts >= len(f.Threads) {
			e.Starts = -1
		}
	}
	return f
}

// LoadSample decodes what json.Marshal made of a Sample; no bytes give an empty one.
func LoadSample(data []byte) (*Sample, error) {
	s := &Sample{}
	if len(data) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("read the sample of interleavings: %w", err)
	}
	for _, list := range [][]Observed{s.Fails, s.Passes} {
		for i := range list {
			list[i].Form = list[i].Form.sound()
		}
	}
	return s, nil
}

// sound is a form whose indices are in range, whoever wrote it.
func (f Form) sound() Form {
	f = f.trimmed()
	for i := range f.Threads {
		if c := f.Threads[i].Creator; c < -1 || c >= len(f.Threads) {
			f.Threads[i].Creator = -1
		}
	}
	for i := range f.Events {
		f.Events[i].Thread, f.Events[i].Starts = max(f.Events[i].Thread, -1), max(f.Events[i].Starts, -1)
	}
	return f
}
