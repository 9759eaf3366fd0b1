package stress

import (
	"time"

	"heisen/stress/run"
	"heisen/stress/tally"
)

// Progress is the engine's state at one moment, for a view. It shares nothing with the engine.
type Progress struct {
	Spec run.Spec
	// Tally holds the figures so far, all sessions together.
	Tally *tally.Tally
	// Elapsed is how long all sessions ran, pauses not counted; Session only the present one.
	Elapsed time.Duration
	Session time.Duration
	// SessionDone is how many attempts this session has finished.
	SessionDone int64
	// Running lists the attempts in flight, the longest running first.
	Running []Running
	// Timeout is what an attempt that starts now is given.
	Timeout time.Duration
	// Paused tells that the campaign stands still; Stopping, when not empty, why no more attempts start.
	Paused   bool
	Stopping run.StopReason
	// Waiting, when not empty, is the machine's fault that heisen waits out.
	Waiting string
}

// Running is one attempt in flight.
type Running struct {
	Attempt run.Attempt
	For     time.Duration
	// Slow tells that it has taken ten times the median of passing attempts.
	Slow bool
}
