package events

import (
	"regexp"
	"strings"
	"sync"

	"heisen/stress/run"
)

// Bounds on the lines that are learned, and on how much of a line is a point's name.
const (
	maxShapes   = 8192
	maxLineName = 512
)

// Lines takes the lines that matter from the output of attempts: those that markers name, or without
// markers those that recur. It is safe for concurrent use.
type Lines struct {
	markers *Markers
	shapes  *shapes
}

// NewLines takes marked lines; where markers have none, lines that recur.
func NewLines(markers *Markers) *Lines {
	return &Lines{markers: markers, shapes: newShapes(maxShapes)}
}

// trace lists points of an attempt's output, nil for none. What came after heisen's dump signal is a stack
// dump and not the test's doing.
func (l *Lines) trace(a run.Attempt, res *run.Result) *run.Trace {
	o := &res.Evidence.Output
	if len(o.Head)+len(o.Tail) == 0 {
		return nil
	}
	upTo := -1
	if res.Ending.TimedOut && res.Evidence.DumpAt >= 0 {
		upTo = o.Kept(res.Evidence.DumpAt)
	}
	find := l.markers.find
	if len(l.markers.names) == 0 {
		find = func(o *run.Output, upTo int) ([]run.Point, int64) { return l.recurring(a, o, upTo) }
	}
	points, missing := find(o, upTo)
	if len(points) == 0 && missing == 0 {
		return nil
	}
	return &run.Trace{Points: points, Dropped: dropped(l.source(), missing)}
}

// source is what the points are of.
func (l *Lines) source() run.Source {
	if len(l.markers.names) == 0 {
		return run.FromLine
	}
	return run.FromOutput
}

// recurring lists the lines whose shape was seen in another attempt. Lines without a place in the bounds
// are counted; those that do not recur are not looked for and so not missing.
func (l *Lines) recurring(a run.Attempt, o *run.Output, upTo int) ([]run.Point, int64) {
	kept := ends[run.Point]{most: maxPoints / 2, room: maxPointMemory / 2, size: pointSize}
	eachLine(o, upTo, func(line *outputLine) {
		kept.add(run.Point{At: line.when(len(line.text)), Thread: -1, Source: run.FromLine, Stream: line.stream,
			Name: timeless(printed(line.text, maxLineName))})
	})
	points := l.shapes.known(a.Seq, kept.all())
	byTime(points)
	return points, kept.dropped
}

// moments matches what may tell a time: fractions, times of day, numbers with a unit of time.
var moments = regexp.MustCompile(`\b[0-9]+(?:[.,:][0-9]+)*(?:[nuµm]?s|min|h)?\b`)

// timeless puts '#' for what is another in every attempt and tells no order. Whole numbers stay, and so do
// addresses (four numbers and more): they may be whose it was.
func timeless(line string) string {
	return moments.ReplaceAllStringFunc(line, func(text string) string {
		parts := strings.FieldsFunc(text, func(r rune) bool { return r == '.' || r == ',' || r == ':' })
		last := parts[len(parts)-1]
		if len(parts) > 4 || len(parts) == 4 && !strings.Contains(text, ":") || len(parts) == 1 && isDigit(last[len(last)-1]) {
			return text
		}
		return "#"
	})
}

// shapes remembers which lines were seen in which attempts, a line without its numbers by a hash of 64 bits.
// A line that was seen in one attempt alone is forgotten, the oldest first, when room is short: output that is new every
// time must not push out what recurs.
type shapes struct {
	mu   sync.Mutex
	most int
	// first is the attempt that was learned from first: nothing is known about it, and all its lines are taken.
	first int64
	// seen maps a shape to the attempt that had it, or to recurs.
	seen   map[uint64]int64
	recurs int // how many do
	once   []uint64
}

const recurs int64 = -1

func newShapes(most int) *shapes { return &shapes{most: most, seen: map[uint64]int64{}} }

// known keeps the points whose line recurs, and learns all of them.
func (s *shapes) known(seq int64, points []run.Point) []run.Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == 0 {
		s.first = seq
	}
	kept := points[:0]
	for _, p := range points {
		if s.learn(seq, shape(p.Name)) || seq == s.first {
			kept = append(kept, p)
		}
	}
	clear(points[len(kept):])
	return kept
}

// learn tells whether a shape recurs, the attempt's own lines not counted.
func (s *shapes) learn(seq int64, shape uint64) bool {
	before, have := s.seen[shape]
	switch {
	case have && before == recurs:
		return true
	case have && before != seq:
		s.seen[shape] = recurs
		s.recurs++
		return true
	case have || s.recurs >= s.most:
		return false
	}
	for len(s.seen) >= s.most {
		s.forget()
	}
	s.seen[shape] = seq
	s.once = append(s.once, shape)
	return false
}

// forget drops the oldest shape that was seen in one attempt alone.
func (s *shapes) forget() {
	oldest := s.once[0]
	s.once = s.once[1:]
	if s.seen[oldest] != recurs {
		delete(s.seen, oldest)
	}
}

// shape hashes a line (FNV-1a, 64 bits) with every number in it taken for the same: runs of decimal digits,
// and words that are hexadecimal digits with a decimal one among them, 0x before them or not.
func shape(line string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	put := func(b byte) { h = (h ^ uint64(b)) * prime }
	for i := 0; i < len(line); {
		end := i
		for end < len(line) && isWord(line[end]) {
			end++
		}
		switch word := line[i:end]; {
		case end == i:
			put(line[i])
			end = i + 1
		case isNumber(word):
			put('#')
		default:
			for j := 0; j < len(word); j++ {
				if !isDigit(word[j]) {
					put(word[j])
				} else if j == 0 || !isDigit(word[j-1]) {
					put('#')
				}
			}
		}
		i = end
	}
	return h
}

// isNumber tells of a decimal or hexadecimal number.
func isNumber(word string) bool {
	if len(word) > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X') {
		word = word[2:]
	}
	decimal := false
	for i := 0; i < len(word); i++ {
		if !isHex(word[i]) {
			return false
		}
		decimal = decimal || isDigit(word[i])
	}
	return decimal
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
func isWord(b byte) bool {
	return isDigit(b) || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}
