package run

import "time"

// Trace is what was recorded of the order of things in one attempt: which threads there were, and what
// they did when. Several sources add to it; none of them need be there.
type Trace struct {
	// Threads are in the order of their creation as far as it is known; the first is the main process's
	// main thread.
	Threads []Thread `json:"threads,omitempty"`
	// Points are what threads did, sorted by time; points of one time keep the order in which their source
	// told them.
	Points []Point `json:"points,omitempty"`
	// Dropped counts, by source, points that were not kept for want of room, what was told in no form that can
	// be read, and records the kernel lost: at least so many.
	Dropped map[Source]int64 `json:"dropped,omitempty"`
	// NotCollected maps a source that gave nothing, or not all it had, to why.
	NotCollected map[Source]string `json:"not_collected,omitempty"`
}

// Thread is one thread of an attempt. Times are since the attempt's start; NotSeen where something was
// not seen to happen.
type Thread struct {
	PID int `json:"pid"`
	TID int `json:"tid"`
	// Parent is the index of the thread that created it, -1 where that is not known.
	Parent int `json:"parent"`
	// Name is its last name, as prctl(2) PR_SET_NAME or exec gave it.
	Name     string        `json:"name,omitempty"`
	Created  time.Duration `json:"created_ns"`
	FirstRun time.Duration `json:"first_run_ns"`
	Exited   time.Duration `json:"exited_ns"`
}

// NotSeen is the time of what was not seen to happen.
const NotSeen time.Duration = -1

// Source is who told of a point.
type Source string

// The sources of points.
const (
	// FromOutput is a line the test printed and the user gave a name (a marker).
	FromOutput Source = "output"
	// FromLine is a line the test printed that recurs across attempts, where no marker names any.
	FromLine Source = "line"
	// FromTest is an event the test wrote to HEISEN_EVENTS.
	FromTest Source = "test"
	// FromSched is the scheduler's own record.
	FromSched Source = "sched"
	// FromTracer is a sync point the chaos tracer saw.
	FromTracer Source = "tracer"
	// FromRuntime is an operation that a language's runtime told of.
	FromRuntime Source = "runtime"
)

// Point is one thing one thread did at one moment.
type Point struct {
	// At is since the attempt's start.
	At time.Duration `json:"at_ns"`
	// Thread is an index of Trace.Threads, -1 where it is not known who did it.
	Thread int    `json:"thread"`
	Source Source `json:"source"`
	// Stream is where a line of output came from; 0 for other sources.
	Stream Stream `json:"stream,omitempty"`
	// Name says what was done: a marker's name, a folded line, futex.wake.exit, first_run.
	Name string `json:"name"`
	// Fields are what it was done with or to.
	Fields []string `json:"fields,omitempty"`
}

// AtInstruction is the name of a point that is a breakpoint. AnyThread is in the place of a thread's creation path where the
// visits of all threads are counted together.
const (
	AtInstruction = "instruction"
	AnyThread     = "*"
)

// Site is the place in the program of a point: a runtime's hooks tell it, and breakpoints are such places. "" for others.
func (p *Point) Site() string {
	if (p.Source == FromRuntime || p.Name == AtInstruction) && len(p.Fields) > 0 {
		return p.Fields[0]
	}
	return ""
}

// Span is a stretch of time that a thread was on a CPU.
type Span struct {
	// Thread is an index of Trace.Threads.
	Thread int
	CPU    int
	// From and To are since the attempt's start.
	From, To time.Duration
	// Preempted tells that it could have run on; otherwise it went to sleep or ended.
	Preempted bool
}
