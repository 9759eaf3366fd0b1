package events

import (
	"time"

	"golang.org/x/sys/unix"
)

// readClock reads CLOCK_MONOTONIC, the clock below Go's monotonic time, once beside Go's: from then on Go's
// tells the other.
func readClock() (clock, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return clock{}, err
	}
	return clock{at: time.Now(), mono: ts.Nano()}, nil
}
