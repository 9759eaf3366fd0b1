package markdown

import (
	"fmt"
	"strings"

	"heisen/reports"
	"heisen/reports/human"
	"heisen/reports/text"
)

// repro says how often the failure came back when it was run again, what its plan could do without, and which order of
// two events decides, as far as that was tested.
func (d *document) repro() {
	r := d.Repro
	if r == nil {
		return
	}
	d.heading("Does it come back?")
	d.line("Run again as it was recorded, it came back in %s.", text.Share(r.Replays))
	if r.Plain != nil {
		d.line("Left alone beside that: %s.", text.Share(*r.Plain))
	}
	if r.Other > 0 {
		d.line("Another failure came in %s.", human.Plural(r.Other, "replay"))
	}
	for i, difference := range r.Differences {
		if i < mostDoubts {
			d.line("- not as recorded: %s", prose(difference, mostText))
		}
	}
	if r.Minimized != nil {
		d.minimized(r.Minimized)
	}
	if r.Explanation != "" {
		d.line("\n**What decides:** %s", prose(r.Explanation, mostText))
	}
}

func (d *document) minimized(m *reports.Minimized) {
	line := fmt.Sprintf("%s: %d of %s left", m.Verdict, len(m.Holds), human.Plural(int64(m.Of), "hold"))
	if m.Attempts > 0 {
		line += ", which reproduce " + text.Share(m.Replays) + " afresh"
	}
	d.line("\n**The plan, minimised** (%s): %s.", human.Plural(m.Spent, "attempt"), prose(line, mostText))
	if m.Reason != "" {
		d.line("%s.", strings.TrimSuffix(prose(m.Reason, mostText), "."))
	}
	d.line("The whole plan reproduced %s, its conditions without any hold %s.", text.Share(m.Whole), text.Share(m.NoHolds))
	if len(m.Holds) > 0 {
		rows := [][]string{{"thread", "held at", "for", "fails from", "not at"}}
		for _, h := range m.Holds[:min(len(m.Holds), mostHolds)] {
			rows = append(rows, []string{cell(h.Thread, mostCell), cell(strings.TrimSpace(fmt.Sprintf("%s, time %d %s", h.Kind, h.N, h.Site)), mostCell),
				human.Duration(h.Hold.Duration()), known(h.FailsFrom), known(h.NotAt)})
		}
		d.line("")
		d.table(rows)
		if rest := len(m.Holds) - mostHolds; rest > 0 {
			d.line("\nand %s more", human.Plural(int64(rest), "hold"))
		}
		d.line("")
	}
	for _, list := range []struct {
		name string
		of   []string
	}{{"Conditions left", m.Needed()}, {"Surer with", m.Surer}, {"Does without", m.Dropped}} {
		if len(list.of) > 0 {
			d.line("%s: %s.", list.name, code(strings.Join(list.of, ", "), mostText))
		}
	}
}

// known is a length, or a dash where it was not found out.
func known(s reports.Seconds) string {
	if s == 0 {
		return "-"
	}
	return human.Duration(s.Duration())
}
