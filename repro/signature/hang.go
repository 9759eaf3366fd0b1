package signature

import (
	"strings"
)

// blocked identifies a hang of which no failure was printed: by where the stack dump shows the test or
// the main thread blocked, else by the test that was running, else by the last line of the output.
func blocked(l, dump *log) Failure {
	f := Failure{Kind: "timeout", Test: running(l)}
	if len(dump.lines) == 0 {
		// Without a mark for its beginning, a dump stands at the end of the output.
		dump = l
	}
	for _, read := range []func(*log) (test, where string){goHang, pythonHang, javaHang} {
		test, where := read(dump)
		if where == "" {
			continue
		}
		if f.Test == "" {
			f.Test = test
		}
		f.Message = "timeout: " + where
		return f
	}
	if f.Test != "" {
		f.Message = "timeout"
		return f
	}
	if last := lastLine(l); last != "" {
		f.Message = "timeout: " + last
		return f
	}
	f.Message = "timeout without output"
	return f
}

func goHang(dump *log) (test, where string) {
	stacks := goStacks(dump, 0, len(dump.lines))
	if len(stacks) == 0 {
		return "", ""
	}
	s := goBlocked(stacks)
	return s.test(), s.blocked()
}

// pythonHang reads faulthandler's dump, which lists the newest thread first and so the main thread last.
func pythonHang(dump *log) (test, where string) {
	for i := len(dump.lines) - 1; i >= 0; i-- {
		line := dump.lines[i]
		if (strings.HasPrefix(line, "Thread 0x") || strings.HasPrefix(line, "Current thread 0x")) &&
			strings.HasSuffix(line, "(most recent call first):") {
			return "", pythonFrames(dump, i+1)
		}
	}
	return "", ""
}

// javaHang reads the thread dump a JVM prints on SIGQUIT.
func javaHang(dump *log) (test, where string) {
	for i, line := range dump.lines {
		if !strings.HasPrefix(line, `"main" #`) {
			continue
		}
		_, state, ok := strings.Cut(dump.at(i+1), "Thread.State: ")
		if !ok {
			continue
		}
		return "", strings.ToLower(state) + " in " + javaFrames(dump, i+2, 2)
	}
	return "", ""
}

// progress are the ways in which runners say that a test begins and that it is over. The open line of
// unittest -v is one of its own: it ends in "... " until the verdict comes.
var progress = []struct {
	begin, end *pattern
}{
	{gtestRun, lazily(`^\[ +(?:OK|FAILED|SKIPPED) +\] (\S+?),?(?: |$)`)},
	{lazily(`^=== RUN +(\S+)$`), lazily(`^ *--- (?:PASS|FAIL|SKIP): (\S+) \(`)},
}

// running is the test that had begun and was not over when the log ended; of several the first name in
// order, so that parallel tests do not take turns.
func running(l *log) string {
	open := map[string]bool{}
	for _, line := range l.lines {
		if len(line) > 1000 || line == "" || (line[0] != '[' && line[0] != '=' && line[0] != ' ' && line[0] != '-') {
			continue
		}
		for _, p := range progress {
			if m := p.begin.FindStringSubmatch(line); m != nil && len(open) < 10_000 {
				open[m[1]] = true
			} else if m := p.end.FindStringSubmatch(line); m != nil {
				delete(open, m[1])
			}
		}
	}
	name := unittestOpen(l)
	for test := range open {
		if name == "" || test < name {
			name = test
		}
	}
	return name
}

var unittestBegun = lazily(`^(\S+) \(([\w.<>]+)\)(.*) \.\.\.$`)

// unittestOpen is the test on an open last line of `unittest -v`.
func unittestOpen(l *log) string {
	if m := unittestBegun.FindStringSubmatch(l.at(len(l.lines) - 1)); m != nil {
		return unittestName(m[1], m[2], m[3])
	}
	return ""
}
