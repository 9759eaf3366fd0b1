// Package tracer runs one attempt under ptrace(2) and carries out a chaos.Plan: it stops the test's threads
// at sync points and holds some of them for a while. It is a process of its own, the attempt's main process
// (see Command), because the kernel ties a tracee to the one thread that seized it, and because the tracees
// are to die with it.
package tracer

// Command is the hidden first argument by which the binary plays the tracer. After it come the plan's file, the
// report's file, the test's executable and the test's argv.
const Command = "__trace"

// Wrap is the command line to put before a test's own (run.Attempt.Wrap): self is the binary's absolute path.
func Wrap(self, plan, report string) []string {
	return []string{self, Command, plan, report}
}
