//go:build !linux

package planted

import (
	"errors"
	"time"
)

func cpuTime() (time.Duration, error) {
	return 0, errors.New("CPU time is read on Linux only")
}
