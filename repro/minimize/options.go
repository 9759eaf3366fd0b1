package minimize

import (
	"context"
	"time"
)

// Options say how sure and how long. The zero value of each field means its default.
type Options struct {
	// Batch is how many attempts the caller likes to run at once; 0 for 8.
	Batch int
	// Keep is the share of the whole plan's rate that a candidate must keep to count as reproducing; 0 for 0.5.
	Keep float64
	// Error bounds the chance of one wrong answer; 0 for 0.002. Which holds can go is asked five times as loosely on the way;
	// the last answers, that what is left reproduces and that it does not without any one of its holds, ten times as strictly.
	Error float64
	// Reference is the greatest number of attempts spent on each of the whole plan and of no holds; 0 for 1,500.
	Reference int64
	// Fresh is how many new attempts measure the result; 0 for 100.
	Fresh int64
	// Slow are conditions without which attempts take long: they are asked about last, before measuring.
	Slow []string
	// Shortest and Longest bound the lengths that are tried; 0 for 50 µs and 100 ms.
	Shortest, Longest time.Duration
	// MostAttempts and MostTime are the budget, over all runs of one State for the former; 0 for none.
	MostAttempts int64
	MostTime     time.Duration
	// Now is the clock for MostTime; needed only with it.
	Now func() time.Time
	// Confirmed is called once the holds that are needed are known, before conditions and lengths are asked about; nil for nobody.
	Confirmed func(context.Context, Result) error
	// Progress is called after every batch; nil for nobody.
	Progress func(Progress)
}

// Step is a part of minimising.
type Step string

// The steps, in their order.
const (
	StepReference  Step = "how often the whole plan and no holds reproduce it"
	StepHolds      Step = "which holds are needed"
	StepConfirm    Step = "whether each hold left is needed"
	StepConditions Step = "which conditions are needed"
	StepShorten    Step = "from which length on each hold works"
	StepLengthen   Step = "whether longer holds are surer"
	StepMeasure    Step = "how often what is left reproduces it"
)

// Progress is what has just been seen.
type Progress struct {
	Step Step
	// Candidate is what the batch was of; Tally is all that was seen of it in this question.
	Candidate Candidate
	Tally     Tally
	// Holds and Conditions are how many are left so far, Spent all attempts so far.
	Holds, Conditions int
	Spent             int64
}

func (o Options) normal() Options {
	def(&o.Batch, 8)
	def(&o.Keep, 0.5)
	def(&o.Error, 0.002)
	def(&o.Reference, 1500)
	def(&o.Fresh, 100)
	def(&o.Shortest, 50*time.Microsecond)
	def(&o.Longest, 100*time.Millisecond)
	return o
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
