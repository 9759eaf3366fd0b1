//go:build !linux

package guard

import "errors"

var errNeedsLinux = errors.New("supervise in a second process: needs Linux")

// Front needs Linux.
func Front(FrontConfig) (Exit, error) { return Exit{}, errNeedsLinux }

// Link is the supervisor's end of the control socket; there is none outside Linux.
type Link struct{}

// Attach finds no front outside Linux.
func Attach() (*Link, error) { return nil, ErrNotSupervised }

// Commands returns nil.
func (*Link) Commands() <-chan Command { return nil }

// Foreground returns false.
func (*Link) Foreground() bool { return false }

// Close does nothing.
func (*Link) Close() error { return nil }
