package signature

import (
	"sort"
	"strings"
)

var goAccess = lazily(`^(?:Previous )?(?:atomic )?(?:[Rr]ead|[Ww]rite) at 0x[0-9a-f]+ by (?:goroutine \d+|main goroutine):$`)

// findGoRace reads the reports of Go's race detector. A race is the pair of functions that touch the
// same memory; which of them came first, and whether it read or wrote, is chance.
func findGoRace(l *log) []Failure {
	var found []Failure
	for i, line := range l.lines {
		if line != "WARNING: DATA RACE" || len(found) > maxFailures {
			continue
		}
		var functions []string
		end := i + 1
		for ; end < min(len(l.lines), i+400) && !strings.HasPrefix(l.lines[end], "======"); end++ {
			if len(functions) < 2 && goAccess.MatchString(l.lines[end]) {
				functions = append(functions, goRaceFunction(l, end+1))
			}
		}
		sort.Strings(functions)
		functions = distinct(functions)
		found = append(found, Failure{
			Test:    goRaceTest(l, i, end),
			Message: "data race in " + strings.Join(functions, " and "),
		})
	}
	return found
}

// goRaceFunction is the innermost function of a stack that is not the runtime's, such as map access.
func goRaceFunction(l *log, i int) string {
	first := ""
	for end := i + maxFrames; i < end && l.at(i) != ""; i++ {
		name := goFunction(strings.TrimSpace(l.at(i)))
		if name == "" {
			continue
		}
		if !strings.HasPrefix(name, "runtime.") {
			return name
		}
		if first == "" {
			first = name
		}
	}
	return first
}

// goRaceTest is the test in whose goroutines the race is, from the stacks of their creation.
func goRaceTest(l *log, from, to int) string {
	for _, line := range l.lines[from:to] {
		if name := goTestFunction(strings.TrimSpace(line)); name != "" {
			return name
		}
	}
	return ""
}
