package starve

import (
	"time"

	"heisen/stress/run"
)

// maxGaps bounds how many gaps between events one attempt's record holds.
const maxGaps = 32

// Timed wraps a runner so that what an attempt's output tells of time is among its signals: its first
// byte, and, where markers name the points of output in its trace, the gap from each such event to the next
// of another name.
func Timed(inner Runner, marked bool) Runner { return timed{inner, marked} }

type timed struct {
	inner  Runner
	marked bool
}

func (t timed) Run(a run.Attempt, ctl *run.Control) run.Result {
	res := t.inner.Run(a, ctl)
	if res.Evidence.Signals == nil {
		res.Evidence.Signals = run.Signals{}
	}
	signals := res.Evidence.Signals
	if first, ok := firstOutput(&res.Evidence.Output); ok {
		signals[run.SigFirstOutput] = first.Microseconds()
		if t.marked && res.Evidence.Trace != nil {
			putGaps(signals, first, res.Evidence.Trace.Points)
		}
	}
	if took := res.Ending.StopTook; took > 0 {
		signals[run.SigStop] = took.Microseconds()
	}
	return res
}

func firstOutput(o *run.Output) (time.Duration, bool) {
	for _, part := range [][]run.Chunk{o.Head, o.Tail} {
		if len(part) > 0 {
			return part[0].At, true
		}
	}
	return 0, false
}

// putGaps adds the first gap of each pair of names, from the first byte of output on.
func putGaps(signals run.Signals, first time.Duration, points []run.Point) {
	name, at, gaps := run.EventFirstOutput, first, 0
	for _, p := range points {
		if p.Source != run.FromOutput {
			continue
		}
		if gaps++; gaps > maxGaps {
			return
		}
		gap := run.GapSignal(name, p.Name)
		if _, have := signals[gap]; !have && name != p.Name {
			signals[gap] = (p.At - at).Microseconds()
		}
		name, at = p.Name, p.At
	}
}
