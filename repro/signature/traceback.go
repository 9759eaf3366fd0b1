package signature

import (
	"strings"
)

const tracebackHead = "Traceback (most recent call last):"

// maxTraceback bounds how many lines one traceback may have; CPython folds repeated frames itself.
const maxTraceback = 2000

// traceback is one Python exception as it was printed.
type traceback struct {
	// exception is the type and the first line of the message.
	exception string
	// where is "file.py in function" of the innermost frame of the project's own.
	where string
}

var (
	exceptionLine = lazily(`^((?:[A-Za-z_]\w*\.)*[A-Z_a-z]\w*)(?:: .*)?$`)
	frameLine     = lazily(`^ *File "([^"]+)", line \d+, in (.+)$`)
)

// readTraceback reads what follows a traceback's head at line i. Of chained exceptions the last
// is taken, which is the one that was not caught. A foreign line in between (another thread printing)
// is passed over as long as the exception is still to come.
func readTraceback(l *log, i int) (traceback, bool) {
	var t traceback
	group := strings.Contains(l.at(i), "Exception Group")
	for end := min(len(l.lines), i+maxTraceback); i+1 < end; {
		i++
		line := l.lines[i]
		if group {
			line = strings.TrimPrefix(strings.TrimLeft(line, " "), "| ")
		}
		if m := tracebackFrame(line); m != nil {
			t.where = nearest(t.where, m[1], m[2])
			continue
		}
		if !exceptional(line) || !exceptionLine.MatchString(line) {
			continue
		}
		t.exception = line
		if next := chained(l, i+1); next > 0 {
			i, group, t.where = next, strings.Contains(l.lines[next], "Exception Group"), ""
			continue
		}
		return t, true
	}
	return t, t.exception != ""
}

// nearest prefers the innermost frame of the project over frames of the interpreter's own library.
func nearest(where, file, function string) string {
	library := strings.Contains(file, "/lib/python") && !strings.Contains(file, "/test/") &&
		!strings.Contains(file, "/site-packages/")
	if where != "" && (library || strings.HasPrefix(file, "<frozen")) {
		return where
	}
	return base(file) + " in " + function
}

// exceptional tells the name of an exception from a stray word: exceptions are classes, and classes
// begin with a capital letter; those that do not (socket.timeout) have a dot.
func exceptional(line string) bool {
	name, _, _ := strings.Cut(line, ":")
	last := name[strings.LastIndexByte(name, '.')+1:]
	return last != "" && !strings.Contains(name, " ") && (last != name || (last[0] >= 'A' && last[0] <= 'Z'))
}

// chained finds the head of the traceback that follows in a chain, 0 for none. The message of an
// exception may have many lines, so the link may be some way below.
func chained(l *log, i int) int {
	for j := i; j < min(len(l.lines), i+100); j++ {
		line := l.lines[j]
		if link(line) {
			for k := j + 1; k <= j+3; k++ {
				if strings.Contains(l.at(k), "Traceback (most recent call last):") {
					return k
				}
			}
			return 0
		}
		if strings.HasPrefix(line, "====") || strings.HasPrefix(line, tracebackHead) {
			return 0
		}
	}
	return 0
}

// maxTries bounds how many heads are read that turn out to have no exception below.
const maxTries = 64

// findTraceback takes the last traceback at the left edge: a program that dies of an exception prints it
// last. A thread's is findPythonThread's.
func findTraceback(l *log) []Failure {
	for i, tries := len(l.lines)-1, 0; i >= 0 && tries < maxTries; i-- {
		line := l.lines[i]
		if !strings.HasPrefix(line, tracebackHead) && !strings.HasPrefix(line, "  + Exception Group Traceback") {
			continue
		}
		// The head of a chain comes before its links, and says whether the chain is a thread's.
		if strings.Contains(l.at(i-1), "Exception in thread") || link(l.at(i-2)) {
			continue
		}
		tries++
		if t, ok := readTraceback(l, i); ok {
			return []Failure{{Message: t.exception, Where: t.where}}
		}
	}
	return nil
}

// findPythonThread finds exceptions that ended a thread (threading.excepthook).
func findPythonThread(l *log) []Failure {
	var found []Failure
	tries := 0
	for i, line := range l.lines {
		if !strings.Contains(line, "Exception in thread ") || !strings.Contains(l.at(i+1), tracebackHead) {
			continue
		}
		if tries++; tries > maxTries {
			break
		}
		if t, ok := readTraceback(l, i+1); ok {
			found = append(found, Failure{Message: "exception in thread: " + t.exception, Where: t.where})
		}
	}
	return found
}

// link tells the lines between two exceptions of a chain.
func link(line string) bool {
	return strings.HasPrefix(line, "During handling of the above exception") ||
		strings.HasPrefix(line, "The above exception was the direct cause")
}

// tracebackFrame matches frameLine, at no cost for the many lines that are none.
func tracebackFrame(line string) []string {
	if !strings.Contains(line, `File "`) {
		return nil
	}
	return frameLine.FindStringSubmatch(line)
}
