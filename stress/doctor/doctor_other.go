//go:build !linux

package doctor

import (
	"math"
	"runtime"
)

// machine knows little here: heisen runs attempts on Linux only.
func machine() Machine {
	return Machine{System: runtime.GOOS, Arch: runtime.GOARCH, Resources: Measure()}
}

// Measure reports the CPUs; nothing else is known on this system.
func Measure() Resources {
	return Resources{
		CPUs:           runtime.NumCPU(),
		AvailableBytes: math.MaxUint64,
		Descriptors:    math.MaxUint64,
		Processes:      math.MaxUint64,
	}
}

func probes(Input) []probe {
	return []probe{{"system", func() Check {
		return Check{
			State:  Missing,
			Found:  "this is " + runtime.GOOS,
			Lost:   "attempts cannot run here: supervision needs Linux",
			Remedy: "run heisen on Linux, in a container or a virtual machine",
		}
	}}}
}
