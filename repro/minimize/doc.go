// Package minimize cuts a plan that makes a failure likely down to what it takes, where the failure itself comes
// only in a share of attempts: no question is ever answered by one run.
//
// It is pure: it decides which candidate to try and when enough has been seen, and the caller runs the attempts.
// Everything seen is in a State, so that a run that was cut off goes on where it was. docs/repro.md has the steps.
//
// Source: A. Zeller and R. Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE Transactions on
// Software Engineering 28 (2002), 183-200, of which it takes the removal of ever smaller parts; each question is
// decided by A. Wald's sequential test (stats.SPRT).
package minimize
