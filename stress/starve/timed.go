package starve

import (
	"heisen/stress/run"
)

// maxGaps bounds how many gaps between events one attempt's record holds.
const maxGaps = 32

// Timed wraps a runner so that what an attempt's output tells of time is among its signals: its first
// byte, and the gap from each named event to the next of another name.
func Timed(inner Runner, markers *Markers) Runner { return timed{inner, markers} }

type timed struct {
	inner   Runner
	markers *Markers
}

func (t timed) Run(a run.Attempt, ctl *run.Control) run.Result {
	res := t.inner.Run(a, ctl)
	if res.Evidence.Signals == nil {
		res.Evidence.Signals = run.Signals{}
	}
	t.describe(&res)
	return res
}

func (t timed) describe(res *run.Result) {
	signals := res.Evidence.Signals
	if head := res.Evidence.Output.Head; len(head) > 0 {
		signals[run.SigFirstOutput] = head[0].At.Microseconds()
	}
	if took := res.Ending.StopTook; took > 0 {
		signals[run.SigStop] = took.Microseconds()
	}
	if t.markers == nil {
		return
	}
	events, _ := t.markers.Find(&res.Evidence.Output)
	for i := 1; i < min(len(events), maxGaps+1); i++ {
		from, to := events[i-1], events[i]
		name := run.GapSignal(from.Name, to.Name)
		if _, have := signals[name]; !have && from.Name != to.Name {
			signals[name] = (to.At - from.At).Microseconds()
		}
	}
}
