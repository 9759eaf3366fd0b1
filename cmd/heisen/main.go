// Command heisen reruns a flaky test many times in parallel until it shows why it fails.
//
// This package is wiring: flags become a run.Spec, packages are put together, signals are passed on and
// errors become exit codes. What heisen does is in the packages below.
package main

import (
	"io"
	"os"
	"runtime/debug"

	_ "heisen/stress/proc/early" // a process that heisen starts of itself starts sooner
)

// version is set by the release build (-ldflags "-X main.version=...").
var version = "0.1.0-dev"

// gcPercent trades a few megabytes for CPU time: heisen's live heap is small, so the collector's default
// would run it many times a second while thousands of attempts come and go.
const gcPercent = 400

func main() {
	debug.SetGCPercent(gcPercent)
	os.Exit(Main(os.Args, os.Stdout, os.Stderr))
}

// Main runs one command line and returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	if code, hidden := runHidden(args); hidden {
		return code
	}
	app := newApp(stdout, stderr)
	if !asksCompletion(args) {
		args = flagsFirst(app, args)
	}
	return report(stderr, app.Run(args))
}
