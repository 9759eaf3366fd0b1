package signature

import (
	"sort"
	"strings"
)

var (
	sanError   = lazily(`^(?:=+\d+=+)?(?:ERROR|WARNING): (\w+Sanitizer): ([^\n(]+?)(?: on (?:unknown )?address.*| \(pid=\d+\).*| \(0x.*)?$`)
	sanFrame   = lazily(`^ +#\d+ (?:0x[0-9a-f]+ in )?(\S.*?)(?: \(.*| [./].*| \S+:\d+(?::\d+)?|)$`)
	sanAccess  = lazily(`^ +(?:Previous )?(?:atomic )?(?:[Rr]ead|[Ww]rite) of size \d+ at `)
	sanRuntime = lazily(`^(.+?):\d+(?::\d+)?: runtime error: (.+)$`)
)

// findSanitizer reads the reports of the Address-, Thread-, Memory- and LeakSanitizer and the lines of
// UBSan. A report is its kind and the functions it happened in.
func findSanitizer(l *log) []Failure {
	if !strings.Contains(l.text, "Sanitizer") && !strings.Contains(l.text, "runtime error: ") {
		return nil
	}
	var found []Failure
	test := running(l)
	for i, line := range l.lines {
		if len(found) > 10*maxFailures {
			break
		}
		if m := sanError.FindStringSubmatch(line); m != nil {
			found = append(found, Failure{Test: test, Message: m[1] + ": " + sanReport(l, i, m[2])})
		} else if strings.Contains(line, "LeakSanitizer does not work under ptrace") {
			// LeakSanitizer stops the world with ptrace(2) and fails the program where another tracer is.
			found = append(found, Failure{Message: "LeakSanitizer cannot run under a tracer"})
		} else if m := sanRuntime.FindStringSubmatch(line); m != nil {
			found = append(found, Failure{Message: "UndefinedBehaviorSanitizer: " + base(m[1]) + ": " + m[2]})
		}
	}
	return found
}

// sanReport adds the functions. Of a race they are a pair in which either may come first; of a leak
// each stack is one leak, and the sum over all of them varies.
func sanReport(l *log, i int, what string) string {
	what = strings.TrimSuffix(what, ":")
	var functions []string
	race := strings.Contains(what, "race")
	leak := strings.Contains(what, "leak")
	end := min(len(l.lines), i+400)
	for j := i + 1; j < end && !strings.HasPrefix(l.lines[j], "SUMMARY: "); j++ {
		line := l.lines[j]
		switch {
		case race && sanAccess.MatchString(line), leak && strings.Contains(line, " leak of "),
			!race && !leak && len(functions) == 0 && sanFrame.MatchString(line):
			functions = append(functions, sanFunction(l, j))
		}
	}
	sort.Strings(functions)
	functions = distinct(functions)
	if len(functions) == 0 {
		return what
	}
	return what + " in " + strings.Join(functions, " and ")
}

// sanFunction is the innermost function of the stack at or below line i that is not the sanitizer's
// own or the C library's.
func sanFunction(l *log, i int) string {
	first := ""
	for j := i; j < i+64; j++ {
		m := sanFrame.FindStringSubmatch(l.at(j))
		if m == nil {
			if j > i {
				break
			}
			continue
		}
		name, _, _ := strings.Cut(m[1], "(")
		if first == "" {
			first = name
		}
		if !strings.HasPrefix(name, "__") && !strings.Contains(l.lines[j], "libsanitizer") && !strings.Contains(name, "testing::") {
			return name
		}
	}
	return first
}

// distinct drops repetitions from a sorted list and empty texts.
func distinct(sorted []string) []string {
	var out []string
	for _, s := range sorted {
		if s != "" && (len(out) == 0 || out[len(out)-1] != s) {
			out = append(out, s)
		}
	}
	return out
}
