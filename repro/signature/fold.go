package signature

import (
	"sort"
	"strings"
)

// rewrite is one step of folding: what varies between two runs of one failure becomes a fixed word.
type rewrite struct {
	pattern *pattern
	with    string
}

func rw(pattern, with string) rewrite { return rewrite{lazily(pattern), with} }

// everywhere holds for test names too: nobody names a test after an address on purpose.
var everywhere = []rewrite{
	rw(`\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b`, "<uuid>"),
	rw(`\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))*(?: m=[+-]?[\d.]+)?)?`, "<time>"),
	rw(`\b0[xX][0-9a-fA-F]{5,}\b`, "<addr>"),
}

// inMessages holds for what a failure says, in this order: a later step relies on the earlier ones.
var inMessages = []rewrite{
	rw(`\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? (?:\w{3} +\d{1,2}|\d{1,2} \w{3})(?: \d{4})? \d\d:\d\d:\d\d(?: \w{3,4})?(?: \d{4})?`, "<time>"),
	rw(`\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b`, "<time>"),
	// A port behind a host, then foreign addresses; the loopback ones say something and stay.
	rw(`(\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}|\blocalhost|::1\]?|\[::\]):\d{1,5}\b`, "$1:<port>"),
	rw(`('\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}'|'localhost'), \d{1,5}\b`, "$1, <port>"),
	// A line number behind a file.
	rw(`(\w\.[A-Za-z]{1,5}):\d+(?::\d+)?\b`, "$1"),
	rw(`(\w\.[A-Za-z]{1,5}[")]?,?) line \d+`, "$1"),
	rw(`@[0-9a-f]{4,16}\b`, "@<hex>"),
	rw(`\b(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:ns|µs|us|ms|s|m|h)\b`, "<time>"),
	rw(`\b\d+(?:\.\d+)? (?:nano|micro|milli)?(?:seconds?|secs?|minutes?|mins?|hours?|ns|µs|us|ms|s)\b`, "<time>"),
	rw(`\b\d+(?:\.\d+)? ?%`, "<n>%"),
	// A word for a quantity, then what it came to; and what came out instead of what was expected: the parts that vary.
	rw(`(\b(?i:sum|total|count|counter|balance|size|length|len)[ :=]+)-?\d\b`, "$1<n>"),
	rw(`(\b(?i:got|actual|but was|received)[ :=]+['"<]?)-?\d\b`, "$1<n>"),
	// Names that carry a number by their nature.
	rw(`\b((?i:thread|dummy|worker|process|pool|goroutine|task|pid|tid|port|attempt|seed|client|conn)[-_ #=:]{0,2})\d+(?:[-_]\d+)*\b`, "$1<n>"),
	rw(`<n>-thread-\d+\b`, "<n>-thread-<n>"),
	rw(`\b(PID|TID|id|ID)([ =:#]{1,2})\d+\b`, "$1$2<n>"),
}

// fold makes one line of a message and replaces what is not the failure's but the run's.
func fold(s string) string {
	if s == "" {
		return ""
	}
	s = printable(clip(s, 8*maxText))
	s = foldPaths(apply(s, everywhere))
	s = apply(s, inMessages)
	s = sortBraces(foldNumbers(foldHex(s)))
	return clip(s, maxText)
}

// foldName is fold for names of tests: a name is chosen by a person, so its numbers stay unless they
// are long enough to be a pid, a port or a time.
func foldName(s string) string {
	s = printable(clip(s, 8*maxText))
	return clip(longNumber.ReplaceAllString(foldPaths(apply(s, everywhere)), "<n>"), maxText)
}

var longNumber = lazily(`\d{5,}`)

func apply(s string, steps []rewrite) string {
	for _, step := range steps {
		s = step.pattern.ReplaceAllString(s, step.with)
	}
	return s
}

var hexRun = lazily(`\b[0-9a-fA-F]{8,}\b`)

// foldHex folds hashes and other blobs. Words made of the letters a to f stay, and so do plain numbers,
// which foldNumbers judges.
func foldHex(s string) string {
	return hexRun.ReplaceAllStringFunc(s, func(run string) string {
		if strings.ContainsAny(run, "0123456789") && strings.ContainsAny(run, "abcdefABCDEF") {
			return "<hex>"
		}
		return run
	})
}

var braces = lazily(`\{[^{}]*,[^{}]*\}`)

// sortBraces orders what stands in braces: Python prints a set in the order of its hashes, which the
// hash seed decides.
func sortBraces(s string) string {
	return braces.ReplaceAllStringFunc(s, func(set string) string {
		items := strings.Split(set[1:len(set)-1], ",")
		for i := range items {
			items[i] = strings.TrimSpace(items[i])
		}
		sort.Strings(items)
		return "{" + strings.Join(items, ", ") + "}"
	})
}
