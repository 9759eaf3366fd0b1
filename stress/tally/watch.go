package tally

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/bits"
	"slices"
)

// maxWatched is how many variants are watched: about 1 MB of memory and 200 KB of a snapshot.
const maxWatched = 1 << 14

// watch is a sample of the kinds there were, chosen by their names alone: those whose hash ends in Level
// zero bits. Whether a kind is in it does not depend on how often it came, and one that is was counted from
// its first time on, so that times 2^Level it tells how many kinds there were, and how many of them once.
// The level rises when the sample is full.
//
// Source: P. B. Gibbons, "Distinct sampling for highly-accurate answers to distinct values queries and event
// reports", VLDB 2001, 541-550.
type watch struct {
	Level int
	// seen is how often a kind came; 3 stands for more than twice.
	seen map[uint64]uint8
}

func (w *watch) scale() int64 { return 1 << w.Level }

func (w *watch) add(kind uint64) {
	if bits.TrailingZeros64(kind) < w.Level {
		return
	}
	if w.seen == nil {
		w.seen = map[uint64]uint8{}
	}
	w.seen[kind] = min(w.seen[kind]+1, 3)
	for len(w.seen) > maxWatched {
		w.Level++
		maps.DeleteFunc(w.seen, func(k uint64, _ uint8) bool { return bits.TrailingZeros64(k) < w.Level })
	}
}

// onceTwice estimates how many kinds came exactly once and exactly twice.
func (w *watch) onceTwice() (once, twice int64) {
	for _, n := range w.seen {
		switch n {
		case 1:
			once++
		case 2:
			twice++
		}
	}
	return once * w.scale(), twice * w.scale()
}

// savedWatch holds the hashes, sorted, by how often they came: once, twice, more.
type savedWatch struct {
	Level int       `json:"level,omitempty"`
	Seen  [3][]byte `json:"seen"`
}

// MarshalJSON encodes the sample, the same bytes for the same sample.
func (w watch) MarshalJSON() ([]byte, error) {
	saved := savedWatch{Level: w.Level}
	for _, kind := range slices.Sorted(maps.Keys(w.seen)) {
		into := &saved.Seen[w.seen[kind]-1]
		*into = binary.LittleEndian.AppendUint64(*into, kind)
	}
	return json.Marshal(saved)
}

// UnmarshalJSON decodes it.
func (w *watch) UnmarshalJSON(data []byte) error {
	var saved savedWatch
	if err := json.Unmarshal(data, &saved); err != nil {
		return fmt.Errorf("read the sample of variants: %w", err)
	}
	if saved.Level < 0 || saved.Level > 62 {
		return fmt.Errorf("read the sample of variants: level %d", saved.Level)
	}
	*w = watch{Level: saved.Level}
	for n, hashes := range saved.Seen {
		if len(hashes)%8 != 0 {
			return fmt.Errorf("read the sample of variants: %d bytes of hashes", len(hashes))
		}
		for ; len(hashes) > 0; hashes = hashes[8:] {
			if w.seen == nil {
				w.seen = map[uint64]uint8{}
			}
			w.seen[binary.LittleEndian.Uint64(hashes)] = uint8(n + 1)
		}
	}
	return nil
}
