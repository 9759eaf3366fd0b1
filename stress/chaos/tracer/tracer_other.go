//go:build !linux

package tracer

import "errors"

var errLinux = errors.New("trace: holding threads needs ptrace as Linux has it: run heisen on Linux")

// Run says that this system cannot.
func Run([]string) error { return errLinux }

// Probe says that this system cannot.
func Probe() error { return errLinux }

// ProbeBreakpoints says that this system cannot.
func ProbeBreakpoints() error { return errLinux }
