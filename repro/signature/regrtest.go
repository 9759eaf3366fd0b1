package signature

import (
	"strings"
)

// regrtestLine is what CPython's test runner says of a failed test file:
//
//	test test_x failed -- Traceback ...     (one error, shown)
//	test test_x failed -- multiple errors occurred; run in verbose mode for details
//	test_x failed (env changed)             (parallel mode, 3.12 and later)
//	test test_x crashed -- <class ...>: ...
var regrtestLine = lazily(
	`^(?:\d+:\d\d:\d\d .*\[ *\d+(?:/\d+)*\] )?(?:test )?(test_\w+|test\.\w[\w.]*) (failed|crashed|timed out|worker non-zero exit code|process crashed)\b(.*)$`)

// findRegrtest names the test files that failed. What failed in them stands in unittest blocks where
// there are any (-v, -w), which findUnittest reads; then the files say nothing more.
func findRegrtest(l *log) []Failure {
	says := map[string]Failure{}
	for i, line := range l.lines {
		if !strings.Contains(line, "test") || len(line) > 1000 || len(says) > maxFailures {
			continue
		}
		m := regrtestLine.FindStringSubmatch(line)
		if m == nil || strings.Contains(m[3], "env changed") {
			continue
		}
		f := Failure{Test: m[1], Message: m[2]}
		if strings.Contains(m[3], tracebackHead) {
			f = regrtestError(l, i, f)
		}
		if old, ok := says[m[1]]; !ok || old.Message == m[2] {
			says[m[1]] = f
		}
	}
	if len(says) == 0 || len(findUnittest(l)) > 0 {
		return nil
	}
	found := make([]Failure, 0, len(says))
	for _, f := range says {
		found = append(found, f)
	}
	return found
}

// regrtestError adds the exception and the test method, which is the outermost frame of its traceback.
func regrtestError(l *log, i int, f Failure) Failure {
	t, ok := readTraceback(l, i)
	if !ok {
		return f
	}
	f.Message = t.exception
	if m := frameLine.FindStringSubmatch(l.at(i + 1)); m != nil && strings.HasPrefix(m[2], "test") {
		f.Test = m[2] + " (" + f.Test + ")"
	}
	return f
}
