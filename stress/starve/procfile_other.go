//go:build !linux

package starve

import (
	"errors"
	"time"
)

// errLinux is every answer here: the signals come from Linux's procfs.
var errLinux = errors.New("starvation signals need Linux: run heisen on such a machine")

type handle int

const noHandle handle = -1

func openFile(string) (handle, error)          { return noHandle, errLinux }
func openIn(handle, string) (handle, error)    { return noHandle, errLinux }
func (handle) close()                          {}
func (handle) read([]byte) ([]byte, error)     { return nil, errLinux }
func (handle) readAll(*[]byte) ([]byte, error) { return nil, errLinux }
func (handle) threads() int                    { return -1 }
func (handle) size() int64                     { return 0 }
func (handle) sizeOf(string) int64             { return 0 }

func (handle) eachEntry([]byte, func(int)) error { return errLinux }

func threadCPU() time.Duration             { return 0 }
func usageOfZombie(pid int) (usage, error) { return usage{}, errLinux }
func descriptorLimit() int                 { return 1024 }
