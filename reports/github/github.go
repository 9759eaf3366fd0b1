// Package github tells a campaign's failures to GitHub Actions as workflow commands, which show as annotations.
// What a test printed cannot become a command of its own: the whole text is escaped as the runner unescapes it
// (actions/toolkit, packages/core/src/command.ts: escapeData and escapeProperty).
package github

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"heisen/reports"
	"heisen/reports/human"
	"heisen/reports/text"
	"heisen/repro/provenance"
)

// mostAnnotations is how many errors GitHub shows of one step.
const mostAnnotations = 10

// Annotate writes an error for each of the most frequent kinds of failure.
func Annotate(w io.Writer, r reports.Report) error {
	for _, s := range r.Signatures[:min(len(r.Signatures), mostAnnotations)] {
		title := "heisen: " + human.Plural(s.Count, "failure")
		message := fmt.Sprintf("%s (%s)", cmp.Or(s.Title, s.ID), text.OwnRateLine(r))
		if _, err := fmt.Fprintf(w, "::error title=%s::%s\n", property(title), data(message)); err != nil {
			return fmt.Errorf("write annotations: %w", err)
		}
	}
	return nil
}

// data is one line: text.Escape leaves no line break and no control character, and a percent sign would begin an
// escape of the runner's.
func data(s string) string {
	return strings.ReplaceAll(text.Escape(provenance.Scrub(s)), "%", "%25")
}

// property also ends at a colon or a comma.
func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data(s))
}
