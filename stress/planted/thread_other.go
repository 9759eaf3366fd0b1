//go:build !(linux && amd64)

package planted

import (
	"errors"
	"time"
)

func newThread() (time.Duration, error) {
	return 0, errors.New("a thread is made on linux/amd64 only")
}
