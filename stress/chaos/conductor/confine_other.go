//go:build !linux

package conductor

import "errors"

// ConfineCommand is the hidden argument under which the program must call Confine.
const ConfineCommand = "__confine"

// Confine says that this system cannot.
func Confine([]string) error {
	return errors.New("confine: keeping a process on some CPUs needs Linux: run heisen there")
}
