package signature

import (
	"strings"
)

var (
	// glibcAbort is what malloc(3) and the fortified functions say before abort(3); malloc/malloc.c.
	glibcAbort = lazily(`^(?:\*\*\* (?:Error in .*?: )?)?((?:double free or corruption|corrupted (?:size vs\. prev_size|double-linked list)|free\(\): |malloc\(\): |realloc\(\): |munmap_chunk\(\): |malloc_consolidate\(\): |stack smashing detected|buffer overflow detected|invalid fastbin entry|tcache_thread_shutdown\(\): ).*?)(?: \*\*\*)?(?:: terminated)?(?:: 0x[0-9a-f]+ \*\*\*)?$`)
	// assertion is assert(3): program: file:line: function: Assertion `expression' failed.
	assertion = lazily("^(?:[^:]+: )?([^: ]+):\\d+: (?:(.+): )?Assertion [`'](.*)' failed\\.$")
	thrown    = lazily(`^terminate called after throwing an instance of '(.+)'$`)
)

// findAbort reads the last words of C and C++: a broken heap, assert(3), an exception nobody caught.
func findAbort(l *log) []Failure {
	var found []Failure
	test := running(l)
	for i, line := range l.lines {
		if len(found) > maxFailures {
			break
		}
		if message := lastWords(l, i, line); message != "" {
			found = append(found, Failure{Test: test, Message: message})
		}
	}
	return found
}

func lastWords(l *log, i int, line string) string {
	switch {
	case len(line) > 2000:
	case strings.Contains(line, "Assertion"):
		if m := assertion.FindStringSubmatch(line); m != nil {
			return "assertion failed: " + m[3] + " in " + m[2] + " (" + base(m[1]) + ")"
		}
	case strings.HasPrefix(line, "terminate called"):
		if m := thrown.FindStringSubmatch(line); m != nil {
			what, _ := strings.CutPrefix(strings.TrimSpace(l.at(i+1)), "what():")
			if what == strings.TrimSpace(l.at(i+1)) {
				what = ""
			}
			return strings.TrimSuffix("uncaught "+m[1]+": "+strings.TrimSpace(what), ": ")
		}
		if line == "terminate called without an active exception" || line == "terminate called recursively" {
			return line
		}
	default:
		if m := glibcAbort.FindStringSubmatch(line); m != nil {
			return m[1]
		}
	}
	return ""
}
