// Package chaos makes the rare legal schedules of a test happen on purpose. It holds the nouns that the
// outside and the tracer share: a Plan goes in, a Report comes out. What it does is always a delay: nothing
// happens to a thread that a loaded machine could not do to it.
//
// Package chaos/tracer is the other half: a process that runs one attempt under ptrace(2) and carries a plan
// out.
package chaos
