//go:build !linux

package sched

import (
	"fmt"
	"time"
)

var errLinux = fmt.Errorf("%w: it comes from perf_event_open: run heisen on Linux", ErrUnavailable)

// Recorder cannot be had here.
type Recorder struct{}

// Follower cannot be had here.
type Follower struct{}

// Recording cannot be had here.
type Recording struct{}

// Open says that this system gives no record.
func Open(Config) (*Recorder, error) { return nil, errLinux }

// Probe says that this system gives no record.
func Probe() error { return errLinux }

// Follow says that this system gives no record.
func (*Recorder) Follow() (*Follower, error) { return nil, errLinux }

// Attach says that this system gives no record.
func (*Recorder) Attach(int64, int, time.Time) (*Recording, error) { return nil, errLinux }

// Stats is empty.
func (*Recorder) Stats() Stats { return Stats{} }

// RingBytes is zero.
func (*Recorder) RingBytes() int { return 0 }

// Time is the zero time.
func (*Recorder) Time(int64) time.Time { return time.Time{} }

// Close does nothing.
func (*Recorder) Close() error { return nil }

// Close does nothing.
func (*Follower) Close() error { return nil }

// Finish gives an empty record.
func (*Recording) Finish() Record { return Record{} }

// Detach does nothing.
func (*Recording) Detach() {}
