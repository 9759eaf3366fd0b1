// Package interleave makes of one attempt's trace the order that is its own: threads by where they were
// created, identities by their first appearance, no times. Two attempts with the same order have the same
// variant, on any machine and in any language. It compares the orders of failing attempts with those of
// passing ones and says in a sentence where they part.
//
// It is pure: a trace goes in, a [Form] comes out. Package sched below it records what the scheduler does.
package interleave
