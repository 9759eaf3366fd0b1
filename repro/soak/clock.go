package soak

import (
	"time"

	"heisen/stress/run"
)

// Names of what every record has, beside the signals of run.SignalTable.
const (
	signalWall   = "wall_us"
	signalCPU    = "cpu_us"
	signalMemory = "rss_kib"
	signalOutput = "output_bytes"
	signalLeaked = "leaked"
)

// grows are the signals of an attempt that a test which keeps to itself does not raise from attempt to attempt.
var grows = []string{signalMemory, run.SigDescriptors, run.SigProcesses, run.SigThreads, run.SigTempFiles, signalOutput, signalLeaked}

// sampleOf is what the watch is told of an attempt that was left alone.
func sampleOf(fin run.Finished, at time.Duration) Sample {
	s := Sample{At: at, Failed: fin.Outcome.Failed(), Signals: map[string]float64{
		signalWall: float64(fin.Wall), signalCPU: float64(fin.User + fin.System),
		signalMemory: float64(fin.MaxRSS), signalOutput: float64(fin.Output), signalLeaked: 0,
	}}
	if fin.Leaked {
		s.Signals[signalLeaked] = 1
	}
	for name, v := range fin.Signals {
		s.Signals[name] = float64(v)
	}
	for _, name := range fin.AtLeast {
		delete(s.Signals, name) // a lower bound is no value to compare
	}
	return s
}

// clock tells how long a soak had run when something happened: all its sessions, pauses not counted. The journal has
// no pauses of a session that was killed; what is told of those is later than it was.
type clock struct {
	before time.Duration // earlier sessions
	began  time.Time
	paused time.Duration
	since  time.Time // of the present pause
	last   time.Time // end of the latest attempt
}

func (c *clock) take(e run.Event) {
	switch e := e.(type) {
	case run.Began:
		c.before, c.began, c.paused, c.last = c.elapsed(), e.At, 0, e.At
	case run.Paused:
		c.since = e.At
	case run.Resumed:
		c.paused += e.At.Sub(c.since)
	case run.Finished:
		if end := endOf(e); end.After(c.last) {
			c.last = end
		}
	case run.Ended:
		c.before, c.began = c.before+e.Elapsed, time.Time{}
	}
}

// elapsed is how long it has run until the latest attempt's end.
func (c *clock) elapsed() time.Duration {
	if c.began.IsZero() {
		return c.before
	}
	return c.before + max(c.last.Sub(c.began)-c.paused, 0)
}

// at is when an attempt ended.
func (c *clock) at(fin run.Finished) time.Duration {
	return c.before + max(endOf(fin).Sub(c.began)-c.paused, 0)
}

func endOf(fin run.Finished) time.Time { return fin.At.Add(time.Duration(fin.Wall) * time.Microsecond) }
