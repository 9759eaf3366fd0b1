// Package signature turns the output of a failed attempt into the identity of the failure: two attempts
// that failed for the same reason share an ID, whatever their pids, addresses, times and temp folders.
//
// The output is bytes from a stranger. It is cleaned, cut to a bounded size, and searched by a table of
// known shapes (see registry.go); what no shape knows is identified by its last telling line.
//
// What is part of an identity and what is not:
//
//   - The name of a test and its assertion stay: exception type, message, the asserted expression where
//     the framework prints it, the base name of the source file.
//   - Line numbers go. A line number tells two assertions of one test apart, but moves with every edit
//     above it, so the failure of last week would become a new one, and a bisection would lose its
//     target at the first commit. Where a framework prints the source text of the assertion (Python,
//     pytest, gtest, assert(3)), that text tells them apart instead. Where it prints none (Go, Rust), two
//     assertions of one test that say the same words share a signature; their bundles still show the lines.
//   - Numbers in a message go when they look like measurements: two digits or more, or a fraction. One
//     such number on a line takes the single digits of that line with it, so that "9 of 10" and "10 of 10"
//     stay together, and a word for a quantity (sum, total, count, ...) takes its single digit along. Numbers
//     that are codes stay: errno, exit status, HTTP status, signals.
//   - A hang after a printed failure is that failure, with Hang set: whether the process then hangs is
//     a consequence. A hang without one is identified by where the main thread or the test is blocked.
//   - A crash is a failure of its own beside the tests that failed before it.
package signature
