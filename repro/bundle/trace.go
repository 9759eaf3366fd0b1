package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"heisen/stress/interleave"
	"heisen/stress/run"
)

// Names of the files that hold the order of things, where one was recorded.
const (
	// TraceFile is a run.Trace as JSON, with schema and variant beside it.
	TraceFile = "trace.json"
	// SpansFile is a line for each stretch of time a thread was on a CPU.
	SpansFile = "oncpu.tsv"
	// DivergenceFile says where a failure parted from the passing attempt nearest to it at that time.
	DivergenceFile = "divergence.json"
)

// TraceSchema is the version of trace.json.
const TraceSchema = 1

// Bounds on what is written: the first so many points, threads and spans. What is beyond is counted.
const (
	maxPoints  = 200_000
	maxThreads = 20_000
	maxSpans   = 200_000
)

// Trace is the content of trace.json.
type Trace struct {
	Schema  int    `json:"schema"`
	Variant string `json:"variant,omitempty"`
	run.Trace
	// Left counts points and threads that were not written, for want of room.
	LeftPoints  int `json:"left_points,omitempty"`
	LeftThreads int `json:"left_threads,omitempty"`
}

// content is one file of evidence.
type content struct {
	name string
	data []byte
}

// traceContents are the files of an attempt's trace; none where there is none.
func traceContents(c *Contents) ([]content, error) {
	if c.Trace == nil {
		return nil, nil
	}
	t := Trace{Schema: TraceSchema, Variant: c.Manifest.Variant, Trace: *c.Trace}
	if n := len(t.Points); n > maxPoints {
		t.Points, t.LeftPoints = t.Points[:maxPoints], n-maxPoints
	}
	if n := len(t.Threads); n > maxThreads {
		t.Threads, t.LeftThreads = t.Threads[:maxThreads], n-maxThreads
	}
	data, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encode the trace: %w", err)
	}
	list := []content{{TraceFile, append(data, '\n')}}
	if c.Spans != nil {
		list = append(list, content{SpansFile, formatSpans(c.Spans())})
	}
	if c.Divergence != nil {
		if data, err = json.MarshalIndent(c.Divergence, "", " "); err != nil {
			return nil, fmt.Errorf("encode the divergence: %w", err)
		}
		list = append(list, content{DivergenceFile, append(data, '\n')})
	}
	return list, nil
}

// formatSpans writes thread (an index of trace.json's threads), CPU, from and to in microseconds since the
// start, and how it ended: p preempted, s slept or ended.
func formatSpans(spans []run.Span) []byte {
	var b bytes.Buffer
	b.WriteString("# thread\tcpu\tfrom_us\tto_us\tend (p: preempted, s: slept or ended)\n")
	for i, s := range spans {
		if i == maxSpans {
			fmt.Fprintf(&b, "# %d more were left out\n", len(spans)-maxSpans)
			break
		}
		line := strconv.AppendInt(b.AvailableBuffer(), int64(s.Thread), 10)
		for _, n := range []int64{int64(s.CPU), s.From.Microseconds(), s.To.Microseconds()} {
			line = strconv.AppendInt(append(line, '\t'), n, 10)
		}
		end := byte('s')
		if s.Preempted {
			end = 'p'
		}
		b.Write(append(line, '\t', end, '\n'))
	}
	return b.Bytes()
}

// ReadTrace returns the bundle's trace; nil where it has none. What it holds is a stranger's, but indices in
// it are in range.
func (b *Bundle) ReadTrace() (*Trace, error) {
	if !b.Has(TraceFile) {
		return nil, nil
	}
	data, err := b.ReadFile(TraceFile)
	if err != nil {
		return nil, err
	}
	var version struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, fmt.Errorf("read bundle %s: %w", b.path, damaged("%s: %v", TraceFile, err))
	}
	if version.Schema > TraceSchema {
		return nil, fmt.Errorf("read bundle %s: %s: %w", b.path, TraceFile, ErrNewer)
	}
	var t Trace
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("read bundle %s: %w", b.path, damaged("%s: %v", TraceFile, err))
	}
	for i := range t.Points {
		if t.Points[i].Thread < 0 || t.Points[i].Thread >= len(t.Threads) {
			t.Points[i].Thread = -1
		}
	}
	for i := range t.Threads {
		// No thread creates itself; longer rings are for the reader to mind.
		if t.Threads[i].Parent < 0 || t.Threads[i].Parent >= len(t.Threads) || t.Threads[i].Parent == i {
			t.Threads[i].Parent = -1
		}
	}
	return &t, nil
}

// ReadDivergence returns where the failure parted from passing attempts; nil where the bundle does not say.
func (b *Bundle) ReadDivergence() (*interleave.Divergence, error) {
	if !b.Has(DivergenceFile) {
		return nil, nil
	}
	data, err := b.ReadFile(DivergenceFile)
	if err != nil {
		return nil, err
	}
	d := &interleave.Divergence{}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("read bundle %s: %w", b.path, damaged("%s: %v", DivergenceFile, err))
	}
	return d, nil
}

// ReadSpans returns when each thread of the trace was on which CPU; nil where that was not recorded. Lines that
// make no sense for that trace, or for any, are left out: a stranger may have written them.
func (b *Bundle) ReadSpans(t *Trace) ([]run.Span, error) {
	if t == nil || !b.Has(SpansFile) {
		return nil, nil
	}
	data, err := b.ReadFile(SpansFile)
	if err != nil {
		return nil, err
	}
	var spans []run.Span
	for line := range bytes.Lines(data) {
		if s, ok := parseSpan(line); ok && s.Thread < len(t.Threads) && len(spans) < maxSpans {
			spans = append(spans, s)
		}
	}
	return spans, nil
}

// parseSpan reads a line of formatSpans.
func parseSpan(line []byte) (s run.Span, ok bool) {
	cells := strings.Split(strings.TrimRight(string(line), "\n"), "\t")
	if len(cells) != 5 {
		return s, false
	}
	var n [4]int64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseInt(cells[i], 10, 52); err != nil || n[i] < 0 {
			return s, false
		}
	}
	s = run.Span{Thread: int(n[0]), CPU: int(n[1]), From: time.Duration(n[2]) * time.Microsecond, To: time.Duration(n[3]) * time.Microsecond,
		Preempted: cells[4] == "p"}
	return s, s.To >= s.From
}
