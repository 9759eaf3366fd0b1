package starve

import (
	"slices"
	"sync"
	"time"
)

// Metric says what one column of a Series is.
type Metric struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	Text string `json:"text"`
}

// The columns of the machine's series, in order. A share is of the time since the reading before.
const (
	colCPUSome = iota
	colMemorySome
	colMemoryFull
	colIOSome
	colIOFull
	colLoad
	colRunnable
	colSteal
	colSwitches
	colMemory
	colThrottled
	colOwnFiles
	colFiles
	columns
)

var metrics = [columns]Metric{
	{"psi_cpu_some", "share", "time in which some task waited for a CPU"},
	{"psi_memory_some", "share", "time in which some task waited for memory"},
	{"psi_memory_full", "share", "time in which all tasks waited for memory"},
	{"psi_io_some", "share", "time in which some task waited for a disk"},
	{"psi_io_full", "share", "time in which all tasks waited for a disk"},
	{"load1", "tasks", "load average of one minute"},
	{"runnable", "tasks", "tasks that run or wait for a CPU"},
	{"steal", "share", "CPU time the hypervisor gave to others"},
	{"switches", "1/s", "context switches of the machine"},
	{"memory_available", "bytes", "memory that programs can still have"},
	{"throttled", "share", "time heisen's control group was throttled by a CPU quota"},
	{"own_files", "count", "open descriptors of heisen"},
	{"files", "count", "open files of the machine"},
}

// Metrics lists the columns of every Series.
func Metrics() []Metric { return slices.Clone(metrics[:]) }

// Stat is one column over one Point: the mean and the extremes of N readings. N is 0 where there is none.
type Stat struct {
	N              int64
	Mean, Min, Max float64
}

func reading(v float64) Stat { return Stat{N: 1, Mean: v, Min: v, Max: v} }

func (s Stat) merge(o Stat) Stat {
	switch {
	case s.N == 0:
		return o
	case o.N == 0:
		return s
	}
	n := s.N + o.N
	return Stat{
		N:    n,
		Mean: s.Mean + (o.Mean-s.Mean)*float64(o.N)/float64(n),
		Min:  min(s.Min, o.Min),
		Max:  max(s.Max, o.Max),
	}
}

// Point is a stretch of a Series: one reading when it is young, many when it is old.
type Point struct {
	// Start is the time of its first reading and Last of its last.
	Start, Last time.Time
	// Stats has one entry per Metric.
	Stats []Stat
}

func (p Point) merge(next Point) Point {
	merged := Point{Start: p.Start, Last: next.Last, Stats: make([]Stat, len(p.Stats))}
	for i := range merged.Stats {
		merged.Stats[i] = p.Stats[i].merge(next.Stats[i])
	}
	return merged
}

// perLevel is how many points each resolution keeps: half a minute at 4 Hz, the next minute at 2 Hz, the
// next two at 1 Hz and so on; a week is 15 levels, at most 1,800 points.
const perLevel = 120

// Series is the machine's state over time. It grows with the logarithm of its age: twice as old, half the
// resolution; minima and maxima survive. It is safe for concurrent use.
type Series struct {
	mu     sync.Mutex
	levels [][]Point // levels[0] is the youngest; each in order of time
}

// Add appends a reading, which must be younger than all before.
func (s *Series) Add(p Point) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.push(0, p)
}

// push appends to a level and, when that is full, hands its two oldest points on as one. What is merged
// with what depends on nothing but the count of points.
func (s *Series) push(level int, p Point) {
	if level == len(s.levels) {
		s.levels = append(s.levels, nil)
	}
	l := append(s.levels[level], p)
	if len(l) > perLevel {
		s.push(level+1, l[0].merge(l[1]))
		l = slices.Delete(l, 0, 2)
	}
	s.levels[level] = l
}

// Points lists all points, oldest first.
func (s *Series) Points() []Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Point
	for _, l := range slices.Backward(s.levels) {
		all = append(all, l...)
	}
	return all
}
