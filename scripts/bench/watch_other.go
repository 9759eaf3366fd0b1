//go:build !linux

package main

import "errors"

func watch([]string) (raw, error) {
	return raw{}, errors.New("the benchmark needs Linux: /proc and child subreapers")
}
