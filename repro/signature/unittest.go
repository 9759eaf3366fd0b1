package signature

import (
	"strings"
)

// unittestHead is the head of a block: FAIL: test_x (module.Class), since Python 3.11
// FAIL: test_x (module.Class.test_x), and behind it the parameters of a subtest.
var unittestHead = lazily(`^(FAIL|ERROR): ((\S+) \(([\w.<>]+)\)(.*))$`)

// findUnittest reads the blocks that unittest prints at the end of a run. Another thread's traceback may be printed right
// through a block, even through its rules, so nothing relies on two lines being neighbours.
func findUnittest(l *log) []Failure {
	var found []Failure
	for i, line := range l.lines {
		if len(line) < 6 || (line[0] != 'F' && line[0] != 'E') {
			continue
		}
		m := unittestHead.FindStringSubmatch(line)
		if m == nil || !ruled(l, i) {
			continue
		}
		message, where := unittestSays(l, i+1, m[1], m[3])
		found = append(found, Failure{Test: unittestName(m[3], m[4], m[5]), Message: message, Where: where})
		if len(found) > 10*maxFailures {
			break
		}
	}
	if len(found) == 0 {
		return verboseFailures(l)
	}
	return found
}

const (
	doubleRule = "=================================================="
	singleRule = "--------------------------------------------------"
)

// ruled tells a block's head from a line that merely begins like one: there is a double rule a little
// above it and a single one a little below.
func ruled(l *log, i int) bool {
	above := near(l, i-4, i, doubleRule)
	return above && near(l, i+1, i+12, singleRule)
}

func near(l *log, from, to int, prefix string) bool {
	for j := from; j < to; j++ {
		if strings.HasPrefix(l.at(j), prefix) {
			return true
		}
	}
	return false
}

// unittestName is the same for all versions of Python: the method, and its class in brackets.
func unittestName(method, class, rest string) string {
	return method + " (" + strings.TrimSuffix(class, "."+method) + ")" + rest
}

// unittestSays finds the exception of the block that begins at line i. A FAIL is an AssertionError by
// definition, which tells it from a thread's exception printed into the block.
func unittestSays(l *log, i int, kind, method string) (message, where string) {
	end := i
	for end < min(len(l.lines), i+maxTraceback) && !strings.HasPrefix(l.lines[end], doubleRule) {
		end++
	}
	block := &log{lines: l.lines[i:end]}
	for j, line := range block.lines {
		if kind == "FAIL" && strings.HasPrefix(line, "AssertionError") {
			return line, assertionText(block, j, method, line)
		}
	}
	for j, line := range block.lines {
		if strings.Contains(line, tracebackHead) {
			t, _ := readTraceback(block, j)
			return t.exception, ""
		}
	}
	return "", ""
}

// unspecific are the messages many assertions share.
var unspecific = lazily(`^AssertionError$|^AssertionError: .* is not (?:true|false)$`)

// assertionText is the source line in the test's own frame, for messages that do not tell the assertion.
func assertionText(block *log, end int, method, message string) string {
	if !unspecific.MatchString(message) {
		return ""
	}
	for j := end; j >= 0; j-- {
		if m := frameLine.FindStringSubmatch(block.lines[j]); m != nil && m[2] == method {
			return strings.TrimSpace(block.at(j + 1))
		}
	}
	return ""
}

var unittestVerbose = lazily(`^(\S+) \(([\w.<>]+)\)(.*) \.\.\. (FAIL|ERROR)$`)

// verboseFailures reads the progress of `unittest -v`, which is all there is when the run never came to
// its end.
func verboseFailures(l *log) []Failure {
	var found []Failure
	for _, line := range l.lines {
		if !strings.HasSuffix(line, "... FAIL") && !strings.HasSuffix(line, "... ERROR") {
			continue
		}
		if m := unittestVerbose.FindStringSubmatch(strings.TrimLeft(line, " ")); m != nil && len(found) <= maxFailures {
			found = append(found, Failure{Test: unittestName(m[1], m[2], m[3])})
		}
	}
	return found
}
