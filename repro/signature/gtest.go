package signature

import (
	"strings"
)

var (
	gtestRun    = lazily(`^\[ RUN      \] (\S+)$`)
	gtestFailed = lazily(`^\[  FAILED  \] ([^\s,]+)(?:, where .*)?(?: \(\d+ ms\))?$`)
	gtestFail   = lazily(`^(.*?)(?::\d+|\(\d+\))?:? (?:Failure|error)(?:: (.*))?$`)
)

// findGtest reads googletest. The first failed assertion of a test is its failure: what fails after it
// mostly fails because of it.
func findGtest(l *log) []Failure {
	if !strings.Contains(l.text, "[  FAILED  ] ") {
		return nil
	}
	says := map[string]string{}
	var failed []string
	current := ""
	for i, line := range l.lines {
		if m := gtestRun.FindStringSubmatch(line); m != nil {
			current = m[1]
		} else if m := gtestFailed.FindStringSubmatch(line); m != nil && strings.Contains(m[1], ".") {
			failed = append(failed, m[1])
			current = ""
		} else if strings.HasPrefix(line, "[       OK ] ") {
			current = ""
		} else if current != "" && says[current] == "" && gtestAssertion(line) {
			says[current] = gtestMessage(l, i)
		}
	}
	var found []Failure
	for _, test := range failed {
		found = append(found, Failure{Test: test, Message: says[test]})
	}
	return found[:min(len(found), 10*maxFailures)]
}

func gtestAssertion(line string) bool {
	return strings.HasSuffix(line, ": Failure") || strings.Contains(line, ": error: ")
}

// gtestMessage is the file and the lines below it, folded one by one so that the constant side of a
// comparison keeps its digits.
func gtestMessage(l *log, i int) string {
	head := gtestFail.FindStringSubmatch(l.lines[i])
	if head == nil {
		return ""
	}
	lines := l.block(i+1, 8, func(line string) bool {
		return line == "" || strings.HasPrefix(line, "[") || gtestAssertion(line)
	})
	if head[2] != "" {
		lines = append([]string{head[2]}, lines...)
	}
	message := joinFolded(lines)
	if file := base(head[1]); file != "unknown file" && file != "" {
		return file + ": " + message
	}
	return message
}

// joinFolded makes one line of several, each folded for itself.
func joinFolded(lines []string) string {
	parts := make([]string, 0, len(lines))
	for _, line := range lines {
		parts = append(parts, fold(strings.TrimSpace(line)))
	}
	return strings.ReplaceAll(strings.Join(parts, ", "), ":, ", ": ")
}
