//go:build !linux

package campaign

import (
	"fmt"
	"os"
	"runtime"
)

// errUnsupported: removing a hostile tree needs O_PATH and /proc/self/fd.
var errUnsupported = fmt.Errorf("private temporary folders are not supported on %s: run heisen on Linux", runtime.GOOS)

func prepareDir(*os.File, string, *stamps) error { return errUnsupported }
func emptyDir(*os.File, string, *stamps) error   { return errUnsupported }
func removeTree(string) error                    { return errUnsupported }
func removeOwnTree(string) error                 { return errUnsupported }

type stamps struct{}

func newStamps(*os.File) *stamps { return nil }
