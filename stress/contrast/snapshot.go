package contrast

import (
	"encoding/json"
	"fmt"
	"slices"
)

// snapshot is a sample on disk. It names its columns, so that a later version with other signals reads it.
type snapshot struct {
	Columns []string     `json:"columns"`
	Seen    Seen         `json:"seen"`
	Newest  int64        `json:"newest"`
	Blocks  []savedBlock `json:"blocks,omitempty"`
}

type savedBlock struct {
	Number int64    `json:"n"`
	Epoch  int      `json:"e"`
	Pass   [][]byte `json:"p,omitempty"`
	Fail   [][]byte `json:"f,omitempty"`
	// Signatures are those of Fail.
	Signatures []string `json:"s,omitempty"`
}

// MarshalJSON encodes the sample so that UnmarshalJSON gives one that goes on exactly as this would.
func (s *Sample) MarshalJSON() ([]byte, error) {
	snap := snapshot{Columns: s.columns, Seen: s.seen, Newest: s.newest}
	for _, b := range s.blocks {
		snap.Blocks = append(snap.Blocks, save(b))
	}
	return json.Marshal(snap)
}

func save(b *block) savedBlock {
	saved := savedBlock{Number: b.number, Epoch: b.epoch}
	for _, r := range b.pass {
		saved.Pass = append(saved.Pass, r.pack())
	}
	for _, r := range b.fail {
		saved.Fail = append(saved.Fail, r.pack())
		saved.Signatures = append(saved.Signatures, r.signature)
	}
	return saved
}

// UnmarshalJSON replaces the sample by the one that was encoded. It holds nothing after an error.
func (s *Sample) UnmarshalJSON(data []byte) error {
	*s = *New()
	var snap snapshot
	if err := json.Unmarshal(data, &snap); err != nil {
		return fmt.Errorf("read sample of attempts: %w", err)
	}
	loaded := New()
	from := make([]int, len(snap.Columns))
	for i, name := range snap.Columns {
		from[i] = slices.Index(loaded.columns, name)
	}
	for _, saved := range snap.Blocks {
		b, err := saved.load(from, len(loaded.columns))
		if err != nil {
			return fmt.Errorf("read sample of attempts: block %d: %w", saved.Number, err)
		}
		loaded.blocks = append(loaded.blocks, b)
	}
	loaded.seen, loaded.newest = snap.Seen, snap.Newest
	*s = *loaded
	return nil
}

func (saved savedBlock) load(from []int, width int) (*block, error) {
	b := &block{number: saved.Number, epoch: saved.Epoch}
	if len(saved.Signatures) != len(saved.Fail) {
		return b, fmt.Errorf("%d signatures for %d failures", len(saved.Signatures), len(saved.Fail))
	}
	for _, data := range saved.Pass {
		r, err := unpack(data, from, width)
		if err != nil {
			return b, err
		}
		b.pass = append(b.pass, r)
	}
	for i, data := range saved.Fail {
		r, err := unpack(data, from, width)
		if err != nil {
			return b, err
		}
		r.signature = saved.Signatures[i]
		b.fail = append(b.fail, r)
	}
	return b, nil
}
