package starve

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"heisen/stress/run"
)

// EventFirstOutput is the event every attempt with output has: its first byte.
const EventFirstOutput = "first_output"

// MarkedEvent is a moment of an attempt that its output names.
type MarkedEvent struct {
	Name   string
	Stream run.Stream
	// At is when the last byte of what matched had come, since the attempt's start: no earlier could the
	// event be read.
	At time.Duration
	// Fields are the pattern's groups by name, or by number where they have none; a group that matched
	// nothing is absent.
	Fields map[string]string
}

// Bounds on one attempt's events: its output is a stranger's.
const (
	maxEvents    = 256
	maxLine      = 64 << 10
	maxFieldSize = 1 << 10
)

// Markers find named events in output.
type Markers struct {
	names    []string
	patterns []*regexp.Regexp
}

// nameForm is what an event's name may be: it becomes part of file names and tags.
var nameForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)

// CompileMarkers reads --marker values, NAME=REGEX.
func CompileMarkers(texts []string) (*Markers, error) {
	m := &Markers{}
	for _, text := range texts {
		name, pattern, found := strings.Cut(text, "=")
		switch {
		case !found || pattern == "":
			return nil, fmt.Errorf("marker %q: want NAME=REGEX", text)
		case !nameForm.MatchString(name):
			return nil, fmt.Errorf("marker %q: a name is a letter and then at most 63 letters, digits, '_', '.' and '-'", text)
		case name == EventFirstOutput:
			return nil, fmt.Errorf("marker %q: every attempt has an event of that name: choose another", text)
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, fmt.Errorf("marker %q: %w", name, err)
		}
		m.names, m.patterns = append(m.names, name), append(m.patterns, re)
	}
	return m, nil
}

// Find lists the events in an attempt's output, in the order in which they came; each pattern is tried on
// every line of either stream and counts once a line. dropped is how many did not fit the bound. A line
// that was cut where output was left out, or after 64 KiB, is matched as far as it is known from its start.
func (m *Markers) Find(o *run.Output) (events []MarkedEvent, dropped int) {
	f := finder{markers: m}
	for i, part := range [][]run.Chunk{o.Head, o.Tail} {
		gap := i == 1 && o.Omitted > 0
		if gap {
			f.breakLines()
		}
		for _, c := range part {
			if len(c.Data) > 0 && len(f.events) == 0 {
				f.add(MarkedEvent{Name: EventFirstOutput, Stream: c.Stream, At: c.At})
			}
			f.take(c)
		}
	}
	for s := range f.lines {
		f.line(&f.lines[s])
	}
	// A line without an end was matched last, whenever it came.
	slices.SortStableFunc(f.events, func(a, b MarkedEvent) int { return cmp.Compare(a.At, b.At) })
	return f.events, f.dropped
}

// Gap is the time from the first event of one name to the first of another after it.
func Gap(events []MarkedEvent, from, to string) (time.Duration, bool) {
	for i, e := range events {
		if e.Name != from {
			continue
		}
		for _, later := range events[i+1:] {
			if later.Name == to {
				return later.At - e.At, true
			}
		}
		return 0, false
	}
	return 0, false
}

// finder puts the lines of two interleaved streams together again.
type finder struct {
	markers *Markers
	events  []MarkedEvent
	dropped int
	lines   [2]openLine
}

// openLine is a line that is not yet ended.
type openLine struct {
	stream run.Stream
	text   []byte
	pieces []piece
	// headless tells that its beginning was not kept, so that nothing in it can be trusted.
	headless bool
}

// piece tells when the bytes up to end had come.
type piece struct {
	end int
	at  time.Duration
}

func (f *finder) add(e MarkedEvent) {
	if len(f.events) >= maxEvents {
		f.dropped++
		return
	}
	f.events = append(f.events, e)
}

func (f *finder) take(c run.Chunk) {
	l := &f.lines[0]
	if c.Stream == run.Stderr {
		l = &f.lines[1]
	}
	l.stream = c.Stream
	for rest := c.Data; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			l.add(rest, c.At)
			return
		}
		l.add(rest[:end], c.At)
		f.line(l)
		rest = rest[end+1:]
	}
}

func (l *openLine) add(text []byte, at time.Duration) {
	text = text[:min(len(text), maxLine-len(l.text))]
	if len(text) > 0 {
		l.text = append(l.text, text...)
		l.pieces = append(l.pieces, piece{len(l.text), at})
	}
}

// line matches a line that is over, or as much of it as there is.
func (f *finder) line(l *openLine) {
	text := bytes.TrimSuffix(l.text, []byte{'\r'})
	if !l.headless && len(text) > 0 {
		for i, re := range f.markers.patterns {
			if found := re.FindSubmatchIndex(text); found != nil {
				f.add(MarkedEvent{Name: f.markers.names[i], Stream: l.stream, At: l.when(found[1]), Fields: fields(re, text, found)})
			}
		}
	}
	l.text, l.pieces, l.headless = l.text[:0], l.pieces[:0], false
}

// breakLines ends the lines that the gap in the output cut, and distrusts what follows it up to the next
// end of line, in both streams: nobody knows whose bytes are missing.
func (f *finder) breakLines() {
	for s := range f.lines {
		f.line(&f.lines[s])
		f.lines[s].headless = true
	}
}

// when tells when the byte before end had come.
func (l *openLine) when(end int) time.Duration {
	for _, p := range l.pieces {
		if end <= p.end {
			return p.at
		}
	}
	return l.pieces[len(l.pieces)-1].at
}

func fields(re *regexp.Regexp, text []byte, found []int) map[string]string {
	if len(found) <= 2 {
		return nil
	}
	values := map[string]string{}
	for i, name := range re.SubexpNames() {
		if i == 0 || found[2*i] < 0 {
			continue
		}
		if name == "" {
			name = strconv.Itoa(i)
		}
		value := text[found[2*i]:found[2*i+1]]
		values[name] = string(value[:min(len(value), maxFieldSize)])
	}
	return values
}
