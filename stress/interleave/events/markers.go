package events

import (
	"fmt"
	"regexp"
	"strings"

	"heisen/stress/run"
)

// Bounds on what is kept of one attempt's output: it is a stranger's.
const (
	maxPoints      = 1024 // half from its head, half from its tail
	maxPointMemory = 256 << 10
	maxFieldSize   = 1 << 10
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
		case name == run.EventFirstOutput:
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

// find lists the marked events in an attempt's output up to upTo bytes (-1 for all), sorted by time; each
// pattern is tried on every line of either stream and counts once a line. An event's time is when the last
// byte of what matched had come, its fields are the pattern's groups in order, "" for one that matched
// nothing; without groups the line is its only field. dropped is how many did not fit the bounds.
func (m *Markers) find(o *run.Output, upTo int) (points []run.Point, dropped int64) {
	kept := ends[run.Point]{most: maxPoints / 2, room: maxPointMemory / 2, size: pointSize}
	eachLine(o, upTo, func(l *outputLine) {
		for i, re := range m.patterns {
			if found := re.FindSubmatchIndex(l.text); found != nil {
				kept.add(run.Point{At: l.when(found[1]), Thread: -1, Source: run.FromOutput, Stream: l.stream,
					Name: m.names[i], Fields: fields(l.text, found)})
			}
		}
	})
	points = kept.all()
	byTime(points)
	return points, kept.dropped
}

func fields(text []byte, found []int) []string {
	if len(found) == 2 {
		return []string{printed(text, maxFieldSize)}
	}
	values := make([]string, 0, len(found)/2-1)
	for g := 2; g < len(found); g += 2 {
		value := ""
		if found[g] >= 0 {
			value = printed(text[found[g]:found[g+1]], maxFieldSize)
		}
		values = append(values, value)
	}
	return values
}

// printed is text as UTF-8, cut to most bytes.
func printed(text []byte, most int) string {
	return strings.ToValidUTF8(string(text[:min(len(text), most)]), "\uFFFD")
}

// pointSize is about what a point takes in memory.
func pointSize(p run.Point) int {
	size := 96 + len(p.Name)
	for _, f := range p.Fields {
		size += 16 + len(f)
	}
	return size
}
