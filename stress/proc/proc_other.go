//go:build !linux

package proc

import "heisen/stress/run"

// Supervisor cannot be opened on this system.
type Supervisor struct{}

// Open returns ErrUnsupported.
func Open(Config) (*Supervisor, error) { return nil, ErrUnsupported }

// Tier is empty: there is no open Supervisor here.
func (*Supervisor) Tier() run.Tier { return run.Tier{} }

// Run reports that nothing can be run.
func (*Supervisor) Run(run.Attempt, *run.Control) run.Result {
	return run.Result{
		Ending:   run.Ending{Harness: ErrUnsupported.Error()},
		Evidence: run.Evidence{DumpAt: -1},
	}
}

// Strays are none.
func (*Supervisor) Strays() run.Strays { return run.Strays{} }

// Close does nothing.
func (*Supervisor) Close() error { return nil }

// Sweep returns ErrUnsupported.
func Sweep(string) ([]run.Leak, error) { return nil, ErrUnsupported }

// Probe says that this system is not supported.
func Probe() Capabilities {
	return Capabilities{
		Tier: run.Tier{Name: "none", Lacks: []string{ErrUnsupported.Error()}},
		List: []Capability{{Name: "Linux", Detail: "another system", Remedy: ErrUnsupported.Error()}},
	}
}

// Exec returns ErrUnsupported.
func Exec([]string) error { return ErrUnsupported }

// MachineFault knows nothing here.
func MachineFault([]byte, run.Attempt) string { return "" }
