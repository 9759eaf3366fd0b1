// Package evidence reads what one attempt left, from its bundle, for the formats that show it: its output, its
// order of things, the holds it suffered. All of it may come from a stranger; indices are in range and every list
// is bounded, and texts are as they were: whoever shows them escapes them.
package evidence

import (
	"time"

	"heisen/repro/bundle"
	"heisen/stress/interleave"
	"heisen/stress/run"
)

// mostLines bounds the lines that are kept of the beginning and of the end of the output, each.
const mostLines = 400

// MostLine is how many bytes are kept of one line.
const MostLine = 1 << 10

// Attempt is one attempt's evidence.
type Attempt struct {
	// Dir is the bundle's folder, Hash that of its manifest.
	Dir, Hash string
	Manifest  bundle.Manifest
	// Head and Tail are the first and the last lines of the output; Between counts those that are not here, and
	// Omitted the bytes that were never kept.
	Head, Tail []Line
	Between    int64
	Omitted    int64
	// Trace is nil where no order was recorded, Spans where nobody recorded who ran when.
	Trace *bundle.Trace
	Spans []run.Span
	// Plan is what was done to the schedule on purpose; nil where nothing was.
	Plan *Plan
	// Divergence is what the bundle says of where it parted from passing attempts; nil where it does not.
	Divergence *interleave.Divergence
}

// Line is one line of output, at most MostLine bytes of it.
type Line struct {
	Stream run.Stream
	At     time.Duration
	Text   string
}

// Read opens a bundle and reads it. Errors are those of bundle.Open and of its files.
func Read(dir string) (*Attempt, error) {
	b, err := bundle.Open(dir)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	a := &Attempt{Dir: b.Path(), Hash: b.Hash, Manifest: b.Manifest, Omitted: b.Manifest.Output.Omitted}
	if err := a.readOutput(b); err != nil {
		return nil, err
	}
	if a.Trace, err = b.ReadTrace(); err != nil {
		return nil, err
	}
	if a.Spans, err = b.ReadSpans(a.Trace); err != nil {
		return nil, err
	}
	if a.Divergence, err = b.ReadDivergence(); err != nil {
		return nil, err
	}
	if b.Has(bundle.PlanFile) {
		data, err := b.ReadFile(bundle.PlanFile)
		if err != nil {
			return nil, err
		}
		a.Plan = readPlan(data, a.Trace)
	}
	return a, nil
}

func (a *Attempt) readOutput(b *bundle.Bundle) error {
	lines, err := b.Lines()
	if err != nil {
		return err
	}
	for l := range lines {
		line := Line{l.Stream, l.At, string(l.Text[:min(len(l.Text), MostLine)])}
		if len(a.Head) < mostLines && !l.AfterGap {
			a.Head = append(a.Head, line)
			continue
		}
		if a.Tail = append(a.Tail, line); len(a.Tail) > 2*mostLines {
			a.Between += int64(len(a.Tail) - mostLines)
			a.Tail = append(a.Tail[:0], a.Tail[len(a.Tail)-mostLines:]...)
		}
	}
	if n := len(a.Tail) - mostLines; n > 0 {
		a.Between += int64(n)
		a.Tail = a.Tail[n:]
	}
	return nil
}

// Form is the canonical form of its order; empty where none was recorded.
func (a *Attempt) Form() interleave.Form {
	if a.Trace == nil {
		return interleave.Form{}
	}
	return interleave.Canonical(&a.Trace.Trace)
}

// Wall is how long it took.
func (a *Attempt) Wall() time.Duration {
	return time.Duration(a.Manifest.Timing.Wall) * time.Microsecond
}

// Args is the command line as this attempt ran it.
func (a *Attempt) Args() []string {
	list := make([]string, len(a.Manifest.Command.Args))
	for i, t := range a.Manifest.Command.Args {
		list[i] = string(t)
	}
	return list
}

// Nearest is the passing attempt of these bundles whose order is most like that of fail, the first of equals; nil
// where none has a recorded order. A folder that cannot be read is passed over: it is one of many. Pass at most a
// few dozen.
func Nearest(fail *Attempt, dirs []string) *Attempt {
	form := fail.Form()
	if form.Variant == "" {
		return nil
	}
	var best *Attempt
	alike := -1.0
	for _, dir := range dirs {
		a, err := Read(dir)
		if err != nil || a.Manifest.Ending.Outcome != run.Pass {
			continue
		}
		other := a.Form()
		if other.Variant == "" {
			continue
		}
		if p := interleave.Apart(other, form); p.Alike > alike {
			best, alike = a, p.Alike
		}
	}
	return best
}
