package journal

import (
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"heisen/stress/durable"
)

// Recovery is what opening a journal put right.
type Recovery struct {
	// Torn is the file that holds what was cut off the end, or "".
	Torn string
	// TornBytes is how much that was, and TornCheck what was wrong with it.
	TornBytes int64
	TornCheck error
}

// recover brings a folder into the state from which appending goes on, and finds that place. Nothing is
// changed before everything from the newest snapshot to the end is verified.
func (j *Journal) recover() error {
	if err := durable.MkdirAll(j.dir); err != nil {
		return err
	}
	l, err := list(j.dir)
	if err != nil {
		return err
	}
	if l.last() == 0 {
		return j.begin(l)
	}
	if name := l.missing(j.dir); name != "" {
		return &CorruptError{File: name, Check: fs.ErrNotExist}
	}
	if len(l.raw) == 0 || l.raw[len(l.raw)-1] != l.last() {
		return &CorruptError{File: rawPath(j.dir, l.last()+1), Check: fs.ErrNotExist}
	}
	snap, err := newestSnapshot(j.dir, l, math.MaxInt)
	if err != nil {
		return err
	}
	w := newWalker(j.dir, l, snap, nil)
	w.campaign = j.opts.Campaign
	if w.at.segment == 1 {
		w.at.chain = firstChain(w.campaign)
	}
	if err := w.run(); err != nil {
		return err
	}
	if err := removeAll(l.temps); err != nil {
		return err
	}
	j.at, j.offset = w.at, w.tail.good
	return j.settle(w.tail)
}

// begin makes the first segment. Leftovers of an earlier try to make it may be there.
func (j *Journal) begin(l layout) error {
	if err := removeAll(l.temps); err != nil {
		return err
	}
	j.at = position{segment: 1, batch: 1, chain: firstChain(j.opts.Campaign)}
	var err error
	j.offset, err = createSegment(j.dir, j.opts, j.at)
	return err
}

// settle makes what was found the durable end of the journal. A torn end is copied aside and then cut off,
// in this order: a crash between the two copies it again, to a file of the same name. A whole batch may be
// there that the killed writer had not synced yet: since it counts from now on, it is synced now.
func (j *Journal) settle(t tail) error {
	path := rawPath(j.dir, j.at.segment)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if t.torn > 0 {
		if err := j.copyTorn(f, t); err != nil {
			return fmt.Errorf("copy the torn end of %s aside: %w", path, err)
		}
		if err := j.opts.Failpoints.Hit(pointCut); err != nil {
			return err
		}
		if err := f.Truncate(t.good); err != nil {
			return err
		}
	}
	if t.good == 0 {
		// Not even the header is whole: begin the segment again.
		j.offset, err = createSegment(j.dir, j.opts, j.at)
		return err
	}
	if err := durable.Datasync(f); err != nil {
		return err
	}
	return durable.SyncDir(j.dir)
}

func (j *Journal) copyTorn(f *os.File, t tail) error {
	sum := crc32.New(castagnoli)
	if _, err := io.Copy(sum, io.NewSectionReader(f, t.good, t.torn)); err != nil {
		return err
	}
	name := fmt.Sprintf("%s%06d-%d-%08x", tornPrefix, j.at.segment, t.good, sum.Sum32())
	path := filepath.Join(j.dir, name)
	err := durable.Replace(path, func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(f, t.good, t.torn))
		return err
	}, j.opts.Failpoints.Under(pointTorn))
	j.recovered = Recovery{Torn: path, TornBytes: t.torn, TornCheck: t.check}
	return err
}

func removeAll(paths []string) error {
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove what was left unfinished: %w", err)
		}
	}
	return nil
}
