// Package soak says what attempts of a changed program prove about a failure of the old one: that it became rarer
// by a factor, that it did not, that another failure took its place, or that more attempts are needed. It also
// watches a long run for drift and growth.
//
// It decides from counts and is pure: it runs nothing and reads no clock. Verdicts may be read after every attempt
// and acted on at any moment; each of FIXED, NOT FIXED, DIFFERENT FAILURE and PERTURBED is wrong in at most
// 1 - confidence of all soaks (stats.FellBelow, stats.StayedAbove, stats.Pairs). docs/soak.md has the rules.
package soak
