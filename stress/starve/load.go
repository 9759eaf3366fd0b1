// Package starve measures whether the machine gave an attempt its share of the CPU.
package starve

import (
	"fmt"

	"github.com/prometheus/procfs"
	"github.com/shirou/gopsutil/v3/load"
)

// Load is how busy the machine is at a moment.
type Load struct {
	// Average is the one-minute load average: tasks that run, wait for a CPU or for a disk.
	Average float64
	// CPUPressure is the share of the last ten seconds, in percent, in which some task waited for a CPU
	// (PSI, Documentation/accounting/psi.rst); nil where the kernel does not say.
	CPUPressure *float64
}

// ReadLoad reads the machine's load now.
func ReadLoad() (Load, error) {
	avg, err := load.Avg()
	if err != nil {
		return Load{}, fmt.Errorf("read load average: %w", err)
	}
	l := Load{Average: avg.Load1}
	if fs, err := procfs.NewDefaultFS(); err == nil {
		if psi, err := fs.PSIStatsForResource("cpu"); err == nil && psi.Some != nil {
			l.CPUPressure = &psi.Some.Avg10
		}
	}
	return l, nil
}

// String is the load in a few words.
func (l Load) String() string {
	if l.CPUPressure == nil {
		return fmt.Sprintf("load %.1f", l.Average)
	}
	return fmt.Sprintf("load %.1f, CPU pressure %.0f %%", l.Average, *l.CPUPressure)
}
