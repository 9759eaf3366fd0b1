//go:build !linux

package cpus

import "errors"

// Allowed says that this system does not tell.
func Allowed() ([]int, error) {
	return nil, errors.New("list the CPUs it may use: only Linux tells")
}
