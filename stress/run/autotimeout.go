package run

import "time"

// The automatic time-out: generous until the test is known, then far beyond what passing attempts need,
// so that a slow machine is not taken for a hang.
const (
	autoTimeoutFirst  = 10 * time.Minute
	autoTimeoutLeast  = 30 * time.Second
	autoTimeoutFactor = 20
	// AutoTimeoutPasses is how many passing attempts make the automatic time-out known.
	AutoTimeoutPasses = 50
)

// Auto tells whether the time-out is heisen's to choose.
func (t TimeoutPolicy) Auto() bool { return t.Fixed == 0 }

// At returns the time-out to use once so many attempts have passed with this 99th percentile of their
// wall time.
func (t TimeoutPolicy) At(passes int64, p99 time.Duration) time.Duration {
	switch {
	case !t.Auto():
		return t.Fixed
	case passes < AutoTimeoutPasses:
		return autoTimeoutFirst
	}
	return max(autoTimeoutLeast, autoTimeoutFactor*p99)
}
