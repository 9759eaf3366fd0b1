package text

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"heisen/reports"
	"heisen/reports/human"
)

// Entry is one campaign folder: its report, or why it cannot be read.
type Entry struct {
	Name   string
	Report reports.Report
	Err    error
}

// List writes a table of campaigns, the newest first; those that cannot be read come last, with the reason.
func List(w io.Writer, entries []Entry, s Style) error {
	p := &printer{w: w, style: s}
	if len(entries) == 0 {
		p.line(Plain, "no campaigns here yet: heisen hunt -- COMMAND makes one")
		return p.err
	}
	entries = newestFirst(entries)
	rows := [][]string{{"CAMPAIGN", "BEGAN", "STATE", "ATTEMPTS", "FAILED", "RATE", "COMMAND"}}
	for _, e := range entries {
		if e.Err == nil {
			rows = append(rows, listRow(e, s))
		}
	}
	p.table(rows)
	for _, e := range entries {
		if e.Err != nil {
			p.line(Red, "%s: %s", e.Name, e.Err)
		}
	}
	return p.err
}

// Listed is an entry as JSON: the report's fields, or the error beside the name.
type Listed struct {
	Name string `json:"name"`
	*reports.Report
	Error string `json:"error,omitempty"`
}

// Entries puts a list into the form and the order of its JSON.
func Entries(entries []Entry) []Listed {
	list := []Listed{}
	for _, e := range newestFirst(entries) {
		if e.Err != nil {
			list = append(list, Listed{Name: e.Name, Error: e.Err.Error()})
			continue
		}
		list = append(list, Listed{Name: e.Name, Report: &e.Report})
	}
	return list
}

// newestFirst sorts a copy; what cannot be read comes last.
func newestFirst(entries []Entry) []Entry {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int {
		if (a.Err == nil) != (b.Err == nil) {
			if a.Err == nil {
				return -1
			}
			return 1
		}
		return b.Report.Began.Compare(a.Report.Began)
	})
	return entries
}

func listRow(e Entry, s Style) []string {
	r := e.Report
	began, rate := "-", "-"
	if !r.Began.IsZero() {
		began = s.Time(r.Began)
	}
	if r.Rate.Share != nil {
		rate = fmt.Sprintf("%s %% (%s)", human.Percent(*r.Rate.Share), human.Range(r.Rate.Low, r.Rate.High))
	}
	if n := len(r.Epochs); n > 1 {
		rate += " in epoch " + strconv.Itoa(r.Epochs[n-1].Number)
	}
	return []string{e.Name, began, string(r.State), human.Count(r.Attempts.Total), human.Count(r.Attempts.Failures()), rate, QuoteAll(r.Command)}
}

// table writes rows in columns; the first row is the heading.
func (p *printer) table(rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			row[i] = Escape(cell)
			widths[i] = max(widths[i], Width(row[i]))
		}
	}
	for i, row := range rows {
		line := ""
		for c, cell := range row {
			switch {
			case c == len(row)-1:
				line += cell
			case c == 3 || c == 4: // the counts
				line += padLeft(cell, widths[c]) + "  "
			default:
				line += padRight(cell, widths[c]) + "  "
			}
		}
		paint := Plain
		if i == 0 {
			paint = Faint
		}
		p.line(paint, "%s", line)
	}
}
