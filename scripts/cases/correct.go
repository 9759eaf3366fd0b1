package main

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// correctTable runs programs that should pass under any schedule under chaos, and left alone where that failed: a failure
// that plain reruns have too is not chaos's.
func correctTable(o options) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "Correct programs, at most %d attempts or %v each, with --chaos auto (Go's own tests: the other runtime alone), then plain where one failed, %d CPUs, %s\n\n| program | chaos: failed of, harness | plain: failed of, harness |\n| --- | --- | --- |\n",
		o.runs, 4*o.limit, runtime.NumCPU(), time.Now().UTC().Format("2006-01-02"))
	for _, p := range programs(o) {
		if o.only != "" && !slices.ContainsFunc(strings.Split(o.only, ","), func(part string) bool { return strings.Contains(p.name, part) }) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format("15:04:05"), p.name)
		if p.skip != "" {
			fmt.Fprintf(&b, "| %s | skipped: %s | |\n", p.name, p.skip)
			continue
		}
		row := "| " + p.name
		for _, chaos := range []string{cmp.Or(p.chaos, "auto"), "off"} {
			h := o.hunt(p.line, p.dir, chaos, 1, "--runs", fmt.Sprint(o.runs), "--for", (4 * o.limit).String())
			if h.problem != "" {
				row += " | no figures: " + h.problem
				continue
			}
			row += fmt.Sprintf(" | %d of %d, %d%s", h.failures, h.judged, h.harness, h.titles)
			if chaos != "off" && h.failures == 0 {
				row += " | not run"
				break
			}
		}
		b.WriteString(row + " |\n")
		fmt.Fprintln(os.Stderr, row+" |") // what is known is not lost where the rest is not waited for
	}
	return b.String(), nil
}
