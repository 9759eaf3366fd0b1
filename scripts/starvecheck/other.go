//go:build !linux

package main

import "errors"

var errLinux = errors.New("the comparison needs Linux")

func work() error               { return errLinux }
func measure(_, _ string) error { return errLinux }
func compare() error            { return errLinux }
