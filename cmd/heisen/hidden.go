package main

import (
	"os"

	"heisen/stress/chaos/conductor"
	"heisen/stress/chaos/tracer"
	"heisen/stress/planted"
	"heisen/stress/proc"
	"heisen/stress/strain"
)

// Hidden first arguments: the binary plays helper programs of its own.
const plantedArg = "__planted"

// runHidden plays a helper program if the arguments ask for one.
func runHidden(args []string) (code int, hidden bool) {
	if len(args) < 2 {
		return 0, false
	}
	switch args[1] {
	case plantedArg:
		name := ""
		if len(args) > 2 {
			name = args[2]
		}
		return planted.Run(name, os.Stdout), true
	case strain.HogCommand:
		return report(os.Stderr, strain.RunHog(args[2:])), true
	case tracer.Command:
		return report(os.Stderr, tracer.Run(args[2:])), true
	case conductor.ConfineCommand:
		// Confine returns only when it failed.
		return report(os.Stderr, conductor.Confine(args[2:])), true
	case proc.ExecCommand:
		// Exec returns only when it failed.
		return report(os.Stderr, proc.Exec(args[2:])), true
	}
	return 0, false
}
