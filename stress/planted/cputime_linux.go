package planted

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the CPU time of all threads of this process (clock_gettime(2), CLOCK_PROCESS_CPUTIME_ID): exact
// to the nanosecond where getrusage counts ticks on some kernels.
func cpuTime() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		return 0, fmt.Errorf("read CPU time: %w", err)
	}
	return time.Duration(ts.Nano()), nil
}
