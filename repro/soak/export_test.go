package soak

// Decide reads a verdict from counts alone, for simulations that play millions of attempts.
func Decide(b Baseline, plan string, attempts, failed int64) Verdict {
	o, seen := counted(b, plan, attempts, failed)
	return o.decide(seen, seen)
}

// Rarer tells whether counts show a rate that fell by the factor.
func Rarer(b Baseline, plan string, attempts, failed int64) bool {
	o, seen := counted(b, plan, attempts, failed)
	return o.rarer(seen)
}

// Stayed tells whether they show one that did not.
func Stayed(b Baseline, plan string, attempts, failed int64) bool {
	o, seen := counted(b, plan, attempts, failed)
	return o.stayed(seen)
}

// counted is the evidence of counts: all failures have the target signature, and plans beside the focus had all they need and
// passed, which is when FIXED is easiest.
func counted(b Baseline, plan string, attempts, failed int64) (Options, evidence) {
	b.Beside = nil // those beside have no more to say
	t := Against(b, Options{})
	t.after[plan] = &tally{attempts: attempts, failed: map[string]int64{b.Target[0]: failed}}
	return t.opts, t.view(t.target)
}
