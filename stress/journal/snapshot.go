package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"heisen/stress/durable"
)

// Fold is the reader's state: what the records so far come to.
type Fold interface {
	// Apply adds one record; payload is only valid during the call.
	Apply(payload []byte) error
	// Snapshot returns the state in a form that NewFold takes back.
	Snapshot() ([]byte, error)
}

// NewFold makes a Fold from what Snapshot returned, or an empty one from nil. An error for a snapshot that
// is not nil (another version of the state, say) makes the journal fold all records from the first.
type NewFold func(snapshot []byte) (Fold, error)

// snapshot is a state after the last batch of one segment.
type snapshot struct {
	header fileHeader
	body   []byte
}

// after is where reading goes on behind the snapshot.
func (s snapshot) after() position {
	return position{segment: s.header.segment + 1, batch: s.header.batch, chain: s.header.chain}
}

func writeSnapshot(path string, h fileHeader, body []byte, fp durable.Failpoints) error {
	h.bytes = len(body)
	return durable.WriteFile(path, append(h.snapshotLine(body), body...), fp)
}

// readSnapshot reads and checks one snapshot: magic, length, version, checksum, syntax, then that it is
// the one its name says.
func readSnapshot(path string, segment int) (snapshot, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return snapshot{}, err
	}
	end := bytes.IndexByte(data, '\n') + 1
	if end == 0 || end > maxLine {
		return snapshot{}, ErrLength
	}
	h, err := parseFileHeader(snapshotMagic, data[:end], data[end:])
	if err != nil {
		return snapshot{}, err
	}
	body := data[end:]
	if len(body) != h.bytes {
		return snapshot{}, ErrLength
	}
	if h.segment != segment {
		return snapshot{}, ErrChain
	}
	return snapshot{header: h, body: body}, nil
}

// newestSnapshot returns the newest sound snapshot of a segment before the given one, or nil. A damaged
// one is passed over: it is a cache, and the records it was made from are still there.
func newestSnapshot(dir string, l layout, before int) (*snapshot, error) {
	for i := len(l.snapshots) - 1; i >= 0; i-- {
		n := l.snapshots[i]
		if n >= before {
			continue
		}
		s, err := readSnapshot(snapshotPath(dir, n), n)
		switch {
		case err == nil:
			return &s, nil
		case invalid(err) || errors.Is(err, fs.ErrNotExist):
		default:
			return nil, fmt.Errorf("read %s: %w", snapshotPath(dir, n), err)
		}
	}
	return nil, nil
}
