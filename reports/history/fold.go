package history

import (
	"encoding/json"
	"errors"
	"fmt"

	"heisen/stress/run"
	"heisen/stress/tally"
)

// Fold is all that is made of a campaign's journal: its figures and what is drawn of it over time. It is the journal's
// fold (journal.Fold), so that both are in its snapshots and neither is made anew from the first record.
type Fold struct {
	Figures *tally.Tally
	History *History
}

// snapshot is a Fold on disk. One of before the history was kept has no figures where they are looked for, is refused,
// and all records are folded.
type snapshot struct {
	Figures json.RawMessage `json:"figures"`
	History saved           `json:"history"`
}

// LoadFold decodes a snapshot; no bytes at all give an empty fold.
func LoadFold(data []byte) (*Fold, error) {
	if len(data) == 0 {
		return &Fold{Figures: tally.New(), History: &History{}}, nil
	}
	var snap snapshot
	if err := json.Unmarshal(data, &snap); err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	if len(snap.Figures) == 0 {
		return nil, errors.New("read snapshot: it has no history: it is made anew from all records")
	}
	figures, err := tally.Load(snap.Figures)
	if err != nil {
		return nil, err
	}
	h, err := snap.History.load()
	if err != nil {
		return nil, err
	}
	return &Fold{Figures: figures, History: h}, nil
}

// Snapshot encodes the fold so that LoadFold gives the same.
func (f *Fold) Snapshot() ([]byte, error) {
	figures, err := f.Figures.Snapshot()
	if err != nil {
		return nil, err
	}
	return json.Marshal(snapshot{Figures: figures, History: f.History.save()})
}

// Apply folds one journal payload. A kind of event that only a newer heisen knows changes nothing this one shows.
func (f *Fold) Apply(payload []byte) error {
	e, err := run.Decode(payload)
	switch {
	case errors.Is(err, run.ErrUnknownEvent):
		return nil
	case err != nil:
		return err
	}
	f.Figures.Add(e)
	f.History.Add(e)
	return nil
}

// savedVersion changes whenever an older heisen would read a saved history wrongly.
const savedVersion = 1

// saved is a History on disk.
type saved struct {
	Version int            `json:"version"`
	Shown   History        `json:"shown"`
	Epoch   int            `json:"epoch"`
	Done    map[int64]bool `json:"done,omitempty"`
	Until   int64          `json:"until"`
}

func (h *History) save() saved {
	return saved{Version: savedVersion, Shown: *h, Epoch: h.epoch, Done: h.done, Until: h.until}
}

func (s saved) load() (*History, error) {
	if s.Version != savedVersion {
		return nil, fmt.Errorf("read history of a snapshot: version %d, this heisen knows %d", s.Version, savedVersion)
	}
	h := &s.Shown
	h.epoch, h.done, h.until, h.kinds = s.Epoch, s.Done, s.Until, map[Kind]int{}
	for i, k := range h.Kinds {
		h.kinds[k] = i
	}
	for _, b := range h.Bins {
		for kind := range b.ByKind {
			if kind < 0 || kind >= len(h.Kinds) {
				return nil, fmt.Errorf("read history of a snapshot: it counts kind %d of %d", kind, len(h.Kinds))
			}
		}
	}
	return h, nil
}
