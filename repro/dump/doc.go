// Package dump reads the stacks that programs and debuggers print: Go's after SIGQUIT, the JVM's thread dump, Python's
// faulthandler, gdb's backtraces. It is pure, and reads what a stranger may have written.
package dump
