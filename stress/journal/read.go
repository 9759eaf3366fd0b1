package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
)

// Summary is what a reader saw.
type Summary struct {
	Campaign string
	// Segments is how many the journal has, Batches how many in all of them; Records counts only those that
	// were handed out one by one, not those in the snapshot.
	Segments int
	Batches  uint64
	Records  int64
	// Torn is how many bytes at the very end are not a whole batch: one that is being written, or what a
	// crash left of one.
	Torn int64
}

// Read hands out the newest snapshot, if there is one, and then every later record in order. Payloads and
// the snapshot are only valid during the call they are given to; an error from either function ends the
// reading and is returned as it is. Records that are written but not yet synced are seen, too.
//
// Errors: one that wraps ErrNoJournal, ErrNewer or ErrCorrupt (a *CorruptError), or that of reading.
func Read(dir string, onSnapshot, onRecord func(data []byte) error) (Summary, error) {
	l, err := listJournal(dir)
	if err != nil {
		return Summary{}, err
	}
	snap, err := newestSnapshot(dir, l, math.MaxInt)
	if err != nil {
		return Summary{}, err
	}
	w := newWalker(dir, l, snap, onRecord)
	if snap != nil {
		if err := onSnapshot(snap.body); err != nil {
			return Summary{}, err
		}
	}
	return w.summary(w.run())
}

// ReadAll hands out every record from the first, whatever snapshots there are, and verifies the whole
// journal with it: each batch, and the chain from segment to segment. Errors are those of Read.
func ReadAll(dir string, onRecord func(payload []byte) error) (Summary, error) {
	l, err := listJournal(dir)
	if err != nil {
		return Summary{}, err
	}
	w := newWalker(dir, l, nil, onRecord)
	return w.summary(w.run())
}

// Load folds a journal: the newest snapshot that newFold takes, and the records after it. Errors are those
// of Read, of newFold(nil) and of Apply.
func Load(dir string, newFold NewFold) (Fold, Summary, error) {
	var fold Fold
	refused := errors.New("snapshot refused")
	sum, err := Read(dir, func(data []byte) error {
		var err error
		if fold, err = newFold(data); err != nil {
			return refused
		}
		return nil
	}, func(payload []byte) error {
		return applyTo(&fold, newFold, payload)
	})
	if err == refused {
		fold = nil
		sum, err = ReadAll(dir, func(payload []byte) error { return applyTo(&fold, newFold, payload) })
	}
	if err == nil && fold == nil {
		fold, err = newFold(nil)
	}
	return fold, sum, err
}

// applyTo applies a record, to a new fold where there is none yet.
func applyTo(fold *Fold, newFold NewFold, payload []byte) (err error) {
	if *fold == nil {
		if *fold, err = newFold(nil); err != nil {
			return err
		}
	}
	return (*fold).Apply(payload)
}

// Head is what can be said of any journal, also of one that a newer heisen wrote.
type Head struct {
	Version  int
	Campaign string
}

// ReadHead reads the first line of the newest segment. The campaign is empty where a newer version has put
// it elsewhere.
func ReadHead(dir string) (Head, error) {
	l, err := listJournal(dir)
	if err != nil {
		return Head{}, err
	}
	if len(l.raw) == 0 {
		return Head{}, &CorruptError{File: rawPath(dir, l.last()), Check: fs.ErrNotExist}
	}
	path := rawPath(dir, l.raw[len(l.raw)-1])
	f, err := os.Open(path)
	if err != nil {
		return Head{}, err
	}
	defer f.Close()
	line, err := bufio.NewReaderSize(f, maxLine).ReadSlice('\n')
	if err != nil || checkLine(line, nil) != nil {
		return Head{}, &CorruptError{File: path, Check: ErrChecksum}
	}
	var h Head
	// A newer version may have other fields: what cannot be read stays empty.
	_, _ = fmt.Sscanf(string(line), segmentMagic+"%d campaign=%s", &h.Version, &h.Campaign)
	return h, nil
}

// listJournal lists a folder that must hold a journal.
func listJournal(dir string) (layout, error) {
	l, err := list(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && l.last() == 0 {
		return l, fmt.Errorf("read journal %s: %w", dir, ErrNoJournal)
	}
	return l, err
}

// newWalker begins after the snapshot, or at the first record where there is none.
func newWalker(dir string, l layout, snap *snapshot, onRecord func([]byte) error) *walker {
	w := &walker{dir: dir, last: l.last(), record: onRecord, at: position{segment: 1, batch: 1}}
	if snap != nil {
		w.at, w.campaign = snap.after(), snap.header.campaign
	}
	return w
}

func (w *walker) summary(err error) (Summary, error) {
	return Summary{
		Campaign: w.campaign,
		Segments: w.at.segment,
		Batches:  w.at.batch - 1,
		Records:  w.records,
		Torn:     w.tail.torn,
	}, err
}
