package run

import "strings"

// Outcome is the closed set of ways an attempt can end. Its text is the snake_case name used in the
// journal and in every JSON document.
type Outcome string

const (
	// Pass is an attempt the oracle calls good.
	Pass Outcome = "pass"
	// Fail is an attempt whose exit code, or a pattern of the user's, says it failed.
	Fail Outcome = "fail"
	// Crash is an attempt ended by a signal the test brought on itself (SIGSEGV, SIGABRT, SIGALRM, ...).
	Crash Outcome = "crash"
	// Timeout is an attempt heisen stopped because it ran past its time-out.
	Timeout Outcome = "timeout"
	// Killed is an attempt ended by SIGKILL or SIGTERM that heisen did not send: it is not finished, it
	// is tried again, and only the last try is counted, apart from passes and failures.
	Killed Outcome = "killed"
	// OOM is an attempt ended by the kernel because memory ran out.
	OOM Outcome = "oom"
	// Skip is an attempt the test or the user calls neither good nor bad (exit 125, --ignore).
	Skip Outcome = "skip"
	// StartFailed is an attempt whose command could not be executed at all.
	StartFailed Outcome = "start_failed"
	// HarnessError is an attempt spoilt by heisen itself or by the machine, never by the test.
	HarnessError Outcome = "harness_error"
	// Cancelled is an attempt heisen stopped because the campaign was ending; a resume runs it again.
	Cancelled Outcome = "cancelled"
)

// Outcomes lists the closed set in the order in which reports show it.
func Outcomes() []Outcome {
	return []Outcome{Pass, Fail, Crash, Timeout, Killed, OOM, Skip, StartFailed, HarnessError, Cancelled}
}

// Failed tells whether the outcome is a failure of the test: only these make up a failure rate.
func (o Outcome) Failed() bool {
	return o == Fail || o == Crash || o == Timeout
}

// Judged tells whether the attempt says anything about the test: it is what a failure rate divides by.
func (o Outcome) Judged() bool {
	return o == Pass || o.Failed()
}

// Retryable tells whether an attempt that ended so was not the test's doing and deserves another try.
func (o Outcome) Retryable() bool {
	return o == Killed || o == HarnessError
}

// Valid tells whether the outcome is one of the closed set; a journal from elsewhere may hold anything.
func (o Outcome) Valid() bool {
	for _, known := range Outcomes() {
		if o == known {
			return true
		}
	}
	return false
}

// String is the outcome as people read it: start-failed, harness-error.
func (o Outcome) String() string {
	return strings.ReplaceAll(string(o), "_", "-")
}
