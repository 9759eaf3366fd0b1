package html

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"heisen/reports/evidence"
	"heisen/reports/text"
	"heisen/repro/provenance"
	"heisen/stress/interleave"
	"heisen/stress/run"
)

// Bounds of one attempt's picture: what is more is put together or left out, and counted.
const (
	mostRows   = 64
	mostSpans  = 8000
	mostPoints = 3000
)

// timeline is the failure beside its nearest passing attempt. Times are microseconds since each attempt's start.
type timeline struct {
	// Event and Number are where both part, as the divergence has it; Number is 0 where they do not.
	Event  string
	Number int
	Tracks []track
}

// track is one attempt.
type track struct {
	Name    string     `json:"name"`
	End     int64      `json:"end"`
	Parting int64      `json:"parting"` // -1 for none
	Rows    []string   `json:"rows"`
	Spans   [][4]int64 `json:"spans"` // row, from, to, CPU
	Holds   []hold     `json:"holds"`
	Points  []point    `json:"points"`
	// Left says what there was no room for; empty for nothing.
	Left string `json:"left"`
}

type hold struct {
	Row  int    `json:"row"`
	From int64  `json:"from"`
	To   int64  `json:"to"`
	Text string `json:"text"`
}

type point struct {
	Row    int    `json:"row"`
	At     int64  `json:"at"`
	Source string `json:"source"`
	Text   string `json:"text"`
}

// newTimeline is nil where the failure has no recorded order.
func newTimeline(fail, pass *evidence.Attempt) *timeline {
	if fail == nil || fail.Trace == nil {
		return nil
	}
	t := &timeline{}
	parting := interleave.Parting{Pass: run.NotSeen, Fail: run.NotSeen}
	if pass != nil {
		parting = interleave.Apart(pass.Form(), fail.Form())
		t.Event, t.Number = text.Escape(parting.Event), parting.Number
	}
	t.Tracks = []track{newTrack("failing attempt", fail, parting.Fail)}
	if pass != nil {
		t.Tracks = append(t.Tracks, newTrack("nearest passing attempt", pass, parting.Pass))
	}
	return t
}

func newTrack(name string, a *evidence.Attempt, parting time.Duration) track {
	t := track{Name: name, End: max(a.Wall().Microseconds(), 1), Parting: -1, Spans: [][4]int64{}, Holds: []hold{}, Points: []point{}}
	if parting != run.NotSeen {
		t.Parting = parting.Microseconds()
	}
	for i, th := range a.Trace.Threads {
		if i == mostRows {
			t.Left = "threads; "
			break
		}
		t.Rows = append(t.Rows, strconv.Itoa(i+1)+" "+clean(cmp.Or(th.Name, "thread")))
	}
	t.Rows = append(t.Rows, "not known whose")
	t.spans(a.Spans)
	t.points(a.Trace.Points)
	if last := len(t.Rows) - 1; !slices.ContainsFunc(t.Points, func(p point) bool { return p.Row == last }) {
		t.Rows = t.Rows[:last]
	}
	if a.Plan == nil {
		return t
	}
	for _, h := range a.Plan.Holds {
		if h.Placed && h.Thread < mostRows {
			t.Holds = append(t.Holds, hold{h.Thread, h.At.Microseconds(), (h.At + h.Held).Microseconds(), clean(h.Kind + " " + h.Call)})
			t.End = max(t.End, (h.At + h.Held).Microseconds())
		}
	}
	return t
}

func clean(s string) string { return text.Escape(provenance.Scrub(s[:min(len(s), 300)])) }

// spans puts spans of one thread together that are nearer than a gap, and makes the gap wider until all have room.
func (t *track) spans(list []run.Span) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b run.Span) int { return cmp.Or(cmp.Compare(a.Thread, b.Thread), cmp.Compare(a.From, b.From)) })
	for gap := int64(0); ; gap = 2*gap + t.End/20_000 + 1 {
		t.Spans = t.Spans[:0]
		for _, s := range list {
			if s.Thread >= mostRows {
				continue
			}
			from, to := s.From.Microseconds(), s.To.Microseconds()
			if n := len(t.Spans); n > 0 && gap > 0 && t.Spans[n-1][0] == int64(s.Thread) && from-t.Spans[n-1][2] < gap {
				t.Spans[n-1][2] = max(t.Spans[n-1][2], to)
				continue
			}
			t.Spans = append(t.Spans, [4]int64{int64(s.Thread), from, to, int64(s.CPU)})
		}
		if len(t.Spans) <= mostSpans {
			if gap > 0 {
				t.Left += "spans nearer than " + time.Duration(gap*1000).String() + " are drawn as one; "
			}
			return
		}
	}
}

// points keeps what the test marked before what others saw.
func (t *track) points(list []run.Point) {
	list = slices.Clone(list)
	rank := func(p run.Point) int {
		switch p.Source {
		case run.FromTracer, run.FromRuntime:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b run.Point) int { return cmp.Compare(rank(a), rank(b)) })
	if len(list) > mostPoints {
		t.Left += "points of the tracer's; "
		list = list[:mostPoints]
	}
	for _, p := range list {
		row := p.Thread
		if row < 0 || row >= len(t.Rows)-1 {
			row = len(t.Rows) - 1
		}
		t.Points = append(t.Points, point{row, p.At.Microseconds(), string(p.Source), clean(strings.TrimSpace(p.Name + " " + strings.Join(p.Fields, " ")))})
	}
}
