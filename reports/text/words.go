package text

import (
	"fmt"

	"heisen/reports"
	"heisen/reports/human"
	"heisen/stress/run"
)

// RateLine says how often the test failed and how sure that is, on one line.
func RateLine(r reports.Rate) string {
	if r.Share == nil {
		return "no attempt judged: no failure rate"
	}
	return fmt.Sprintf("failed %s of %s (%s %%; %g %% confidence: %s %%)",
		human.Count(r.Failures), human.Count(r.Attempts), human.Percent(*r.Share),
		100*r.Confidence, human.Range(r.Low, r.High))
}

// OwnRateLine says how often the test failed when it was left alone.
func OwnRateLine(r reports.Report) string {
	line := RateLine(r.Rate)
	if _, attempts := r.Chaos.Disturbed(); attempts > 0 {
		line = "left alone: " + line
	}
	return line
}

// Reason says why a session ended, or is ending.
func Reason(r run.StopReason) string {
	switch r {
	case run.ReasonRuns:
		return "all runs made"
	case run.ReasonTime:
		return "time is up"
	case run.ReasonFailures:
		return "enough failures seen"
	case run.ReasonDecided:
		return "the evidence suffices"
	case run.ReasonInterrupted:
		return "interrupted"
	case run.ReasonStart:
		return "the command cannot be started"
	case run.ReasonMachine:
		return "the machine stayed out of resources"
	case run.ReasonError:
		return "an error of heisen's own, or of the disk"
	}
	return string(r)
}

// stateLine says what a campaign is doing or how it was left.
func stateLine(r reports.Report) string {
	switch r.State {
	case reports.Running:
		return "running"
	case reports.Empty:
		return "nothing on record"
	case reports.CutOff:
		return "cut off: heisen was killed or the machine went down"
	case reports.Finished:
		return "finished: " + Reason(r.StopReason)
	case reports.Interrupted:
		return "interrupted"
	}
	line := "stopped: " + Reason(r.StopReason)
	if r.StopDetail != "" {
		line += ": " + r.StopDetail
	}
	return line
}

func timeoutLine(t *reports.Timeout) string {
	limit := human.Duration(t.Limit.Duration())
	switch {
	case !t.Auto:
		return limit + " (fixed)"
	case !t.Settled:
		return fmt.Sprintf("%s (auto, until %d attempts have passed)", limit, run.AutoTimeoutPasses)
	}
	return fmt.Sprintf("%s (auto, from %s)", limit, human.Count(t.Passes)+" passes")
}
