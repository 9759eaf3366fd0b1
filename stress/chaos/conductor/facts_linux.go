package conductor

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// endingOf writes how a wait status (wait4(2)) says that the test's main process ended.
func endingOf(status uint32, e *run.Ending) {
	e.Code, e.Signal, e.SignalName, e.CoreDumped = 0, 0, "", false
	st := syscall.WaitStatus(status)
	if st.Signaled() {
		e.Signal, e.SignalName, e.CoreDumped = int(st.Signal()), unix.SignalName(st.Signal()), st.CoreDump()
		return
	}
	e.Code = st.ExitStatus()
}

// sinceStart is how long after the attempt's start a reading of CLOCK_MONOTONIC was taken.
func sinceStart(reading int64, started time.Time) time.Duration {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return 0
	}
	return time.Since(started) - time.Duration(now.Nano()-reading)
}
