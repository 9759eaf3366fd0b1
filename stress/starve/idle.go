package starve

import (
	"github.com/shirou/gopsutil/v3/cpu"
)

// Idle tells which share of the machine's CPU time was unused between two questions. The zero value is ready; it is
// not safe for concurrent use.
type Idle struct{ unused, total float64 }

// Share is the unused share since the last call, from 0 to 1; waiting for a disk is unused. Where the machine does not
// tell, all of it is.
func (i *Idle) Share() float64 {
	all, err := cpu.Times(false)
	if err != nil || len(all) == 0 {
		return 1
	}
	return i.since(all[0])
}

func (i *Idle) since(now cpu.TimesStat) float64 {
	unused, total := now.Idle+now.Iowait, now.User+now.System+now.Idle+now.Nice+now.Iowait+now.Irq+now.Softirq+now.Steal
	share := (unused - i.unused) / (total - i.total)
	if total <= i.total {
		return 0 // its clock has not moved: ask again
	}
	i.unused, i.total = unused, total
	return min(max(share, 0), 1)
}
