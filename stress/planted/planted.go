// Package planted holds small flaky tests whose cause is known, for the demo and for checking heisen's own
// verdicts. They are compiled into the binary, so that they need nothing else.
package planted

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// tests maps a name to its test; each writes to out and returns an exit code.
var tests = map[string]func(out io.Writer) int{
	"coin":         coin,
	"late-start":   lateStart,
	"slow":         slow,
	"worker":       worker,
	"worker-fixed": workerFixed,
}

// Run plays one planted test and returns its exit code; 2 for a name that is none.
func Run(name string, out io.Writer) int {
	test, ok := tests[name]
	if !ok {
		known := slices.Sorted(maps.Keys(tests))
		fmt.Fprintf(out, "no planted test %q: there are %s\n", name, strings.Join(known, ", "))
		return 2
	}
	return test(out)
}
