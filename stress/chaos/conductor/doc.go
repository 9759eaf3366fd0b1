// Package conductor gives every attempt of a campaign its strategy: it has one drawn, writes the plan for the
// tracer or confines the attempt, runs it, and puts right what the result says: how the test itself ended, what
// the test alone used, what was done to it and how it can be done again.
//
// What goes wrong here is never the test's: without a report from the tracer an attempt says nothing. The
// report lies where the test could write, so it is read as from a stranger.
package conductor
