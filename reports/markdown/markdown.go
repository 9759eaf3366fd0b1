package markdown

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"heisen/reports"
	"heisen/reports/evidence"
	"heisen/reports/human"
	"heisen/reports/text"
)

// Flavour is who will render the report.
type Flavour string

const (
	// GitHub has tables and folds.
	GitHub Flavour = "github"
	// Plain is CommonMark alone.
	Plain Flavour = "plain"
)

// Most is how many characters a report has at the most: GitHub refuses more than 65,536 in an issue.
const Most = 60_000

// Issue is what is reported.
type Issue struct {
	// Report is the campaign's; nil where a bundle came without its campaign.
	Report *reports.Report
	// Signature is the kind of failure that is told; nil for a campaign without one.
	Signature *reports.Signature
	// Attempt is a failure of that kind; nil where no bundle was kept.
	Attempt *evidence.Attempt
	// Repro is how often replays of that failure brought it back, and what they left of its plan; nil where nobody asked.
	Repro *reports.Repro
	// Revisions are what the source was at, by epoch, as far as that is known.
	Revisions []reports.Revision
	Flavour   Flavour
}

// Bounds on single texts, in characters.
const (
	mostTitle = 200
	mostText  = 1000
	mostCell  = 120
)

// Write writes the report. It has at most Most characters, whatever it is told.
func Write(w io.Writer, i Issue) error {
	d := &document{Issue: i}
	d.title()
	d.how()
	d.soak()
	d.reproduce()
	d.divergence()
	d.starvation()
	d.strategies()
	d.plan()
	d.repro()
	d.signatures()
	d.environment()
	d.doubts()
	d.log()
	d.foot()
	_, err := io.WriteString(w, d.b.String())
	if err != nil {
		return fmt.Errorf("write markdown: %w", err)
	}
	return nil
}

// document is an issue in the making.
type document struct {
	Issue
	b strings.Builder
}

func (d *document) line(format string, args ...any) { fmt.Fprintf(&d.b, format+"\n", args...) }

func (d *document) heading(text string) { d.line("\n## %s\n", text) }

// table writes rows of finished cells; the first is the head.
func (d *document) table(rows [][]string) {
	if d.Flavour == Plain {
		for _, row := range rows[1:] {
			var cells []string
			for c, v := range row[1:] {
				if v != "-" {
					cells = append(cells, strings.TrimPrefix(rows[0][c+1]+": "+v, ": "))
				}
			}
			d.line("- %s: %s", row[0], strings.Join(cells, "; "))
		}
		return
	}
	for n, row := range rows {
		d.line("| %s |", strings.Join(row, " | "))
		if n == 0 {
			d.line("|%s", strings.Repeat(" --- |", len(row)))
		}
	}
}

func (d *document) title() {
	what := ""
	switch {
	case d.Signature != nil:
		what = cmp.Or(d.Signature.Title, d.Signature.ID)
	case d.Attempt != nil && d.Attempt.Manifest.Signature != nil:
		what = d.Attempt.Manifest.Signature.Title
	}
	if what == "" {
		d.line("# No failure of %s", code(text.QuoteAll(d.command()), mostTitle))
		return
	}
	d.line("# Flaky: %s", code(what, mostTitle))
}

func (d *document) command() []string {
	switch {
	case d.Attempt != nil && len(d.Attempt.Manifest.Command.Given) > 0:
		var list []string
		for _, t := range d.Attempt.Manifest.Command.Given {
			list = append(list, string(t))
		}
		return list
	case d.Report != nil:
		return d.Report.Command
	}
	return nil
}

// how says what fails, and how often.
func (d *document) how() {
	d.line("")
	if r := d.Report; r != nil {
		d.line("%s.", prose(text.OwnRateLine(*r), mostText))
		if failures, attempts := r.Chaos.Disturbed(); attempts > 0 {
			d.line("With schedules disturbed on purpose %s of %s failed, which is no part of that rate.", human.Count(failures), human.Count(attempts))
		}
		if s := d.Signature; s != nil && len(r.Signatures) > 1 {
			d.line("%s of all %s failed in the way told here, first in attempt %s.", human.Count(s.Count),
				human.Plural(r.Attempts.Failures(), "failure"), human.Count(s.First))
		}
	} else {
		d.line("One failure, without the campaign it came from: how often it fails is not known.")
	}
	if a := d.Attempt; a != nil {
		outcome := a.Manifest.Ending.Outcome.String()
		if a.Manifest.Ending.Cause != "" {
			outcome += ": " + a.Manifest.Ending.Cause
		}
		d.line("Attempt %s ended after %s: %s.", human.Count(a.Manifest.Attempt.Seq), human.Duration(a.Wall()), code(outcome, mostText))
		d.line("Source: %s.", d.revision())
	}
	d.since()
	d.line("\nCommand:\n")
	d.b.WriteString(d.shell(text.QuoteAll(d.command())))
}

func (d *document) revision() string {
	switch g := d.Attempt.Manifest.Git; {
	case g.NotCollected != "":
		return "revision not collected: " + prose(g.NotCollected, mostText)
	case g.Dirty:
		return "revision " + code(g.Revision, mostCell) + " with uncommitted changes"
	default:
		return "revision " + code(g.Revision, mostCell)
	}
}

// since says from which revision on the test fails, where the campaign saw an earlier one.
func (d *document) since() {
	first, before := reports.Since(d.Revisions)
	if first == nil || before == nil || before.ID == first.ID && before.Dirty == first.Dirty {
		return
	}
	name := func(r *reports.Revision) string {
		if r.Dirty {
			return "revision " + code(r.ID, mostCell) + " with uncommitted changes"
		}
		return "revision " + code(r.ID, mostCell)
	}
	d.line("First seen at %s: %s at that one, and before, at %s, none of %s (95 %% confidence: at most %s %%).", name(first), prose(text.RateLine(first.Rate), mostText),
		name(before), human.Plural(before.Rate.Attempts, "attempt"), human.Percent(before.Rate.High))
}

// room is how many characters are left.
func (d *document) room() int { return Most - utf8.RuneCountInString(d.b.String()) }
