//go:build !linux

package events

import "errors"

func readClock() (clock, error) {
	return clock{}, errors.New("the test's events are told in times of Linux's CLOCK_MONOTONIC: run heisen on Linux")
}
