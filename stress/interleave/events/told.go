package events

import (
	"heisen/stress/interleave"
	"heisen/stress/run"
)

// runner executes attempts; stress.Runner is one.
type runner interface {
	Run(a run.Attempt, ctl *run.Control) run.Result
}

// Told wraps a runner so that its attempts can tell events through the channel, and so that these and the
// lines of their output are points of their traces. A nil channel leaves only output.
func Told(inner runner, channel *Channel, lines *Lines) runner {
	return told{inner, channel, lines}
}

type told struct {
	inner   runner
	channel *Channel
	lines   *Lines
}

func (t told) Run(a run.Attempt, ctl *run.Control) run.Result {
	var err error
	if t.channel != nil {
		a.Events, err = t.channel.prepare(a.Slot)
	}
	res := t.inner.Run(a, ctl)
	switch {
	case err != nil:
		merge(&res, lacking(err.Error()))
	case t.channel != nil:
		merge(&res, t.channel.collect(a.Slot, &res))
	}
	merge(&res, t.lines.trace(a, &res))
	return res
}

// merge adds what a source tells, nil for nothing, to the result's trace.
func merge(res *run.Result, more *run.Trace) {
	res.Evidence.Trace = interleave.Merge(res.Evidence.Trace, more)
}

// lacking is the trace of an attempt whose events are not to be had.
func lacking(why string) *run.Trace {
	return &run.Trace{NotCollected: map[run.Source]string{run.FromTest: why}}
}

// dropped counts points that were not kept.
func dropped(source run.Source, n int64) map[run.Source]int64 {
	if n == 0 {
		return nil
	}
	return map[run.Source]int64{source: n}
}
