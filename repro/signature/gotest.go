package signature

import (
	"strings"
)

var (
	goFail = lazily(`^ *--- FAIL: (\S+) \(\d+\.\d+s\)$`)
	// goNow says whose messages follow in verbose mode; goPass ends them.
	goNow  = lazily(`^=== (?:RUN|CONT|NAME) +(\S*)`)
	goPass = lazily(`^ *--- (?:PASS|SKIP): (\S+) \(`)
	// goSays is a message of t.Log, t.Error and the like; its further lines are indented deeper.
	goSays = lazily(`^( +)([\w.+-]+\.go):\d+: ?(.*)$`)
)

// goTests collects what the tests of one log said, in the order of the log.
type goTests struct {
	current  string
	messages map[string][]string
	failed   []string
}

// findGoTest reads the text of `go test`, verbose or not: messages stand before the verdict in the first
// and after it in the second. A test that failed only because a subtest did is left out.
func findGoTest(l *log) []Failure {
	if !strings.Contains(l.text, "--- FAIL: ") {
		return nil
	}
	tests := goTests{messages: map[string][]string{}}
	for i, line := range l.lines {
		tests.read(l, i, line)
	}
	parents := map[string]bool{}
	for _, name := range tests.failed {
		for i := strings.LastIndexByte(name, '/'); i > 0; i = strings.LastIndexByte(name[:i], '/') {
			parents[name[:i]] = true
		}
	}
	var found []Failure
	for _, name := range tests.failed {
		message := telling(tests.messages[name])
		if parents[name] && !complaint.MatchString(message) {
			continue
		}
		found = append(found, Failure{Test: name, Message: message})
	}
	return found
}

func (t *goTests) read(l *log, i int, line string) {
	if !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "--- ") {
		return
	}
	if m := goNow.FindStringSubmatch(line); m != nil {
		t.current = m[1]
		return
	}
	if m := goFail.FindStringSubmatch(line); m != nil {
		if len(t.failed) < 100*maxFailures {
			t.failed = append(t.failed, m[1])
		}
		t.current = m[1]
		return
	}
	if m := goPass.FindStringSubmatch(line); m != nil {
		t.current = m[1]
		return
	}
	if m := goSays.FindStringSubmatch(line); m != nil && t.current != "" {
		if said := t.messages[t.current]; len(said) < 200 {
			t.messages[t.current] = append(said, goMessage(l, i, m))
		}
	}
}

// goMessage is one message with the file it comes from. The race detector's and the runner's own
// messages say nothing that another shape does not say better.
func goMessage(l *log, i int, m []string) string {
	file, text := m[2], m[3]
	if file == "testing.go" {
		return ""
	}
	more := l.block(i+1, 60, func(line string) bool {
		return line != "" && !strings.HasPrefix(line, m[1]+"    ") && !strings.HasPrefix(line, m[1]+"\t")
	})
	if strings.TrimSpace(text) == "" {
		if text = testifyMessage(more); text == "" && len(more) > 0 {
			text = more[0]
		}
	}
	return file + ": " + squeeze(text)
}

// testifyMessage reads the table that testify prints: Error Trace, Error, Test, Messages.
func testifyMessage(lines []string) string {
	var says []string
	field := ""
	for _, line := range lines {
		text := strings.TrimSpace(line)
		if name, rest, ok := strings.Cut(text, ":"); ok && testifyField[name] {
			field, text = name, strings.TrimSpace(rest)
		}
		if text == "Diff:" {
			field = ""
		}
		if (field == "Error" || field == "Messages") && text != "" {
			says = append(says, text)
		}
	}
	return joinFolded(says)
}

var testifyField = map[string]bool{"Error Trace": true, "Error": true, "Test": true, "Messages": true}

// complaint is what an error says and a progress note does not.
var complaint = lazily(`(?i)\b(?:want(?:ed)?|got|expect(?:ed)?|unexpected|fail(?:s|ed|ure)?|err(?:or)?s?|mismatch|timed? ?out|timeout|panic|should|cannot|can't|must|invalid|missing|refused|denied|not|no such|lost|leaked|corrupt\w*|fatal|abort\w*|exception|deadlock|wrong)\b|!=|<nil>`)

// telling chooses the message that is the failure from all a test said, its notes among them: go does
// not mark which of them are errors. It is the first complaint, else the last message.
func telling(messages []string) string {
	last := ""
	for _, m := range messages {
		if m == "" {
			continue
		}
		if complaint.MatchString(m) {
			return m
		}
		last = m
	}
	return last
}
