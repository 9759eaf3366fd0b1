//go:build !linux

package provenance

import "errors"

func affinity() ([]int, error) {
	return nil, errors.New("processor affinity is read on Linux only")
}
