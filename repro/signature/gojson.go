package signature

import (
	"encoding/json"
	"strings"
)

// goEvent is one line of `go test -json` (go doc test2json); attributes and artifacts (Go 1.25 and 1.26)
// are actions without output and fall through.
type goEvent struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
}

// goStream is the text of one test, or of a package outside its tests.
type goStream struct {
	test   string
	text   strings.Builder
	failed bool
}

// expandGoJSON turns `go test -json` back into the text of each test, so that the same shapes read both
// and parallel packages come apart. Lines that are not events stay where they are, before the rest.
//
// Only an output whose first event opens a package is a stream of go's; a test that prints JSON of its
// own inside a text log is not obeyed. Inside a stream a verdict counts only if the event says so too.
func expandGoJSON(text string) string {
	if !strings.Contains(text, `"Action":"`) {
		return text
	}
	var plain strings.Builder
	var order []*goStream
	streams := map[string]*goStream{}
	started := false
	for rest := text; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		event, ok := goEventOf(line)
		started = started || (ok && (event.Action == "start" || event.ImportPath != ""))
		if !ok || !started {
			plain.WriteString(line + "\n")
			continue
		}
		key := event.Package + event.ImportPath + "\x00" + event.Test
		s := streams[key]
		if s == nil {
			s = &goStream{test: event.Test}
			streams[key] = s
			order = append(order, s)
		}
		s.text.WriteString(event.Output)
		s.failed = s.failed || event.Action == "fail"
	}
	if !started {
		return text
	}
	for _, s := range order {
		s.appendTo(&plain)
	}
	return plain.String()
}

func goEventOf(line string) (e goEvent, ok bool) {
	if !strings.HasPrefix(line, "{") || !strings.Contains(line, `"Action":"`) {
		return e, false
	}
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		return e, false
	}
	return e, e.Package != "" || e.ImportPath != ""
}

// appendTo writes the stream as `go test -v` would have, without verdicts the events do not confirm.
func (s *goStream) appendTo(b *strings.Builder) {
	text := clean([]byte(s.text.String()))
	if s.test != "" {
		b.WriteString("=== NAME  " + s.test + "\n")
	}
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		if strings.HasPrefix(strings.TrimLeft(line, " "), "--- FAIL: ") && !s.failed {
			continue
		}
		b.WriteString(line + "\n")
	}
}
