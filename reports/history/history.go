// Package history folds a campaign's journal into what is drawn over time: how many attempts passed and failed in
// each stretch of it, and how long they took. Its size does not depend on the number of attempts.
package history

import (
	"maps"
	"math/bits"
	"time"

	"heisen/stress/run"
	"heisen/stress/tally"
)

// mostBins bounds the stretches of time; when more are needed, two become one.
const mostBins = 512

// firstBin is the length of a stretch to begin with.
const firstBin = 10 * time.Millisecond

// Bin is a stretch of time, by the ends of attempts.
type Bin struct {
	// Plain are the attempts that were left alone, of the latest epoch: those of Report.Rate.
	Plain tally.Counts
	// Failed counts all failing attempts, of every epoch, disturbed or not; Finished all attempts.
	Failed, Finished int64
	// ByKind counts the finished by their kind, an index of History.Kinds.
	ByKind map[int]int64
}

// History is the fold. The zero value is ready; it is not safe for concurrent use.
type History struct {
	// Start is where the first bin begins, Width how long each is.
	Start time.Time
	Width time.Duration
	Bins  []Bin
	// Pass and Fail count the wall times of attempts that were left alone, all epochs together, as
	// Report.Durations does: by DurationBin.
	Pass, Fail [DurationBins]int64
	// Kinds are those of all attempts, in the order in which they were met; Failures the first failing attempts of the
	// journal.
	Kinds    []Kind
	Failures []Failure

	kinds map[Kind]int
	epoch int
	done  map[int64]bool // numbers beyond the run of finished ones
	until int64          // all numbers up to it are finished
}

// Add folds one event.
func (h *History) Add(e run.Event) {
	switch e := e.(type) {
	case run.Began:
		if e.Epoch != h.epoch {
			h.epoch = e.Epoch
			for i := range h.Bins {
				h.Bins[i].Plain = tally.Counts{}
			}
		}
	case run.Finished:
		if h.first(e.Seq) {
			h.finished(e)
		}
	}
}

// first tells that no record of the attempt came before: the first one wins, as in the tally.
func (h *History) first(seq int64) bool {
	if seq <= h.until || h.done[seq] {
		return false
	}
	if h.done == nil {
		h.done = map[int64]bool{}
	}
	h.done[seq] = true
	for h.done[h.until+1] {
		h.until++
		delete(h.done, h.until)
	}
	return true
}

func (h *History) finished(e run.Finished) {
	end, kind := e.At.Add(time.Duration(e.Wall)*time.Microsecond), h.kind(e)
	b := h.bin(end)
	b.Finished++
	b.count(kind, 1)
	if e.Outcome.Failed() {
		b.Failed++
		h.list(e, end, kind)
	}
	if e.Chaos != nil {
		return
	}
	if b.Plain.ByOutcome == nil {
		b.Plain.ByOutcome = map[run.Outcome]int64{}
	}
	b.Plain.ByOutcome[e.Outcome]++
	switch {
	case e.Outcome.Failed():
		h.Fail[DurationBin(e.Wall)]++
	case e.Outcome == run.Pass:
		h.Pass[DurationBin(e.Wall)]++
	}
}

// bin finds the stretch a moment is in, and makes room for it. What lies before the first, for a clock was set back,
// is counted in the first.
func (h *History) bin(at time.Time) *Bin {
	if len(h.Bins) == 0 {
		h.Start, h.Width = at.Truncate(firstBin), firstBin
	}
	i := max(int(at.Sub(h.Start)/h.Width), 0)
	for i >= mostBins {
		h.halve()
		i = int(at.Sub(h.Start) / h.Width)
	}
	for len(h.Bins) <= i {
		h.Bins = append(h.Bins, Bin{})
	}
	return &h.Bins[i]
}

// halve makes every two stretches one.
func (h *History) halve() {
	h.Width *= 2
	half := h.Bins[:0]
	for i := 0; i < len(h.Bins); i += 2 {
		b := h.Bins[i]
		if i+1 < len(h.Bins) {
			b = b.plus(h.Bins[i+1])
		}
		half = append(half, b)
	}
	h.Bins = half
}

func (b *Bin) count(kind int, n int64) {
	if b.ByKind == nil {
		b.ByKind = map[int]int64{}
	}
	b.ByKind[kind] += n
}

func (b Bin) plus(o Bin) Bin {
	for kind, n := range o.ByKind {
		b.count(kind, n)
	}
	b.Failed, b.Finished = b.Failed+o.Failed, b.Finished+o.Finished
	for outcome, n := range o.Plain.ByOutcome {
		if b.Plain.ByOutcome == nil {
			b.Plain.ByOutcome = map[run.Outcome]int64{}
		}
		b.Plain.ByOutcome[outcome] += n
	}
	return b
}

// Windows puts the bins together to at most so many stretches, all of the same length, and gives that.
func (h *History) Windows(most int) ([]Bin, time.Duration) {
	if len(h.Bins) == 0 || most < 1 {
		return nil, 0
	}
	per := (len(h.Bins) + most - 1) / most
	var list []Bin
	for i := 0; i < len(h.Bins); i += per {
		var b Bin
		for _, o := range h.Bins[i:min(i+per, len(h.Bins))] {
			b = b.plus(o)
		}
		list = append(list, b)
	}
	return list, time.Duration(per) * h.Width
}

// DurationBins is how many classes of wall time there are: four to each doubling, up to 2^44 µs.
const DurationBins = 4 * 44

// DurationBin is the class of a wall time in microseconds.
func DurationBin(us int64) int {
	us = max(us, 1)
	e := bits.Len64(uint64(us)) - 1 // us is in [2^e, 2^(e+1))
	quarter := int((us - 1<<e) * 4 >> e)
	return min(4*e+quarter, DurationBins-1)
}

// DurationFrom is where a class begins.
func DurationFrom(bin int) time.Duration {
	e, quarter := bin/4, int64(bin%4)
	return time.Duration((1<<e)+(quarter<<e)/4) * time.Microsecond
}

// Clone is an independent copy of what is drawn. It folds no more events: it knows nothing of who has finished.
func (h *History) Clone() *History {
	c := &History{Start: h.Start, Width: h.Width, Bins: make([]Bin, len(h.Bins)), Pass: h.Pass, Fail: h.Fail}
	for i, b := range h.Bins {
		c.Bins[i] = Bin{Plain: tally.Counts{ByOutcome: maps.Clone(b.Plain.ByOutcome)}, Failed: b.Failed, Finished: b.Finished}
	}
	return c
}
