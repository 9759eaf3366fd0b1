package run

import (
	"fmt"
	"regexp"
	"syscall"
)

// exitSkip is the exit code by which a test says "neither good nor bad": the convention of git bisect
// and of automake's harness family.
const exitSkip = 125

// Judge turns the facts of an attempt into its outcome. It is pure: the same facts always get the same
// answer, on any machine.
type Judge struct {
	failOn, passOn, ignore []*regexp.Regexp
}

// NewJudge compiles the user's patterns; the error names the one that does not compile.
func NewJudge(o Oracle) (*Judge, error) {
	j := &Judge{}
	for _, set := range []struct {
		flag     string
		patterns []string
		into     *[]*regexp.Regexp
	}{
		{"--fail-on", o.FailOn, &j.failOn},
		{"--pass-on", o.PassOn, &j.passOn},
		{"--ignore", o.Ignore, &j.ignore},
	} {
		for _, p := range set.patterns {
			re, err := regexp.Compile("(?m)" + p)
			if err != nil {
				return nil, fmt.Errorf("read pattern of %s: %w: write a Go regular expression (RE2)", set.flag, err)
			}
			*set.into = append(*set.into, re)
		}
	}
	return j, nil
}

// Outcome judges one result and says why in a few words; a plain pass has no cause.
//
// The order is the promise: first what is not the test's doing (heisen, the machine, an order to stop,
// memory, a kill from outside), then the user's patterns, then time-out, signal and exit code.
func (j *Judge) Outcome(r *Result) (Outcome, string) {
	if out, cause := notTheTests(r); out != "" {
		return out, cause
	}
	out, cause := j.byPattern(r)
	if out == "" {
		out, cause = byEnding(&r.Ending)
	}
	if out.Failed() && r.Evidence.Chaos != nil {
		cause += ", " + r.Evidence.Chaos.Words()
	}
	return out, cause
}

func notTheTests(r *Result) (Outcome, string) {
	e := &r.Ending
	failed := e.Code != 0 || e.Signal != 0 || e.TimedOut
	switch {
	case e.Harness != "":
		return HarnessError, e.Harness
	case e.Machine != "":
		return HarnessError, e.Machine
	case e.StartError != nil:
		return StartFailed, e.StartError.Error()
	case e.Stopped:
		return Cancelled, "stopped by heisen"
	case e.OOMKills > 0 && failed:
		return OOM, fmt.Sprintf("the kernel killed %d of its processes for memory", e.OOMKills)
	case e.Suspended > 0 && failed:
		// A test's own clocks ran on while it stood still, so its failure may be our doing.
		return HarnessError, "it stood paused (Ctrl-Z) and did not pass after that"
	case e.killedFromOutside():
		return Killed, e.SignalName + " that heisen did not send"
	}
	return "", ""
}

// killedFromOutside tells a kill by another program from a signal the test brought on itself. Nobody
// sends itself KILL or TERM by accident, while the out-of-memory killer, a container runtime and an
// impatient colleague send nothing else.
func (e *Ending) killedFromOutside() bool {
	if e.TimedOut {
		return false
	}
	return syscall.Signal(e.Signal) == syscall.SIGKILL || syscall.Signal(e.Signal) == syscall.SIGTERM
}

// byPattern applies the user's patterns. A pattern overrules an exit code or a crash; a hang stays a hang
// even when the output looks good or bad, but may be ignored.
func (j *Judge) byPattern(r *Result) (Outcome, string) {
	if len(j.ignore)+len(j.failOn)+len(j.passOn) == 0 {
		return "", ""
	}
	output := r.Evidence.Output.Bytes()
	if m := firstMatch(j.ignore, output); m != "" {
		return Skip, "--ignore matched " + m
	}
	if r.Ending.TimedOut {
		return "", ""
	}
	if m := firstMatch(j.failOn, output); m != "" {
		return Fail, "--fail-on matched " + m
	}
	if m := firstMatch(j.passOn, output); m != "" {
		return Pass, "--pass-on matched " + m
	}
	return "", ""
}

// firstMatch quotes the first text that any of the patterns matches, cut to 80 bytes, or "".
func firstMatch(patterns []*regexp.Regexp, output []byte) string {
	for _, re := range patterns {
		if at := re.FindIndex(output); at != nil {
			return fmt.Sprintf("%q", output[at[0]:min(at[1], at[0]+80)])
		}
	}
	return ""
}

func byEnding(e *Ending) (Outcome, string) {
	switch {
	case e.TimedOut:
		return Timeout, "ran past its time-out"
	case e.Signal != 0 && e.CoreDumped:
		return Crash, e.SignalName + " (core dumped)"
	case e.Signal != 0:
		return Crash, e.SignalName
	case e.Code == exitSkip:
		return Skip, "exit code 125"
	case e.Code != 0:
		return Fail, fmt.Sprintf("exit code %d", e.Code)
	}
	return Pass, ""
}
