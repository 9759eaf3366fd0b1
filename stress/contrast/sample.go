package contrast

import (
	"cmp"
	"slices"

	"heisen/stress/run"
)

const (
	// blockSize is how many passing and failing attempts that finish one after another make a block: what
	// "at the same time" means. A number and not a time, so that it fits attempts of 5 ms and of 5 minutes.
	blockSize = 32
	// keptPasses is how many passing attempts a closed block keeps. One failure against eight passes is
	// as good as 8/9 of one against any number.
	keptPasses = 8
	// maxRecords bounds what all closed blocks hold together, at about 150 bytes a record.
	maxRecords = 4096
)

// Sample is a bounded record of failing attempts and of passing ones that ran at the same time. The zero
// value is not ready: use New, or decode a snapshot. It is not safe for concurrent use.
type Sample struct {
	columns  []string
	closed   []block
	open     block
	kept     int            // records in closed
	failures map[string]int // failing attempts in closed, by signature
	seen     Seen
}

// Seen counts the attempts that were added, kept or not.
type Seen struct {
	Passes   int64 `json:"passes"`
	Failures int64 `json:"failures"`
}

// block is a stratum: attempts of one epoch that finished one after another.
type block struct {
	number     int64
	epoch      int
	pass, fail []record
}

// New returns an empty sample.
func New() *Sample {
	return &Sample{columns: columns(), failures: map[string]int{}}
}

// Add folds one attempt, in the order of the journal. Outcomes that say nothing of the test are ignored.
func (s *Sample) Add(fin run.Finished) {
	if !fin.Outcome.Judged() {
		return
	}
	if s.open.size() >= blockSize || s.open.size() > 0 && s.open.epoch != fin.Epoch {
		s.closeBlock()
	}
	s.open.epoch = fin.Epoch
	r := newRecord(s.columns, fin)
	if fin.Outcome.Failed() {
		s.seen.Failures++
		s.open.fail = append(s.open.fail, r)
		return
	}
	s.seen.Passes++
	s.open.pass = append(s.open.pass, r)
}

// Seen counts what was added.
func (s *Sample) Seen() Seen { return s.seen }

// Signatures lists the failures that there is something to compare of, the most frequent first.
func (s *Sample) Signatures() []string {
	count := map[string]int{}
	for _, b := range s.blocks() {
		for _, r := range b.fail {
			if r.signature != "" {
				count[r.signature]++
			}
		}
	}
	list := make([]string, 0, len(count))
	for sig := range count {
		list = append(list, sig)
	}
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	return list
}

// blocks are those that hold both passing and failing attempts.
func (s *Sample) blocks() []block {
	if s.open.comparable() {
		return append(slices.Clip(s.closed), s.open)
	}
	return s.closed
}

func (b block) size() int { return len(b.pass) + len(b.fail) }

func (b block) comparable() bool { return len(b.pass) > 0 && len(b.fail) > 0 }

// closeBlock ends the open block and starts the next one. A block of passes alone, or of failures alone, has
// nothing to compare and is forgotten.
func (s *Sample) closeBlock() {
	b := s.open
	s.open = block{number: b.number + 1}
	if !b.comparable() {
		return
	}
	// Which passes stay must not depend on what was measured, and finishing first does.
	slices.SortFunc(b.pass, func(x, y record) int {
		return cmp.Or(cmp.Compare(scramble(x.seq), scramble(y.seq)), cmp.Compare(x.seq, y.seq))
	})
	b.pass = slices.Clone(b.pass[:min(len(b.pass), keptPasses)])
	s.keep(b)
	for s.kept > maxRecords {
		s.drop(s.mostPlentiful())
	}
}

func (s *Sample) keep(b block) {
	s.closed = append(s.closed, b)
	s.kept += b.size()
	for _, r := range b.fail {
		s.failures[r.signature]++
	}
}

func (s *Sample) drop(i int) {
	b := s.closed[i]
	s.closed = slices.Delete(s.closed, i, i+1)
	s.kept -= b.size()
	for _, r := range b.fail {
		if s.failures[r.signature]--; s.failures[r.signature] == 0 {
			delete(s.failures, r.signature)
		}
	}
}

// mostPlentiful picks the block to forget: that whose rarest failure is the most frequent, so that rare
// failures keep their blocks, and among equals one by lot of its number. Blocks are forgotten whole, not
// merged with their neighbours: a block of hours would compare the good hour with the bad one. The choice
// does not look at what was measured, so it cannot bias the comparison.
func (s *Sample) mostPlentiful() int {
	worst, plenty := 0, -1
	for i, b := range s.closed {
		rarest := s.failures[b.fail[0].signature]
		for _, r := range b.fail[1:] {
			rarest = min(rarest, s.failures[r.signature])
		}
		if rarest > plenty || rarest == plenty && scramble(b.number) > scramble(s.closed[worst].number) {
			worst, plenty = i, rarest
		}
	}
	return worst
}

// scramble is a fixed pseudo-random order of numbers (the finaliser of splitmix64).
func scramble(n int64) uint64 {
	x := uint64(n) + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
