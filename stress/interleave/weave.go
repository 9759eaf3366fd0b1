package interleave

import "heisen/stress/run"

// runner executes attempts; stress.Runner is one.
type runner interface {
	Run(a run.Attempt, ctl *run.Control) run.Result
}

// Woven wraps the runner that has put together an attempt's whole trace, so that every result names its
// variant. An attempt whose trace misses what the others' have (run.NoVariant) gets none: its order would
// look like another one only because less of it is known.
func Woven(inner runner) runner { return woven{inner} }

type woven struct{ inner runner }

func (w woven) Run(a run.Attempt, ctl *run.Control) run.Result {
	res := w.inner.Run(a, ctl)
	if _, lacking := res.Evidence.NotCollected[run.NoVariant]; !lacking {
		res.Evidence.Variant = Canonical(res.Evidence.Trace).Variant
	}
	return res
}
