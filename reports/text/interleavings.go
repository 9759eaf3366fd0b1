package text

import (
	"fmt"
	"io"
	"strings"

	"heisen/reports"
	"heisen/reports/human"
	"heisen/stress/interleave"
)

// interleavings says how many orders there were, whether hunting on brings new ones, and where failures part
// from passes.
func (p *printer) interleavings(r reports.Report) {
	i := r.Interleavings
	if i == nil {
		return
	}
	p.blank()
	line := "Interleavings: "
	if !i.Exact {
		line += "about "
	}
	line += human.Plural(i.Variants, "variant") + " in " + human.Plural(i.Attempts, "attempt")
	if i.Lately != nil {
		line += fmt.Sprintf(", %s new in the last %s", human.Count(i.Lately.New), human.Count(i.Lately.Attempts))
	}
	line += fmt.Sprintf("; the next is of one never seen with %s %% (95 %% confidence: %s %%)", human.Percent(i.Unseen), human.Range(i.Low, i.High))
	p.line(Plain, "%s", line)
	if misses := nearMisses(r.Variants); misses > 0 {
		p.line(Plain, "  near misses: %s that passed, apart from the most common (heisen show --json lists them)", human.Plural(misses, "variant"))
	}
	if d := r.Divergence; d != nil {
		p.copyable("Where they part: %s", d.Sentence)
	}
}

func nearMisses(list []reports.Variant) (n int64) {
	for _, v := range list {
		if v.NearMiss {
			n++
		}
	}
	return n
}

// mostRows is how many lines of two columns are shown; unless all are asked for, those around the first
// difference.
const mostRows = 40

// Divergence writes where two attempts, or failing and passing ones, part: a sentence, then both columns, then
// the orders that separate them. The names head the columns.
func Divergence(w io.Writer, d *interleave.Divergence, left, right string, s Style, all bool) error {
	p := &printer{w: w, style: s}
	p.divergence(d, left, right, all)
	return p.err
}

func (p *printer) divergence(d *interleave.Divergence, left, right string, all bool) {
	p.raw(p.style.Paint(Strong, Escape(d.Sentence)))
	p.columns(d, left, right, all)
	for _, group := range []struct {
		name string
		list []string
	}{{"missing", d.Missing}, {"extra", d.Extra}, {"early", d.Early}, {"late", d.Late}, {"never ran", d.NeverRan}} {
		if len(group.list) > 0 {
			p.line(Plain, "  %s %s", padRight(group.name+":", 10), strings.Join(group.list[:min(len(group.list), 5)], "; ")+more(len(group.list)-5))
		}
	}
	if len(d.Pairs) == 0 {
		return
	}
	p.line(Plain, "Orders that separate them, of %s looked at:", human.Count(int64(d.Orders)))
	for _, pair := range d.Pairs {
		p.copyable("  %s before %s: %d of %d, %d of %d; p %.2g", pair.First, pair.Second, pair.Pass, pair.Passes, pair.Fail, pair.Failures, pair.P)
	}
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf("; and %d more", n)
}

// columns shows both attempts side by side, around where they part.
func (p *printer) columns(d *interleave.Divergence, left, right string, all bool) {
	if len(d.Columns) == 0 {
		return
	}
	from, to := 0, len(d.Columns)
	if !all && to > mostRows {
		for from < to && d.Columns[from].Pass != "" && d.Columns[from].Fail != "" {
			from++
		}
		from = max(0, min(from-mostRows/4, to-mostRows))
		to = from + mostRows
	}
	width := Width(Escape(left))
	for _, row := range d.Columns[from:to] {
		width = max(width, Width(Escape(row.Pass)))
	}
	width = min(width, 60)
	p.line(Strong, "  %s   %s", padRight(Escape(left), width), right)
	if from > 0 {
		p.line(Faint, "  ... %d the same ...", from)
	}
	for _, row := range d.Columns[from:to] {
		sign, paint := " ", Plain
		switch {
		case row.Fail == "":
			sign, paint = "<", Yellow
		case row.Pass == "":
			sign, paint = ">", Yellow
		}
		p.line(paint, "  %s %s %s", padRight(Cut(Escape(row.Pass), width), width), sign, row.Fail)
	}
	if rest := len(d.Columns) - to; rest > 0 {
		p.line(Faint, "  ... %d more: add --all ...", rest)
	}
}
