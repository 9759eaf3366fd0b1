package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"heisen/stress/run"
)

// Line is one line of output, or a part of one where the other stream, or a gap, came between.
type Line struct {
	// Offset is where it begins in output.log.
	Offset int64
	// At is when its first byte came, from the attempt's start.
	At     time.Duration
	Stream run.Stream
	// Text is the line with its newline, if it has one.
	Text []byte
	// AfterGap tells that bytes were left out just before it.
	AfterGap bool
}

// row is one line of output.times: from this offset on, lines came at this time from this stream.
type row struct {
	offset int64
	micros int64
	stream run.Stream
}

// timesOf makes the rows for what was kept. A line has the time of its first byte. A row is written for a
// line whose time or stream differs from the line before, so lines that came in one read share a row.
// The second result tells that there were more than maxRows; what comes later then shares the last row.
func timesOf(out *run.Output) ([]row, bool) {
	var t times
	for _, c := range out.Head {
		t.add(c, false)
	}
	for i, c := range out.Tail {
		t.add(c, i == 0 && out.Omitted > 0)
	}
	return t.rows, t.cut
}

// maxRows keeps a test that writes byte by byte from making output.times far larger than output.log.
const maxRows = 1_000_000

type times struct {
	rows   []row
	cut    bool
	offset int64
	// open tells that the last byte was no newline: the next chunk of that stream goes on with its line.
	open   bool
	stream run.Stream
}

func (t *times) add(c run.Chunk, gap bool) {
	if len(c.Data) == 0 {
		return
	}
	if goesOn := t.open && !gap && t.stream == c.Stream; !goesOn {
		t.begin(t.offset, c, gap)
	} else if i := bytes.IndexByte(c.Data, '\n'); i >= 0 && i+1 < len(c.Data) {
		t.begin(t.offset+int64(i+1), c, false)
	}
	t.offset += int64(len(c.Data))
	t.open = c.Data[len(c.Data)-1] != '\n'
	t.stream = c.Stream
}

func (t *times) begin(offset int64, c run.Chunk, force bool) {
	next := row{offset, c.At.Microseconds(), c.Stream}
	if n := len(t.rows); n > 0 && !force && t.rows[n-1].micros == next.micros && t.rows[n-1].stream == next.stream {
		return
	}
	if len(t.rows) == maxRows {
		t.cut = true
		return
	}
	t.rows = append(t.rows, next)
}

const timesHeader = "# offset\tmicroseconds\tstream\n"

func formatTimes(rows []row) []byte {
	buf := []byte(timesHeader)
	for _, r := range rows {
		buf = strconv.AppendInt(buf, r.offset, 10)
		buf = append(buf, '\t')
		buf = strconv.AppendInt(buf, r.micros, 10)
		buf = append(buf, '\t')
		buf = append(append(buf, r.stream.String()...), '\n')
	}
	return buf
}

// parseTimes reads output.times of an output.log of that size, trusting nothing in it.
func parseTimes(data []byte, size int64) ([]row, error) {
	var rows []row
	last := int64(-1)
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		r, err := parseRow(strings.TrimSuffix(line, "\n"))
		if err == nil && (r.offset <= last || r.offset >= size) {
			err = errors.New("offset out of order or beyond the output")
		}
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", len(rows)+1, err)
		}
		if len(rows) == maxRows {
			return nil, fmt.Errorf("more than %d rows", maxRows)
		}
		last = r.offset
		rows = append(rows, r)
	}
	if size > 0 && (len(rows) == 0 || rows[0].offset != 0) {
		return nil, errors.New("no row for the first byte")
	}
	return rows, nil
}

func parseRow(line string) (row, error) {
	f := strings.Split(line, "\t")
	if len(f) != 3 {
		return row{}, fmt.Errorf("%d columns, want 3", len(f))
	}
	offset, err := strconv.ParseInt(f[0], 10, 64)
	if err != nil {
		return row{}, err
	}
	micros, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil {
		return row{}, err
	}
	for _, stream := range []run.Stream{run.Stdout, run.Stderr} {
		if f[2] == stream.String() {
			return row{offset, micros, stream}, nil
		}
	}
	return row{}, fmt.Errorf("unknown stream %q", f[2])
}

// linesOf joins the output with its times; the lines share log's memory.
func linesOf(log []byte, rows []row, o Output) iter.Seq[Line] {
	return func(yield func(Line) bool) {
		for i, r := range rows {
			end := int64(len(log))
			if i+1 < len(rows) {
				end = rows[i+1].offset
			}
			line := Line{Offset: r.offset, At: time.Duration(r.micros) * time.Microsecond, Stream: r.stream}
			for text := range bytes.Lines(log[r.offset:end]) {
				line.Text = text
				line.AfterGap = o.Omitted > 0 && line.Offset == o.Gap
				if !yield(line) {
					return
				}
				line.Offset += int64(len(text))
			}
		}
	}
}

// account works out the offsets in output.log from the counts of the capture.
func account(out *run.Output, dumpAt int64) Output {
	o := Output{Total: out.Total, Omitted: out.Omitted, Dump: -1}
	for _, c := range out.Head {
		o.Gap += int64(len(c.Data))
	}
	o.Kept = o.Gap
	for _, c := range out.Tail {
		o.Kept += int64(len(c.Data))
	}
	if dumpAt >= 0 {
		o.Dump = min(int64(out.Kept(dumpAt)), o.Kept)
	}
	if o.Omitted == 0 {
		o.Gap = 0
	}
	return o
}
