package contrast

import (
	"cmp"
	"slices"

	"heisen/stress/run"
)

const (
	// blockBits makes 32 attempts that started one after another a block: what "at the same time" means. A
	// number and not a time, so that it fits attempts of 5 ms and of 5 minutes. By their start and not by
	// their end: what becomes a failure of 30 s went wrong beside passes of 10 ms that are long over.
	blockBits = 5
	// keptPasses and keptFailures bound a block. One failure against eight passes is as good as 8/9 of
	// one against any number.
	keptPasses, keptFailures = 8, 32
	// maxRecords bounds what blocks with failures hold together, at about 150 bytes a record.
	maxRecords = 3072
	// recentBlocks is how many blocks are kept whatever they hold. Of older ones that hold no failure yet
	// ever fewer wait for one that takes long, and none beyond oldestBlock.
	recentBlocks, oldestBlock = 32, 1 << 13
)

// Sample is a bounded record of failing attempts and of passing ones that started at the same time. The zero
// value is not ready: use New, or decode a snapshot. It is not safe for concurrent use.
type Sample struct {
	columns []string
	blocks  []*block // by number, then epoch
	newest  int64    // the greatest number
	seen    Seen
}

// Seen counts the attempts that were added, kept or not.
type Seen struct {
	Passes   int64 `json:"passes"`
	Failures int64 `json:"failures"`
}

// block is a stratum: attempts of one epoch that started one after another.
type block struct {
	number     int64
	epoch      int
	pass, fail []record
}

func (b *block) size() int { return len(b.pass) + len(b.fail) }

// comparable tells that the block holds both groups.
func (b *block) comparable() bool { return len(b.pass) > 0 && len(b.fail) > 0 }

// New returns an empty sample.
func New() *Sample {
	return &Sample{columns: columns()}
}

// Add folds one attempt; each may be added once. Outcomes that say nothing of the test are ignored.
func (s *Sample) Add(fin run.Finished) {
	if !fin.Outcome.Judged() {
		return
	}
	number, failed := fin.Seq>>blockBits, fin.Outcome.Failed()
	if failed {
		s.seen.Failures++
	} else {
		s.seen.Passes++
	}
	b := s.block(number, fin.Epoch)
	if b == nil && failed {
		b = s.nearest(number, fin.Epoch)
	}
	if b == nil {
		return // passes enough are kept of that time
	}
	r := newRecord(s.columns, fin)
	if failed {
		b.fail = draw(b.fail, r, keptFailures)
		s.bound()
	} else {
		b.pass = draw(b.pass, r, keptPasses)
	}
}

// Seen counts what was added.
func (s *Sample) Seen() Seen { return s.seen }

// Signatures lists the failures that there is something to compare of, the most frequent first.
func (s *Sample) Signatures() []string {
	count := s.frequencies()
	delete(count, "")
	list := make([]string, 0, len(count))
	for sig := range count {
		list = append(list, sig)
	}
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	return list
}

// frequencies counts the failures kept beside passes, by signature.
func (s *Sample) frequencies() map[string]int {
	count := map[string]int{}
	for _, b := range s.blocks {
		if b.comparable() {
			for _, r := range b.fail {
				count[r.signature]++
			}
		}
	}
	return count
}

// block finds or makes the block of a number; nil for an old one that is not kept.
func (s *Sample) block(number int64, epoch int) *block {
	at, ok := slices.BinarySearchFunc(s.blocks, block{number: number, epoch: epoch}, func(b *block, want block) int {
		return cmp.Or(cmp.Compare(b.number, want.number), cmp.Compare(b.epoch, want.epoch))
	})
	if ok {
		return s.blocks[at]
	}
	if len(s.blocks) > 0 && number <= s.newest-recentBlocks {
		return nil
	}
	b := &block{number: number, epoch: epoch}
	s.blocks = slices.Insert(s.blocks, at, b)
	if len(s.blocks) == 1 || number > s.newest {
		s.newest = number
		s.thin()
	}
	return b
}

// thin forgets blocks without a failure as they grow old: all of the recent ones stay, then every second,
// every fourth and so on, so that a failure that took long still finds passes of about its start.
func (s *Sample) thin() {
	s.blocks = slices.DeleteFunc(s.blocks, func(b *block) bool {
		age := s.newest - b.number
		switch {
		case age < recentBlocks || b.comparable():
			return false
		case age > oldestBlock || len(b.pass) == 0:
			return true
		}
		step := int64(1)
		for span := int64(recentBlocks); span <= age; span *= 2 {
			step *= 2
		}
		return b.number%step != 0
	})
}

// nearest finds the block of the epoch that started nearest to a number and has passes; nil for none.
func (s *Sample) nearest(number int64, epoch int) (found *block) {
	least := int64(0)
	for _, b := range s.blocks {
		distance := max(b.number-number, number-b.number)
		if b.epoch == epoch && len(b.pass) > 0 && (found == nil || distance < least) {
			found, least = b, distance
		}
	}
	return found
}

// draw keeps at most n records, those whose numbers come first in a scrambled order: which ones stay must
// not depend on what was measured, and who finishes first does.
func draw(kept []record, r record, n int) []record {
	kept = append(kept, r)
	if len(kept) <= n {
		return kept
	}
	last := 0
	for i, k := range kept {
		if scramble(k.seq) > scramble(kept[last].seq) {
			last = i
		}
	}
	return slices.Delete(kept, last, last+1)
}

// bound forgets blocks while those with failures hold too much: first those whose rarest failure is the
// most frequent, so that rare failures keep their blocks, and among equals by lot. Blocks are forgotten
// whole, not merged with their neighbours: a block of hours would compare the good hour with the bad one.
// The choice does not look at what was measured, so it cannot bias the comparison.
func (s *Sample) bound() {
	held := 0
	for _, b := range s.blocks {
		if b.comparable() {
			held += b.size()
		}
	}
	for held > maxRecords {
		i := s.mostPlentiful()
		if i < 0 {
			return
		}
		held -= s.blocks[i].size()
		s.blocks = slices.Delete(s.blocks, i, i+1)
	}
}

// mostPlentiful picks the block to forget; -1 where all are recent.
func (s *Sample) mostPlentiful() int {
	count := s.frequencies()
	worst, plenty := -1, 0
	for i, b := range s.blocks {
		if !b.comparable() || s.newest-b.number < recentBlocks {
			continue
		}
		rarest := count[b.fail[0].signature]
		for _, r := range b.fail[1:] {
			rarest = min(rarest, count[r.signature])
		}
		if worst < 0 || rarest > plenty || rarest == plenty && scramble(b.number) > scramble(s.blocks[worst].number) {
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
