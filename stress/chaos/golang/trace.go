package golang

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

// LinePrefix begins the names of the overlaid runtime's lines in the event channel.
const LinePrefix = "go."

// Told is what an overlaid runtime told of one attempt, its processes taken together.
type Told struct {
	Trace run.Trace
	// Made are the decisions that were made, in the order of their lines, and Pins the same for a replay.
	Made []chaos.Made
	Pins []Pin
	// Chaos counts them. Planned, Skipped and Held are known only of processes that ended by themselves; of
	// others Planned is what they made.
	Chaos run.Chaos
	// Processes is how many runtimes wrote anything, Ended how many of them ended by themselves.
	Processes, Ended int
	// Bad counts lines that began as the runtime's and were none.
	Bad int
}

// goroutine is how a trace names one: ordinals are per process.
type goroutine struct {
	pid int
	id  uint64
}

// reader folds lines.
type reader struct {
	told    Told
	began   int64
	threads map[goroutine]int
	pids    map[int]bool
}

// Read folds an attempt's event file; lines of others are passed over. Times are taken from began, a
// reading of CLOCK_MONOTONIC in nanoseconds. A line that was cut off is counted as bad.
func Read(from io.Reader, strategy Strategy, began int64) (Told, error) {
	r := reader{began: began, threads: map[goroutine]int{}, pids: map[int]bool{}}
	r.told.Chaos.Strategy = string(strategy)
	lines := bufio.NewReaderSize(from, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if err == nil {
			r.line(string(line[:len(line)-1]))
		} else if err != bufio.ErrBufferFull {
			if err == io.EOF {
				err = nil
			}
			r.finish()
			return r.told, err
		}
	}
}

func (r *reader) finish() {
	r.told.Processes = len(r.pids)
	r.told.Chaos.Planned = max(r.told.Chaos.Planned, int64(len(r.told.Made)))
	r.told.Chaos.Made = max(r.told.Chaos.Made, int64(len(r.told.Made)))
	slices.SortStableFunc(r.told.Trace.Points, func(a, b run.Point) int { return int(a.At - b.At) })
}

// line reads one. Only what begins with a stamp and go. is the runtime's.
func (r *reader) line(text string) {
	stamp, rest, ok := strings.Cut(text, " ")
	if !ok || !strings.HasPrefix(stamp, "@") || !strings.HasPrefix(rest, LinePrefix) {
		return
	}
	parts := strings.Split(stamp[1:], ":")
	if len(parts) != 3 {
		return
	}
	ns, err1 := strconv.ParseInt(parts[0], 10, 64)
	pid, err2 := strconv.Atoi(parts[1])
	fields := strings.Fields(rest)
	want := map[string]int{"go.new": 5, "go.op": 4, "go.held": 9, "go.sum": 6}[fields[0]]
	if err1 != nil || err2 != nil || ns < r.began || want == 0 || len(fields) != want+1 {
		r.told.Bad++
		return
	}
	r.pids[pid] = true
	at := time.Duration(ns - r.began)
	if !map[string]func(int, time.Duration, []string) bool{
		"go.new": r.created, "go.op": r.operation, "go.held": r.held, "go.sum": r.sum,
	}[fields[0]](pid, at, fields[1:]) {
		r.told.Bad++
	}
}

// numbers reads the fields at the given places; false if one is no number.
func numbers(fields []string, places ...int) ([]uint64, bool) {
	out := make([]uint64, len(places))
	for i, p := range places {
		v, err := strconv.ParseUint(fields[p], 10, 64)
		if err != nil {
			return nil, false
		}
		out[i] = v
	}
	return out, true
}

// thread is a goroutine's index in the trace. One that was never told of, a process's main goroutine for
// one, is added without a parent.
func (r *reader) thread(pid int, id uint64, at time.Duration) int {
	who := goroutine{pid, id}
	if i, ok := r.threads[who]; ok {
		return i
	}
	name := ""
	if id == 1 {
		name = "main"
	}
	return r.add(who, run.Thread{PID: pid, TID: int(id), Parent: -1, Name: name,
		Created: at, FirstRun: run.NotSeen, Exited: run.NotSeen})
}

func (r *reader) add(who goroutine, t run.Thread) int {
	r.threads[who] = len(r.told.Trace.Threads)
	r.told.Trace.Threads = append(r.told.Trace.Threads, t)
	return r.threads[who]
}

// created: G PARENT SITE N PATH.
func (r *reader) created(pid int, at time.Duration, f []string) bool {
	v, ok := numbers(f, 0, 1, 3, 4)
	if !ok {
		return false
	}
	parent := -1
	if v[1] != 0 {
		parent = r.thread(pid, v[1], at)
	}
	r.add(goroutine{pid, v[0]}, run.Thread{PID: pid, TID: int(v[0]), Parent: parent,
		Name: f[2] + "#" + f[3], Created: at, FirstRun: run.NotSeen, Exited: run.NotSeen})
	r.point(at, parent, "go", f[2], f[3])
	return true
}

func (r *reader) point(at time.Duration, thread int, name string, fields ...string) {
	r.told.Trace.Points = append(r.told.Trace.Points,
		run.Point{At: at, Thread: thread, Source: run.FromRuntime, Name: name, Fields: fields})
}

// operation: G KIND SITE N. A creation is told by its own line.
func (r *reader) operation(pid int, at time.Duration, f []string) bool {
	v, ok := numbers(f, 0, 3)
	if !ok {
		return false
	}
	i := r.thread(pid, v[0], at)
	if t := &r.told.Trace.Threads[i]; t.FirstRun == run.NotSeen {
		t.FirstRun = at
	}
	if f[1] != "go" {
		r.point(at, i, f[1], f[2])
	}
	return true
}

// held: G PATH KIND POINT SITE SITEHASH N WHAT NS.
func (r *reader) held(pid int, at time.Duration, f []string) bool {
	v, ok := numbers(f, 0, 1, 3, 5, 6, 7, 8)
	if !ok || v[5] < 1 || v[5] > uint64(StarveAction) {
		return false
	}
	what, long := Action(v[5]), time.Duration(v[6])
	r.told.Pins = append(r.told.Pins, Pin{key(v[1], v[3], v[2], v[4]), what, long})
	if what == StarveAction {
		f[2] += slowly
	}
	r.told.Made = append(r.told.Made, chaos.Made{
		Decision: chaos.Decision{
			Address: chaos.Address{Thread: strconv.FormatUint(v[1], 16), Kind: LinePrefix + f[2], Site: f[4], N: int64(v[4])},
			Hold:    long,
		},
		At: at, Held: long, TID: int(v[0]), Call: what.String(),
	})
	return true
}

// sum: PLANNED MADE SKIPPED DROPPED HELD LONGEST.
func (r *reader) sum(_ int, _ time.Duration, f []string) bool {
	v, ok := numbers(f, 0, 1, 2, 3, 4, 5)
	if !ok {
		return false
	}
	c := &r.told.Chaos
	c.Planned += int64(v[0])
	c.Made += int64(v[1])
	c.Skipped += int64(v[2])
	c.Held += int64(v[4]) / 1000
	c.Longest = max(c.Longest, int64(v[5])/1000)
	if v[3] > 0 {
		if r.told.Trace.Dropped == nil {
			r.told.Trace.Dropped = map[run.Source]int64{}
		}
		r.told.Trace.Dropped[run.FromRuntime] += int64(v[3])
	}
	r.told.Ended++
	return true
}
