package text

import (
	"fmt"
	"io"
	"strings"

	"heisen/reports"
	"heisen/reports/human"
	"heisen/stress/run"
)

// Repro writes how often a recorded failure came back.
func Repro(w io.Writer, r reports.Repro, s Style) error {
	p := &printer{w: w, style: s}
	paint := Strong
	if r.Attempts > 0 && r.Reproduced == 0 {
		paint = Yellow
	}
	line := "reproduced " + Share(r.Replays)
	if r.Plain != nil {
		line += ", plain " + Share(*r.Plain)
	}
	p.line(paint, "%s", line)
	p.line(Plain, "  failure    %s", r.Title)
	if r.Strategy != "" {
		p.line(Plain, "  plan       %s", planWords(r))
	}
	for _, side := range []struct {
		name string
		of   *reports.Replays
	}{{"under it", &r.Replays}, {"plain", r.Plain}} {
		if side.of != nil && side.of.Other > 0 {
			p.line(Plain, "  others     %s failed another way in %s of %s", side.name, human.Count(side.of.Other), human.Count(side.of.Attempts))
		}
	}
	if r.Minimized != nil {
		p.minimized(r.Minimized)
	}
	if r.Explanation != "" {
		p.blank()
		p.copyable("%s", r.Explanation)
	}
	if r.Stacks != nil {
		p.stacks(r.Stacks)
	}
	p.copyable("  campaign   %s", r.Campaign)
	return p.err
}

func planWords(r reports.Repro) string {
	if r.Recorded == 0 {
		return r.Strategy
	}
	return fmt.Sprintf("%s of %s, of which replays made %s to %s", human.Plural(int64(r.Recorded), "hold"), r.Strategy,
		human.Count(r.Made[0]), human.Count(r.Made[1]))
}

// Share writes counts of replays with their interval: 17 of 20 (62–97 %).
func Share(r reports.Replays) string {
	if r.Attempts == 0 {
		return "0 of 0 (not known)"
	}
	return fmt.Sprintf("%s of %s (%s %%)", human.Count(r.Reproduced), human.Count(r.Attempts), human.Range(r.Low, r.High))
}

func (p *printer) minimized(m *reports.Minimized) {
	p.blank()
	line := fmt.Sprintf("%s: %d of %s left", m.Verdict, len(m.Holds), human.Plural(int64(m.Of), "hold"))
	if m.Attempts > 0 {
		line += ", which reproduce " + Share(m.Replays) + " afresh"
	}
	p.line(Strong, "%s (%s)", line, human.Plural(m.Spent, "attempt"))
	if m.Reason != "" {
		p.line(Plain, "  %s", m.Reason)
	}
	p.line(Plain, "  the whole plan reproduced %s, its conditions without any hold %s", Share(m.Whole), Share(m.NoHolds))
	for _, h := range m.Holds {
		p.line(Plain, "  %s held for %s %s%s", heldThread(h), human.Duration(h.Hold.Duration()), point(h), boundary(h))
	}
	if needed := m.Needed(); len(needed) > 0 {
		label := "needed    "
		if m.Verdict != "minimal" {
			label = "untouched "
		}
		p.line(Plain, "  %s %s", label, strings.Join(needed, ", "))
	}
	if len(m.Surer) > 0 {
		p.line(Plain, "  surer with %s", strings.Join(m.Surer, ", "))
	}
	if len(m.Dropped) > 0 {
		p.line(Plain, "  not needed %s", strings.Join(m.Dropped, ", "))
	}
}

// heldThread names the thread of a hold; "*" stands for any, in a program whose threads are not told apart there.
func heldThread(h reports.MinimalHold) string {
	if h.Thread == run.AnyThread {
		return "whichever thread it is,"
	}
	return "thread " + h.Thread
}

// point says where a hold is.
func point(h reports.MinimalHold) string {
	switch {
	case h.Kind == run.AtInstruction:
		return fmt.Sprintf("the %s time it comes to %s", ordinal(h.N), h.Site)
	case h.Site != "":
		return fmt.Sprintf("at its %s %s at %s", ordinal(h.N), h.Kind, h.Site)
	}
	return fmt.Sprintf("at its %s %s", ordinal(h.N), h.Kind)
}

// boundary says how long a hold must be.
func boundary(h reports.MinimalHold) string {
	switch {
	case h.FailsFrom == 0:
		return ""
	case h.NotAt == 0:
		return fmt.Sprintf(" (fails from %s)", human.Duration(h.FailsFrom.Duration()))
	}
	return fmt.Sprintf(" (fails from %s, not at %s)", human.Duration(h.FailsFrom.Duration()), human.Duration(h.NotAt.Duration()))
}

// ordinal writes 1st, 2nd, 3rd, 11th.
func ordinal(n int64) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return human.Count(n) + suffix
}

// Bounds of the stacks on a terminal: all of them are in the campaign's folder.
const (
	mostStacks = 5
	mostFrames = 8
)

func (p *printer) stacks(s *reports.Stacks) {
	if len(s.Threads) == 0 {
		p.copyable("  no stacks: %s", s.Why)
		return
	}
	p.line(Plain, "  where the threads were %s, in a replay that was given up for it:", s.At)
	for _, t := range s.Threads[:min(len(s.Threads), mostStacks)] {
		p.copyable("    %s", StackTitle(t))
		for _, f := range t.Frames[:min(len(t.Frames), mostFrames)] {
			p.copyable("      %s", f)
		}
		if n := len(t.Frames) - mostFrames; n > 0 {
			p.line(Plain, "      and %s more", human.Plural(int64(n), "frame"))
		}
	}
	if n := len(s.Threads) - mostStacks; n > 0 {
		p.line(Plain, "    and %s more", human.Plural(int64(n), "thread"))
	}
}

// StackTitle names a thread: its path, what the program calls it, and whether it was held.
func StackTitle(t reports.Stack) string {
	words := t.Name
	if t.Thread != "" {
		words = fmt.Sprintf("thread %s (%s)", t.Thread, t.Name)
	}
	if t.Held {
		words += ", held"
	}
	return words
}
