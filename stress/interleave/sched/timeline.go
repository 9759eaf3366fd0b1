package sched

// Span is a stretch of time that a thread was on a CPU.
type Span struct {
	// Thread is an index of Record.Threads.
	Thread int
	CPU    int
	// From and To are times as Event.At.
	From, To int64
	// End is how it ended: Out, Preempted, Exited, or In where the record ended first.
	End Kind
}

// Spans lists when each thread was on which CPU, in the order of their ends. A span whose beginning or
// end was lost or not kept is left out. On one CPU no two spans overlap.
func Spans(r Record) []Span {
	open := make([]*Event, len(r.Threads))
	var spans []Span
	for i := range r.Events {
		if r.Dropped > 0 && i == r.Gap {
			clear(open) // what began before the gap need not have gone on through it
		}
		e := &r.Events[i]
		switch e.Kind {
		case In:
			open[e.Thread] = e
		case Out, Preempted, Exited:
			if in := open[e.Thread]; in != nil && in.CPU == e.CPU {
				spans = append(spans, Span{int(e.Thread), int(in.CPU), in.At, e.At, e.Kind})
			}
			open[e.Thread] = nil
		}
	}
	for i, in := range open {
		if in != nil {
			spans = append(spans, Span{i, int(in.CPU), in.At, r.Ended, In})
		}
	}
	return spans
}
