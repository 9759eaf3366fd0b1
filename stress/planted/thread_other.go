//go:build !(linux && amd64)

package planted

import (
	"errors"
	"time"
)

type thread struct{}

func makeThread() (*thread, error) {
	return nil, errors.New("a thread is made on linux/amd64 only")
}

func (*thread) begun() bool { return false }
func (*thread) join()       {}

func newThread() (time.Duration, error) {
	_, err := makeThread()
	return 0, err
}

func pause(d time.Duration) { time.Sleep(d) }
