package signature

import (
	"strings"
)

var dumpFrame = lazily(`^  File "([^"]+)", line \d+ in (.+)$`)

// findPythonFatal reads faulthandler and Py_FatalError: the interpreter's last words and the Python
// functions the current thread was in, or the main one where none is marked as current.
func findPythonFatal(l *log) []Failure {
	var found []Failure
	for i, line := range l.lines {
		// Verbose unittest leaves its line open: "test_x (...) ... Fatal Python error: ...".
		j := strings.Index(line, "Fatal Python error: ")
		if j < 0 && pythonTimeout.MatchString(line) {
			j = strings.LastIndex(line, "Timeout (")
		}
		if j < 0 || (j > 0 && !strings.HasSuffix(line[:j], "... ")) || len(found) > maxFailures {
			continue
		}
		f := Failure{Message: line[j:]}
		if m := unittestRunning.FindStringSubmatch(line[:j]); m != nil {
			f.Test = unittestName(m[1], m[2], "")
		}
		for k := i + 1; k < min(len(l.lines), i+2000); k++ {
			current := strings.HasPrefix(l.lines[k], "Current thread 0x")
			if current || strings.HasPrefix(l.lines[k], "Thread 0x") {
				f.Where = pythonFrames(l, k+1)
			}
			if current {
				break
			}
		}
		found = append(found, f)
	}
	return found
}

// pythonTimeout is faulthandler.dump_traceback_later; it lists the main thread last.
var pythonTimeout = lazily(`(?:^|\.\.\. )Timeout \(\d+:\d\d:\d\d(?:\.\d+)?\)!$`)

var unittestRunning = lazily(`^(\S+) \(([\w.<>]+)\)\S* \.\.\. $`)

// pythonFrames names the innermost function and the first two of the project's own, which is stable
// over versions of the library between them.
func pythonFrames(l *log, i int) string {
	var own []string
	for k := i; k < len(l.lines) && len(own) < 3; k++ {
		m := dumpFrame.FindStringSubmatch(l.lines[k])
		if m == nil {
			break
		}
		library := strings.Contains(m[1], "/lib/python") && !strings.Contains(m[1], "/test/")
		if k == i || !library {
			own = append(own, base(m[1])+" "+m[2])
		}
	}
	return strings.Join(own, " < ")
}
