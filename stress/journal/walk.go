package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// walker goes through segments in order, verifies all it reads and hands out the records.
type walker struct {
	dir string
	// campaign is whose journal it must be; empty takes the first header's word.
	campaign string
	// at is where to begin, later where it has come to.
	at position
	// last is the segment to end with.
	last int
	// whole asks that the last segment be whole, too: it is when it is no longer written.
	whole bool
	// record gets every record without its newline, in a buffer that the next one overwrites.
	record  func(payload []byte) error
	records int64
	tail    tail
}

// tail describes the end of the last segment.
type tail struct {
	// good is how many bytes of the file are verified.
	good int64
	// torn is how many bytes after them are not a whole batch, and check what is wrong with them.
	torn  int64
	check error
}

func (w *walker) run() error {
	for ; ; w.at.segment++ {
		if err := w.segment(); err != nil {
			return err
		}
		if w.at.segment >= w.last {
			return nil
		}
	}
}

func (w *walker) segment() error {
	f, sealed, err := openSegment(w.dir, w.at.segment)
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = f
	if sealed {
		inflated, err := newInflater(f)
		if err != nil {
			return fmt.Errorf("read %s: %w", f.Name(), err)
		}
		defer inflated.Close()
		r = inflated
	}
	s := newScanner(r)
	err = w.scan(s)
	if invalid(err) && !sealed && !w.whole && w.at.segment == w.last {
		err = w.end(s, f, err)
	}
	if invalid(err) {
		return &CorruptError{File: f.Name(), Offset: s.offset, Check: err}
	}
	if v, ok := errors.AsType[*visitError](err); ok {
		return v.err
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", f.Name(), err)
	}
	// The segment's number is the walker's own: only the rest moves on.
	w.at.batch, w.at.chain = s.at.batch, s.at.chain
	w.tail.good = s.offset
	return nil
}

// scan reads a segment to its end or to the first thing that is wrong.
func (w *walker) scan(s *scanner) error {
	if s.offset == 0 {
		h, err := s.header(w.campaign, w.at)
		if err != nil {
			return err
		}
		w.campaign = h.campaign
	}
	for {
		h, payload, err := s.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.hand(payload); err != nil {
			return err
		}
		w.records += int64(h.records)
	}
}

func (w *walker) hand(payload []byte) error {
	if w.record == nil {
		return nil
	}
	for len(payload) > 0 {
		end := bytes.IndexByte(payload, '\n')
		if err := w.record(payload[:end:end]); err != nil {
			return &visitError{err}
		}
		payload = payload[end+1:]
	}
	return nil
}

// end decides what an invalid part of the segment that is still written means: its torn end, which is no
// error, or damage. When another process writes, the bytes may have changed since they were read (a batch
// that was cut back for want of space and the one written in its place), so damage is looked at twice.
func (w *walker) end(s *scanner, f *os.File, check error) error {
	for looked := int64(-1); ; looked = s.offset {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		later, err := laterBatch(f, info.Size(), s.offset)
		if err != nil {
			return err
		}
		if !later && !isChain(check) {
			w.tail.torn, w.tail.check = info.Size()-s.offset, check
			if s.offset == 0 {
				s.at = w.at
			}
			return nil
		}
		if looked == s.offset {
			return check
		}
		s.restart(f)
		if check = w.scan(s); !invalid(check) {
			return check
		}
	}
}
