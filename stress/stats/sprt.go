package stats

import (
	"fmt"
	"math"
)

// SPRT decides between two rates of a yes-or-no trial, Low < High, in as few trials as can be: after each one the
// evidence is the log likelihood ratio of High to Low.
//
// Source: A. Wald, Sequential Analysis (1947), chapter 5; no test with the same error rates needs fewer trials on
// average at Low or at High: A. Wald and J. Wolfowitz, Annals of Mathematical Statistics 19 (1948), 326-339.
type SPRT struct {
	Low, High float64
	// Error bounds the chance of High where the rate is Low or less, and that of Low where it is High or more.
	// In between either answer may come.
	Error float64
}

// Answer is what a sequential test says so far.
type Answer int

// The answers of a test: one of the two rates, or more trials.
const (
	Open Answer = iota
	Lower
	Higher
)

// Decide answers from so many hits in so many trials. It may be asked after every trial or after every batch:
// the chance that the likelihood ratio ever passes 1/Error against the truth is at most Error.
//
// It panics unless 0 < Low < High < 1, 0 < Error < 1 and 0 <= hits <= trials.
func (t SPRT) Decide(hits, trials int64) Answer {
	if !(0 < t.Low && t.Low < t.High && t.High < 1 && 0 < t.Error && t.Error < 1) || hits < 0 || hits > trials {
		panic(fmt.Sprintf("stats: decide %d of %d by %+v", hits, trials, t))
	}
	evidence := float64(hits)*math.Log(t.High/t.Low) + float64(trials-hits)*math.Log((1-t.High)/(1-t.Low))
	switch limit := -math.Log(t.Error); {
	case evidence >= limit:
		return Higher
	case evidence <= -limit:
		return Lower
	}
	return Open
}
