package soak

import (
	"math"
	"slices"
)

// farthest is how many times the attempts so far an outlook looks ahead.
const farthest = 10_000

// outlook is how many more attempts after the change decide it if they go on as those so far, and without failures
// if there was none. -1 where that is out of sight: nothing failed before, or the rate is close to the one asked for.
func (o Options) outlook(same, all evidence, attempts int64) int64 {
	from, least := attempts, 1.0
	if from == 0 {
		from, same, all = all.begun(), same.passing(), all.passing()
		least = 1 / float64(max(from, 1))
	}
	if from == 0 {
		return -1
	}
	decides := func(times float64) bool { return o.decide(same.grown(times), all.grown(times)) != CannotTell }
	low, high := least, least
	for ; !decides(high); low, high = high, high*1.1 {
		if high > farthest {
			return -1
		}
	}
	for high-low > 1e-4*high {
		if mid := (low + high) / 2; decides(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return max(1, int64(math.Ceil(high*float64(from)))-attempts)
}

// begun is how many attempts after the change passing adds.
func (e evidence) begun() (n int64) {
	for _, a := range e.arms {
		n += a.Before
	}
	return n
}

// passing is the evidence as if there had been as many attempts after the change as before, and all had passed.
func (e evidence) passing() evidence {
	e.arms = slices.Clone(e.arms)
	for i := range e.arms {
		e.arms[i].After = e.arms[i].Before
	}
	e.beside = slices.Clone(e.beside)
	for i := range e.beside {
		e.beside[i].attempts = e.beside[i].need // they end when the focus does
	}
	return e
}

// grown is the evidence as if what was seen after the change had been seen so many times over.
func (e evidence) grown(times float64) evidence {
	scale := func(n int64) int64 { return int64(math.Round(float64(n) * times)) }
	e.pairs.OnlyBefore, e.pairs.OnlyAfter, e.pairs.Both = scale(e.pairs.OnlyBefore), scale(e.pairs.OnlyAfter), scale(e.pairs.Both)
	e.beside = slices.Clone(e.beside)
	for i := range e.beside {
		e.beside[i].attempts = scale(e.beside[i].attempts)
	}
	e.arms = slices.Clone(e.arms)
	for i := range e.arms {
		e.arms[i].After, e.arms[i].AfterFailed = scale(e.arms[i].After), scale(e.arms[i].AfterFailed)
	}
	return e
}
