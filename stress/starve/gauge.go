package starve

import (
	"context"
	"path/filepath"
	"time"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"
)

// gauge takes the readings of the series. It belongs to the sampler's goroutine.
type gauge struct {
	host   *host
	series *Series
	cpus   int
	ctx    context.Context
	own    handle // /proc/self/fd
	files  handle // /proc/sys/fs/file-nr
	buf    []byte
	last   sums
}

// sums are the growing figures that a share or a rate is the difference of.
type sums struct {
	at       time.Time
	fastAt   time.Time // pressure is read more often, so not at the same moment
	fast     [totKinds]int64
	slow     [totKinds]int64
	switches int64
}

func newGauge(m *Meter) *gauge {
	g := &gauge{host: m.host, series: m.series, cpus: m.cfg.CPUs, buf: make([]byte, 32<<10)}
	g.ctx = context.WithValue(context.Background(), common.EnvKey, common.EnvMap{common.HostProcEnvKey: m.cfg.Proc})
	// What cannot be opened is an empty column.
	g.own, _ = openFile(filepath.Join(m.cfg.Proc, "self/fd"))
	g.files, _ = openFile(filepath.Join(m.cfg.Proc, "sys/fs/file-nr"))
	return g
}

// read adds a point to the series, once there is a reading before to compare with.
func (g *gauge) read(now time.Time) {
	next := sums{at: now, fastAt: g.host.totals.fast.at, fast: g.host.totals.fast.v, slow: g.host.totals.slow.v, switches: g.host.last.switches}
	prev := g.last
	g.last = next
	if prev.at.IsZero() || !now.After(prev.at) {
		return
	}
	span := now.Sub(prev.at)
	stats := make([]Stat, columns)
	g.shares(stats, prev, next)
	if g.host.stat != noHandle {
		stats[colSteal] = reading(float64(next.slow[totSteal]-prev.slow[totSteal]) / float64(span.Microseconds()) / float64(g.cpus))
		stats[colSwitches] = reading(float64(next.switches-prev.switches) / span.Seconds())
	}
	if g.host.group != noHandle {
		stats[colThrottled] = reading(float64(next.slow[totThrottled]-prev.slow[totThrottled]) / float64(span.Microseconds()))
	}
	if g.host.loadavg != noHandle {
		stats[colRunnable] = reading(float64(g.host.runnable))
	}
	if avg, err := load.AvgWithContext(g.ctx); err == nil {
		stats[colLoad] = reading(avg.Load1)
	}
	if vm, err := mem.VirtualMemoryWithContext(g.ctx); err == nil && vm.Total > 0 {
		stats[colMemory] = reading(float64(vm.Available))
	}
	g.descriptors(stats)
	g.series.Add(Point{Start: now, Last: now, Stats: stats})
}

// shares turns PSI totals into shares of the time between two readings.
func (g *gauge) shares(stats []Stat, prev, next sums) {
	span := next.fastAt.Sub(prev.fastAt)
	if span <= 0 {
		return
	}
	for col, total := range map[int]int{
		colCPUSome: totCPUSome, colMemorySome: totMemorySome, colMemoryFull: totMemoryFull,
		colIOSome: totIOSome, colIOFull: totIOFull,
	} {
		if g.host.pressure[total/2] == noHandle {
			continue
		}
		share := float64(next.fast[total]-prev.fast[total]) / float64(span.Microseconds())
		stats[col] = reading(min(max(share, 0), 1))
	}
}

func (g *gauge) descriptors(stats []Stat) {
	if g.own != noHandle {
		n := g.own.size()
		if n == 0 {
			_ = g.own.eachEntry(g.buf, func(int) { n++ })
		}
		if n > 0 {
			stats[colOwnFiles] = reading(float64(n))
		}
	}
	if g.files != noHandle {
		if data, err := g.files.read(g.buf); err == nil {
			if n, _, ok := leadingNumber(data); ok {
				stats[colFiles] = reading(float64(n))
			}
		}
	}
}

func (g *gauge) close() {
	g.own.close()
	g.files.close()
}
