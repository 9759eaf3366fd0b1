package live

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"heisen/reports"
	"heisen/reports/human"
	"heisen/reports/text"
	"heisen/stress/run"
)

const (
	// mostKnown bounds the kinds of failure that are told apart here; beyond it none is news.
	mostKnown = 4000
	// mostPending bounds the lines that wait while nothing may be written.
	mostPending = 200
	// Of one sort of notice, so many are shown in such a time; a line says how many were not.
	noticeWindow = 30 * time.Second
)

// noticed tells whether an event may change what is seen at once.
func noticed(e run.Event) bool {
	switch e := e.(type) {
	case run.Finished:
		return e.Filed != nil && e.Filed.Signature != ""
	case run.TimeoutSet, run.MachineFault, run.Noticed, run.Slow, run.Stopping, run.Ended:
		return true
	}
	return false
}

// notices turns events into lines that stay in the scrollback.
type notices struct {
	style text.Style
	// known are the signatures that were announced.
	known   map[string]bool
	pending []string
	// status asks for a plain line of figures after the pending ones.
	status bool

	failing, slow, machine limiter
}

// flush returns the lines to write, and whether a plain line of figures is to follow.
func (n *notices) flush() (lines []string, status bool) {
	lines, status = n.pending, n.status
	n.pending, n.status = nil, false
	return lines, status
}

func (n *notices) add(paint text.Paint, format string, args ...any) {
	if len(n.pending) < mostPending {
		n.pending = append(n.pending, n.style.Paint(paint, text.Escape(fmt.Sprintf(format, args...))))
	}
}

// expects tells whether a failure may be the first of its kind.
func (n *notices) expects(e run.Finished) bool {
	return e.Filed != nil && !n.known[e.Filed.Signature] && len(n.known) < mostKnown
}

// failures announces the kinds of failure in the report that were not announced before, in the order in
// which they came.
func (n *notices) failures(r reports.Report, now time.Time) {
	fresh := slices.DeleteFunc(slices.Clone(r.Signatures), func(s reports.Signature) bool { return n.known[s.ID] })
	slices.SortStableFunc(fresh, func(a, b reports.Signature) int { return cmp.Compare(a.First, b.First) })
	for _, s := range fresh {
		if len(n.known) >= mostKnown {
			return
		}
		n.known[s.ID] = true
		if !n.allowed(&n.failing, 5, "first failures of their kind", now) {
			continue
		}
		n.status = true
		n.add(text.Red, "attempt %s: %s: %s", human.Count(s.First), outcomeOf(s), cmp.Or(s.Title, s.ID))
		if len(s.Bundles) > 0 {
			n.add(text.Plain, "  heisen show %s", text.Quote(s.Bundles[0]))
		}
	}
}

// outcomeOf names how attempts with a signature ended: usually one way alone.
func outcomeOf(s reports.Signature) string {
	for _, o := range run.Outcomes() {
		if s.ByOutcome[o] > 0 {
			return o.String()
		}
	}
	return "failed"
}

// take notes an event that is news by itself.
func (n *notices) take(e run.Event, now time.Time) {
	switch e := e.(type) {
	case run.TimeoutSet:
		n.add(text.Plain, "time-out settled at %s: from %s passing attempts, of which 99 %% took at most %s", human.Duration(e.Timeout),
			human.Count(e.Passes), human.Duration(time.Duration(e.P99)*time.Microsecond))
	case run.Noticed:
		n.add(text.Yellow, "%s", e.Text)
	case run.MachineFault:
		if n.allowed(&n.machine, 2, "faults of the machine", now) {
			n.add(text.Yellow, "the machine's fault, no test's: %s; waiting %s", e.Fault, human.Duration(e.Wait))
		}
	case run.Slow:
		if n.allowed(&n.slow, 3, "slow attempts", now) {
			n.add(text.Yellow, "slow: attempt %s has run for %s; the median is %s", human.Count(e.Attempt.Seq), human.Elapsed(e.Running),
				human.Duration(e.Median))
		}
	case run.Stopping:
		n.add(text.Plain, "stopping: %s; %s still running", text.Reason(e.Reason), human.Plural(int64(e.Running), "attempt"))
		n.status = true
	case run.Ended:
		n.add(text.Plain, "%s: ended: %s", human.Elapsed(e.Elapsed), text.Reason(e.Reason))
	}
}

// allowed keeps one sort of notice from flooding, and tells of those it swallowed.
func (n *notices) allowed(l *limiter, most int, what string, now time.Time) bool {
	ok, swallowed := l.allow(most, now)
	if swallowed > 0 {
		n.add(text.Faint, "(%s %s not shown)", human.Count(int64(swallowed)), what)
	}
	return ok
}

// limiter counts notices of one sort within a window.
type limiter struct {
	since            time.Time
	shown, swallowed int
}

func (l *limiter) allow(most int, now time.Time) (ok bool, swallowed int) {
	if now.Sub(l.since) >= noticeWindow {
		swallowed = l.swallowed
		*l = limiter{since: now}
	}
	if l.shown >= most {
		l.swallowed++
		return false, swallowed
	}
	l.shown++
	return true, swallowed
}
