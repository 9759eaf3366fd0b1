package journal

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// scanner reads one segment batch by batch and verifies each against what came before.
type scanner struct {
	r *bufio.Reader
	// offset is where the next line to be read begins; after an error, where the invalid part begins.
	offset int64
	// at is what the next batch must follow.
	at      position
	payload []byte
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: bufio.NewReaderSize(r, 128<<10)}
}

// restart goes on at the present offset with a fresh look at the file.
func (s *scanner) restart(f io.ReaderAt) {
	s.r.Reset(io.NewSectionReader(f, s.offset, 1<<62))
}

// header reads and checks a segment's first line: its own checks, then that it belongs here. An empty
// campaign takes what the line says.
func (s *scanner) header(campaign string, at position) (fileHeader, error) {
	line, err := s.line()
	if err == io.EOF {
		return fileHeader{}, ErrLength
	}
	if err != nil {
		return fileHeader{}, err
	}
	h, err := parseFileHeader(segmentMagic, line, nil)
	if err != nil {
		return h, err
	}
	if campaign == "" {
		campaign = h.campaign
	}
	if at.segment == 1 {
		at = position{segment: 1, batch: 1, chain: firstChain(campaign)}
	}
	if h.campaign != campaign || h.position != at {
		return h, ErrChain
	}
	s.at = at
	s.offset += int64(len(line))
	return h, nil
}

// next reads one batch and returns its records, each with its newline, in a buffer that the following
// call overwrites. Checks, in this order: magic, length and syntax of the line, length of the payload,
// checksum, number of records, number of the batch and chain. io.EOF is the end after a whole batch.
func (s *scanner) next() (batchHeader, []byte, error) {
	line, err := s.line()
	if err != nil {
		return batchHeader{}, nil, err
	}
	h, err := parseBatchHeader(line)
	if err != nil {
		return h, nil, err
	}
	// The line lies in the reader's buffer, which reading on overwrites.
	var own [maxLine]byte
	line = own[:copy(own[:], line)]
	if cap(s.payload) < h.bytes {
		s.payload = make([]byte, h.bytes+h.bytes/4)
	}
	payload := s.payload[:h.bytes]
	if _, err := io.ReadFull(s.r, payload); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = ErrLength
		}
		return h, nil, err
	}
	if err := checkLine(line, payload); err != nil {
		return h, nil, err
	}
	if payload[len(payload)-1] != '\n' || bytes.Count(payload, []byte("\n")) != h.records {
		return h, nil, ErrSyntax
	}
	if h.number != s.at.batch || h.chain != s.at.chain.next(payload) {
		return h, nil, ErrChain
	}
	s.at.batch++
	s.at.chain = h.chain
	s.offset += int64(len(line) + len(payload))
	return h, payload, nil
}

// line reads up to a newline; at the end of the file it returns what there is, or io.EOF for nothing. A
// line longer than any header comes back without its end.
func (s *scanner) line() ([]byte, error) {
	line, err := s.r.ReadSlice('\n')
	switch {
	case len(line) > maxLine:
		return line[:maxLine], nil
	case err == io.EOF && len(line) > 0:
		return line, nil
	case err != nil:
		return nil, err
	}
	return line, nil
}

// invalid tells whether an error is a verdict on the data, and not a failure to read it.
func invalid(err error) bool {
	for _, check := range []error{ErrMagic, ErrSyntax, ErrLength, ErrChecksum, ErrChain} {
		if errors.Is(err, check) {
			return true
		}
	}
	return false
}

// laterBatch tells whether a whole batch with a right checksum begins after the offset from. Such a batch
// was written only after everything before it was synced, so what is invalid before it is damage, and not
// the remains of a write that a crash cut short.
//
// It is looked for inside lines, too, because the damage may be in the newline before it. What a test
// printed does not pass for it: a header ends with its line, and a record's line ends with a brace.
func laterBatch(f io.ReaderAt, size, from int64) (bool, error) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, from, size-from), 64<<10)
	var line []byte // the present line, or the end of it that is long enough for a header
	for offset := from; ; {
		part, err := r.ReadSlice('\n')
		offset += int64(len(part))
		line = append(line, part...)
		line = line[max(0, len(line)-maxLine):]
		switch err {
		case bufio.ErrBufferFull:
			continue
		case io.EOF:
			return false, nil
		case nil:
		default:
			return false, err
		}
		if at := bytes.LastIndex(line, []byte(batchMagic)); at >= 0 {
			start := offset - int64(len(line)-at)
			if found, err := batchAt(f, size, start, line[at:]); start > from && (found || err != nil) {
				return found, err
			}
		}
		line = line[:0]
	}
}

// batchAt tells whether the line at offset heads a batch whose checksum is right.
func batchAt(f io.ReaderAt, size, offset int64, line []byte) (bool, error) {
	h, err := parseBatchHeader(line)
	if err != nil || offset+int64(len(line)+h.bytes) > size {
		return false, nil
	}
	payload := make([]byte, h.bytes)
	if _, err := f.ReadAt(payload, offset+int64(len(line))); err != nil {
		return false, err
	}
	return checkLine(line, payload) == nil, nil
}
