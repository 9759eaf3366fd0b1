//go:build !linux

package main

import (
	"errors"
	"sync"

	"heisen/stress/durable"
)

// cutAt needs an ioctl of Linux.
func cutAt(string, string, int64, *sync.Mutex) durable.Failpoints {
	return func(string) error { return errors.ErrUnsupported }
}
