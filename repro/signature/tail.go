package signature

import (
	"strconv"
	"strings"
)

// tailLines is how far from the end the last telling line may be.
const tailLines = 30

var (
	// logPrefix is the time and the level before what a logger says.
	logPrefix = lazily(`^(?:[\[(]?(?:\d{4}[-/]\d\d[-/]\d\d[T ])?\d\d:\d\d:\d\d[^\s\])]*[\])]?\s*|\[?(?:DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)\]?:?\s+)+`)
	// boring lines close every failed run and say nothing of this one.
	boring = lazily(`^(?:[\W_\d]*|FAIL(?:ED)?\b.{0,4}|FAILED \((?:failures|errors)=\d+.*\)|FAIL\t\S+\t[\d.]+s|exit status \d+|Ran \d+ tests? in .*|OK\b.*|make(?:\[\d+\])?: \*\*\* .*|Aborted.*|Quit.*|Segmentation fault.*|Killed|Terminated)$`)
)

// tail identifies an attempt of which no shape knows anything: by the last complaint near the end of the
// output, else by the last line that says anything, else by the exit code.
func tail(l *log, code int) Failure {
	if passed(l) {
		return Failure{Kind: "exit", Message: "exit code " + strconv.Itoa(code) + " although the tests passed"}
	}
	lines := telltale(l)
	for _, line := range lines {
		if complaint.MatchString(line) && !strings.HasPrefix(line, "expected ") {
			return Failure{Kind: "tail", Message: line}
		}
	}
	if len(lines) > 0 {
		return Failure{Kind: "tail", Message: lines[0]}
	}
	return Failure{Kind: "exit", Message: "exit code " + strconv.Itoa(code)}
}

// lastLine is the last line that says anything; an attempt that hangs was there.
func lastLine(l *log) string {
	if lines := telltale(l); len(lines) > 0 {
		return lines[0]
	}
	return ""
}

// telltale are the lines at the end that say anything, the last one first, without a logger's prefix.
func telltale(l *log) []string {
	var lines []string
	for i := len(l.lines) - 1; i >= max(0, len(l.lines)-100*tailLines) && len(lines) < tailLines; i-- {
		line := strings.TrimSpace(l.lines[i])
		if len(line) > 4*maxText {
			line = line[:4*maxText]
		}
		if line = logPrefix.ReplaceAllString(line, ""); !boring.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// success is how runners close a run in which every test passed.
var success = lazily(`^(?:=+ (?:\d+ (?:passed|skipped|xfailed|xpassed|warnings?|deselected)(?:, )?)+ in [\d.]+s.* =+|OK(?: \(.*\))?|PASS|ok  \t\S+\t[\d.]+s|test result: ok\. .*|\[  PASSED  \] \d+ tests?\.|# fail 0|All tests successful\.|Result: PASS)$`)

// passed tells whether the end of the output reports a success, which the exit code then contradicts.
func passed(l *log) bool {
	for _, line := range l.lines[max(0, len(l.lines)-15):] {
		if len(line) < 500 && success.MatchString(line) {
			return true
		}
	}
	return false
}
