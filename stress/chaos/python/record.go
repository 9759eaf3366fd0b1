package python

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

// Bounds of a record: the hooks write it inside the test's processes, so it can hold anything.
const (
	maxRecord    = 16 << 20
	maxLine      = 8 << 10
	maxThreads   = 4096
	maxProcesses = 1024 // whose records are read
)

// Collect makes a report of what the hooks wrote. began is CLOCK_MONOTONIC in nanoseconds at the attempt's
// start. Unsupported says that no Python loaded the hooks, and why that can be.
func Collect(record []byte, plan chaos.Plan, began int64) chaos.Report {
	c := collector{plan: plan, began: began, index: map[string]int{}, open: map[string]int{}}
	c.report = chaos.Report{Version: chaos.PlanVersion, Began: began, Chaos: run.Chaos{Strategy: plan.Strategy}, Drawn: Describe(plan.Settings)}
	scan := bufio.NewScanner(bytes.NewReader(record[:min(len(record), maxRecord)]))
	scan.Buffer(make([]byte, 0, 4096), maxLine)
	for scan.Scan() {
		c.line(strings.Split(scan.Text(), "\t"))
	}
	if scan.Err() != nil {
		c.report.Dropped++
	}
	if c.loaded == 0 {
		c.report.Unsupported = "no CPython that looks at PYTHONPATH began: it does not with -I, -E or -S, nor where the program clears its environment"
	}
	for _, i := range c.open {
		c.report.Made[i].CutOff = true
	}
	if plan.Stacks != nil && len(c.report.Stacks) == 0 {
		c.report.NoStacks = "no thread came to that point while one was held"
	}
	if c.loaded > 0 && plan.Strategy == Switch {
		c.report.Chaos.Planned, c.report.Chaos.Made = c.report.Chaos.Planned+1, c.report.Chaos.Made+1 // as a knob is counted
	}
	slices.SortStableFunc(c.report.Points, func(a, b run.Point) int { return int(a.At - b.At) })
	return c.report
}

// collector folds the lines of a record.
type collector struct {
	plan   chaos.Plan
	began  int64
	report chaos.Report
	loaded int
	index  map[string]int // threads by creation path
	open   map[string]int // each thread's last hold that has not ended, by its index in Made
}

// line takes one line apart; what is none of ours is counted.
func (c *collector) line(f []string) {
	ok := false
	switch {
	case f[0] == "begin" && len(f) == 4:
		c.loaded++
		ok = true
		if f[3] == "free-threaded" && c.plan.Settings[SetSwitch] != "" {
			c.note("this Python has no GIL: its switch interval changes nothing, pauses do")
		}
	case f[0] == "fault" && len(f) == 2:
		ok = true
		c.note("heisen's hooks for Python gave up: " + f[1])
	case f[0] == "thread" && len(f) == 5:
		ok = c.thread(f)
	case f[0] == "point" && len(f) == 6:
		ok = c.point(f)
	case f[0] == "made" && len(f) == 8:
		ok = c.made(f)
	case f[0] == "held" && len(f) == 3:
		ok = c.held(f)
	case f[0] == "stack" && len(f) == 5:
		ok = c.stack(f)
	case f[0] == "frame" && len(f) == 4:
		ok = c.frame(f)
	case f[0] == "skipped" && len(f) == 5:
		ok = true
		c.report.Chaos.Planned++
		c.report.Chaos.Skipped++
	}
	if !ok {
		c.report.Dropped++
	}
}

func (c *collector) note(text string) {
	if len(c.report.Notes) < 8 && !slices.Contains(c.report.Notes, text) {
		c.report.Notes = append(c.report.Notes, text)
	}
}

// since turns a reading of CLOCK_MONOTONIC into a time since the attempt's start.
func (c *collector) since(text string) (time.Duration, bool) {
	ns, err := strconv.ParseInt(text, 10, 64)
	return time.Duration(ns - c.began), err == nil
}

func (c *collector) thread(f []string) bool {
	at, ok := c.since(f[1])
	ok = ok && at >= 0
	pid, err1 := strconv.Atoi(f[3])
	tid, err2 := strconv.Atoi(f[4])
	if !ok || err1 != nil || err2 != nil || len(c.report.Threads) >= maxThreads {
		return false
	}
	parent := -1
	if i := strings.LastIndexByte(f[2], '.'); i > 0 {
		if p, known := c.index[f[2][:i]]; known {
			parent = p
		}
	}
	c.index[f[2]] = len(c.report.Threads)
	c.report.Threads = append(c.report.Threads, run.Thread{PID: pid, TID: tid, Parent: parent,
		Created: run.NotSeen, FirstRun: at, Exited: run.NotSeen})
	return true
}

func (c *collector) point(f []string) bool {
	at, ok := c.since(f[1])
	if !ok || at < 0 {
		return false
	}
	if len(c.report.Points) >= c.plan.MaxPoints { // several processes count for themselves
		c.report.Dropped++
		return true
	}
	c.report.Points = append(c.report.Points, run.Point{At: at, Thread: c.who(f[2]), Source: run.FromRuntime, Name: f[3], Fields: []string{f[4]}})
	return true
}

func (c *collector) who(path string) int {
	if i, ok := c.index[path]; ok {
		return i
	}
	return -1
}

func (c *collector) made(f []string) bool {
	at, ok := c.since(f[1])
	n, err1 := strconv.ParseInt(f[5], 10, 64)
	pause, err2 := strconv.ParseInt(f[6], 10, 64)
	if !ok || at < 0 || err1 != nil || err2 != nil || n < 0 || pause < 0 {
		return false
	}
	c.report.Chaos.Planned++
	c.report.Chaos.Made++
	if len(c.report.Made) >= c.plan.MaxDecisions {
		return true
	}
	m := chaos.Made{
		Decision: chaos.Decision{Address: chaos.Address{Thread: f[2], Kind: f[3], Site: f[4], N: n}, Hold: time.Duration(pause)},
		At:       at, Name: f[7], Call: fmt.Sprintf("%s at %s", f[3], f[4]),
	}
	if i := c.who(f[2]); i >= 0 {
		m.TID = c.report.Threads[i].TID
		c.report.Threads[i].Name = f[7]
	}
	c.open[f[2]] = len(c.report.Made)
	c.report.Made = append(c.report.Made, m)
	return true
}

func (c *collector) held(f []string) bool {
	ns, err := strconv.ParseInt(f[1], 10, 64)
	if err != nil || ns < 0 {
		return false
	}
	us := time.Duration(ns).Microseconds()
	c.report.Chaos.Held += us
	c.report.Chaos.Longest = max(c.report.Chaos.Longest, us)
	c.report.Lengthened += time.Duration(ns)
	if i, ok := c.open[f[2]]; ok {
		c.report.Made[i].Held = time.Duration(ns)
		delete(c.open, f[2])
	}
	return true
}

// stack begins the stack of a thread; they are numbered from 0.
func (c *collector) stack(f []string) bool {
	stacks := &c.report.Stacks
	if f[1] != strconv.Itoa(len(*stacks)) || len(*stacks) >= chaos.MostStacks {
		return false
	}
	*stacks = append(*stacks, chaos.Stack{Thread: f[2], Held: f[3] == "1", Name: f[4]})
	return true
}

// frame adds one to the stack of that number.
func (c *collector) frame(f []string) bool {
	i, err := strconv.Atoi(f[1])
	if err != nil || i < 0 || i >= len(c.report.Stacks) || len(c.report.Stacks[i].Frames) >= chaos.MostFrames {
		return false
	}
	s := &c.report.Stacks[i]
	s.Frames = append(s.Frames, f[2]+" at "+f[3])
	return true
}
