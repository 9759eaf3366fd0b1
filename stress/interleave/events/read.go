package events

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Bounds on what is read and kept of one attempt's file: half from its head, half from its tail. Threads
// are only those of events that are kept.
const (
	maxRead   = 8 << 20
	maxEvents = 8192
	maxMemory = 1 << 20
)

// account is what a file came to.
type account struct {
	events []event
	// dropped is how many lines were no events or are not kept; of a part that was not read, at least how
	// many events it can have held.
	dropped int64
}

// readAll reads a file of the given size, which no longer changes. An error is one of reading; what came
// before it counts.
func readAll(file io.ReaderAt, size int64) (account, error) {
	s := scanner{kept: ends[event]{most: maxEvents / 2, room: maxMemory / 2, size: event.size}}
	if size <= maxRead {
		err := s.scan(io.NewSectionReader(file, 0, size), true)
		return s.account(), err
	}
	err := s.scan(io.NewSectionReader(file, 0, maxRead/2), false)
	// A line that the gap cuts belongs to it. An event is at most a line long.
	s.bad += (size - maxRead + maxLine - 1) / maxLine
	tail := bufio.NewReaderSize(io.NewSectionReader(file, size-maxRead/2, maxRead/2), maxLine)
	if skipLine(tail) == nil {
		err = errors.Join(err, s.lines(tail, true))
	}
	return s.account(), err
}

type scanner struct {
	kept ends[event]
	bad  int64
}

func (s *scanner) account() account { return account{s.kept.all(), s.bad + s.kept.dropped} }

func (s *scanner) scan(r io.Reader, toEnd bool) error {
	return s.lines(bufio.NewReaderSize(r, maxLine), toEnd)
}

// lines takes line after line. A last one without its newline is half a line if that is the file's end.
func (s *scanner) lines(r *bufio.Reader, toEnd bool) error {
	for {
		line, err := r.ReadSlice('\n')
		switch {
		case err == nil:
			s.line(line[:len(line)-1])
		case errors.Is(err, bufio.ErrBufferFull):
			if err := skipLine(r); err != nil && (!toEnd || !errors.Is(err, io.EOF)) {
				return noEOF(err)
			}
			s.bad++
		default:
			if toEnd && len(line) > 0 {
				s.bad++
			}
			return noEOF(err)
		}
	}
}

// line takes one whole line; an empty one is nothing.
func (s *scanner) line(line []byte) {
	line, half := whole(line)
	if half {
		s.bad++
	}
	if len(bytes.Trim(line, " \t")) == 0 {
		return
	}
	if e, ok := parse(line); ok {
		s.kept.add(e)
	} else {
		s.bad++
	}
}

// skipLine reads up to the next newline.
func skipLine(r *bufio.Reader) error {
	for {
		if _, err := r.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
