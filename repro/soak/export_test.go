package soak

// Decide reads a verdict from counts alone, for simulations that play millions of attempts: all failures have the
// target signature, and plans beside the focus had all they need and passed, which is when FIXED is easiest.
func Decide(b Baseline, plan string, attempts, failed int64) Verdict {
	b.Beside = nil // those beside have no more to say
	t := Against(b, Options{})
	t.after[plan] = &tally{attempts: attempts, failed: map[string]int64{b.Target[0]: failed}}
	same := t.view(t.target)
	return t.opts.decide(same, same)
}

// Rarer tells whether the same counts show a rate that fell by the factor.
func Rarer(b Baseline, plan string, attempts, failed int64) bool {
	b.Beside = nil
	t := Against(b, Options{})
	t.after[plan] = &tally{attempts: attempts, failed: map[string]int64{b.Target[0]: failed}}
	return t.opts.rarer(t.view(t.target))
}

// Stayed tells whether they show one that did not.
func Stayed(b Baseline, plan string, attempts, failed int64) bool {
	b.Beside = nil
	t := Against(b, Options{})
	t.after[plan] = &tally{attempts: attempts, failed: map[string]int64{b.Target[0]: failed}}
	return t.opts.stayed(t.view(t.target))
}
