package signature

import (
	"strings"
)

var (
	rustListed = lazily(`^    (\S+)$`)
	// rustPanic is followed by the message; before Rust 1.73 the message stood in quotes in the line.
	rustPanic = lazily(`^thread '([^']*)'(?: \(\d+\))? panicked at (?:'(.*)', )?(\S+?):\d+:\d+:?$`)
)

// findRustTest reads libtest: the names from the list at the end, since a test may print a forged
// verdict of another, and the messages from each test's own panic.
func findRustTest(l *log) []Failure {
	if !strings.Contains(l.text, "test result: FAILED.") {
		return nil
	}
	says := map[string]string{}
	listed := map[string]bool{}
	section := ""
	for i, line := range l.lines {
		switch {
		case strings.HasPrefix(line, "---- ") && strings.HasSuffix(line, " stdout ----"):
			section = strings.TrimSuffix(line[5:], " stdout ----")
		case strings.HasPrefix(line, "failures:"):
			section = ""
			for j := i + 1; j <= i+10*maxFailures; j++ {
				m := rustListed.FindStringSubmatch(l.at(j))
				if m == nil {
					break
				}
				listed[m[1]] = true
			}
		case strings.HasPrefix(line, "thread '"):
			if m := rustPanic.FindStringSubmatch(line); m != nil {
				name := section
				if name == "" {
					name = m[1]
				}
				if says[name] == "" {
					says[name] = rustSays(l, i, m)
				}
			}
		}
	}
	var found []Failure
	for name := range listed {
		found = append(found, Failure{Test: name, Message: says[name]})
	}
	return found
}

// rustSays is the file and the message, with the two sides of an assertion.
func rustSays(l *log, i int, m []string) string {
	parts := []string{m[2]}
	if m[2] == "" {
		parts = l.block(i+1, 4, func(line string) bool {
			return line == "" || strings.HasPrefix(line, "stack backtrace:") || strings.HasPrefix(line, "note: ")
		})
	}
	return base(m[3]) + ": " + joinFolded(parts)
}

// findRustPanic reads panics outside a test run.
func findRustPanic(l *log) []Failure {
	var found []Failure
	for i, line := range l.lines {
		if !strings.HasPrefix(line, "thread '") || len(found) > maxFailures {
			continue
		}
		if m := rustPanic.FindStringSubmatch(line); m != nil {
			found = append(found, Failure{Message: "panic: " + rustSays(l, i, m)})
		}
	}
	return found
}
