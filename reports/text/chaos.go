package text

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"heisen/reports"
	"heisen/reports/human"
)

// chaos writes the table by strategy. No failure of a strategy is in the failure rate above it.
func (p *printer) chaos(c *reports.Chaos) {
	if c == nil {
		return
	}
	p.blank()
	p.line(Plain, "Chaos: attempts whose schedule was disturbed on purpose, each strategy against the plain attempts:")
	rows := [][]string{{"strategy", "attempts", "failed", "95 % confidence", "against plain", "first at", "variants first", "holds made", "held", "slower"}}
	if c.Plain != nil {
		rows = append(rows, strategyRow(*c.Plain, c.VariantsAtLeast))
	}
	for _, s := range c.Strategies {
		rows = append(rows, strategyRow(s, c.VariantsAtLeast))
	}
	p.grid(rows)
	if tracing := tracingLine(c); tracing != "" {
		p.line(Faint, "  %s", tracing)
	}
	for _, s := range c.Strategies {
		if untold := untoldLine(s); untold != "" {
			p.line(Plain, "  %s", untold)
		}
	}
	why := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(c.NotDrawn)) {
		why[c.NotDrawn[name]] = append(why[c.NotDrawn[name]], name)
	}
	for _, reason := range slices.Sorted(maps.Keys(why)) {
		p.line(Plain, "  not possible: %s: %s", strings.Join(why[reason], ", "), reason)
	}
}

func strategyRow(s reports.Strategy, atLeast bool) []string {
	row := []string{s.Name, human.Count(s.Rate.Attempts), human.Count(s.Rate.Failures), "-", "-", "-", "-", "-", "-", "-"}
	if s.Rate.Share != nil {
		row[2] += fmt.Sprintf(" (%s %%)", human.Percent(*s.Rate.Share))
		row[3] = human.Range(s.Rate.Low, s.Rate.High) + " %"
	}
	if s.P != nil {
		row[4] = fmt.Sprintf("%s (p %s)", s.Verdict, human.Probability(*s.P))
	}
	if s.FirstFailure > 0 {
		row[5] = human.Count(s.FirstFailure)
	}
	if s.VariantsFirst != nil {
		row[6] = human.Count(*s.VariantsFirst)
		if atLeast {
			row[6] = "≥ " + row[6]
		}
	}
	if s.Holds != nil {
		row[7], row[8] = holdCells(s)
	}
	if s.SlowDown != nil {
		row[9] = fmt.Sprintf("%.2g×", *s.SlowDown)
	}
	return row
}

// holdCells are the holds made of those planned and how long they were, as far as the attempts told of them.
func holdCells(s reports.Strategy) (made, held string) {
	made, held = fmt.Sprintf("%s of %s", human.Count(s.Holds.Made), human.Count(s.Holds.Planned)), human.Duration(s.Holds.Held.Duration())
	switch {
	case s.Holds.Untold == 0:
		return made, held
	case s.Holds.Made == 0:
		return "not known", "not known"
	}
	return "≥ " + made, "≥ " + held
}

// untoldLine says for how many attempts of a strategy it is not known what was done, "" for none.
func untoldLine(s reports.Strategy) string {
	if s.Holds == nil || s.Holds.Untold == 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s did not tell all that was done: %s", s.Name, human.Plural(s.Holds.Untold, "attempt"), s.Holds.WhyUntold)
}

// tracingLine says what the tracers themselves used: CPU time that is no test's.
func tracingLine(c *reports.Chaos) string {
	var cpu reports.Seconds
	var stops int64
	for _, s := range c.Strategies {
		if s.Holds != nil {
			cpu, stops = cpu+s.Holds.Tracer, stops+s.Holds.Stops
		}
	}
	if stops == 0 {
		return ""
	}
	return fmt.Sprintf("the tracers stopped threads %s and took %s of CPU time, which is in no test's", human.Plural(stops, "time"), human.Duration(cpu.Duration()))
}

// grid writes a small table, indented: the first column to the left, the others to the right.
func (p *printer) grid(rows [][]string) {
	widths := make([]int, len(rows[0]))
	empty := make([]bool, len(rows[0]))
	for c := range widths {
		empty[c] = c > 0
		for i, row := range rows {
			widths[c] = max(widths[c], Width(Escape(row[c])))
			empty[c] = empty[c] && (i == 0 || row[c] == "-")
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for c, cell := range row {
			switch {
			case empty[c]:
			case c == 0:
				line.WriteString("  " + padRight(cell, widths[c]))
			default:
				line.WriteString("  " + padLeft(cell, widths[c]))
			}
		}
		p.line(Plain, "%s", line.String())
	}
}

// ChaosLine is the state of chaos in a few words: for the live view.
func ChaosLine(c *reports.Chaos) string {
	failures, attempts := c.Disturbed()
	if attempts == 0 {
		return ""
	}
	line := fmt.Sprintf("chaos: %s of %s failed", human.Count(failures), human.Count(attempts))
	var best *reports.Strategy
	for i, s := range c.Strategies {
		if s.Rate.Failures > 0 && (best == nil || *s.Rate.Share > *best.Rate.Share) {
			best = &c.Strategies[i]
		}
	}
	if best != nil {
		line += fmt.Sprintf(", most under %s: %s of %s (%s %%)", best.Name, human.Count(best.Rate.Failures), human.Count(best.Rate.Attempts),
			human.Range(best.Rate.Low, best.Rate.High))
	}
	return line
}
