package interleave

import (
	"bytes"
	"time"
	"unicode/utf8"

	"heisen/stress/run"
)

// Bounds on what FromLines takes: a log may be anything.
const (
	maxLines = 100_000
	maxLine  = 4 << 10
)

// FromLines takes every line of a log for a marked event, one after the other: a log that heisen did not
// record. The times count lines. Empty lines are nothing; bytes that are no UTF-8 become U+FFFD; what is
// beyond 100,000 lines is counted as dropped, and of a line what is beyond 4 KiB is left out.
func FromLines(log []byte) *run.Trace {
	t := &run.Trace{}
	for line := range bytes.Lines(log) {
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case len(bytes.TrimSpace(line)) == 0:
			continue
		case len(t.Points) == maxLines:
			t.Dropped = map[run.Source]int64{run.FromOutput: t.Dropped[run.FromOutput] + 1}
			continue
		}
		line = line[:min(len(line), maxLine)]
		if !utf8.Valid(line) {
			line = bytes.ToValidUTF8(line, []byte("\uFFFD"))
		}
		at := len(t.Points) + 1
		t.Points = append(t.Points, run.Point{At: time.Duration(at), Thread: -1, Source: run.FromOutput, Name: string(line)})
	}
	return t
}
