// Package html renders a campaign as one file that opens from disk: no network, no library, charts as inline SVG, and
// a script of our own for the timeline. Foreign text passes through html/template; the policy in the page's head
// (CSP) lets nothing run but that one script, by its hash, and nothing load at all.
package html

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"heisen/reports"
	"heisen/reports/evidence"
	"heisen/reports/history"
	"heisen/reports/human"
	"heisen/reports/text"
	"heisen/repro/provenance"
	"heisen/stress/starve"
)

// Page is what is shown. What is nil was not recorded, and its part of the page says so or is left out.
type Page struct {
	Report  reports.Report
	History *history.History
	// Machine is the machine's series; NoMachine says why there is none.
	Machine   []starve.Point
	NoMachine string
	// Fail is the failure that is shown, Pass the passing attempt nearest to it.
	Fail, Pass *evidence.Attempt
	// Made is when the page was made.
	Made time.Time
	// Live is a script that keeps the page up to date, where somebody serves it; "" for a page on its own. It alone
	// may connect, to where the page came from, and finds the page's parts by their names and a line, #live, to write
	// in.
	Live string
}

// Part is a piece of the page that changes while a campaign runs, named as its element is. The rest of the page
// depends on Page.Fail and Page.Pass alone.
type Part struct{ ID, HTML string }

//go:embed page.tmpl
var pageText string

//go:embed attempts.tmpl
var attemptsText string

//go:embed style.css
var style string

//go:embed timeline.js
var timelineScript string

//go:embed filter.js
var filterScript string

// script is one element of the page, and so one hash of its policy.
var script = timelineScript + filterScript

// view is a page in the words of the template.
type view struct {
	Page
	Style    template.CSS
	Script   template.JS
	Keep     template.JS
	Policy   string
	Title    string
	Rate     string
	Charts   []chart
	Strategy []strategyRow
	Timeline *timeline
	Attempts *attempts
	Output   []string
}

// functions put values into words; foreign text goes through esc, so that no control character is in the page.
var functions = template.FuncMap{
	"esc": func(s string) string { return text.Escape(provenance.Scrub(s)) }, "command": text.QuoteAll, "clean": clean,
	"count": human.Count, "plural": human.Plural, "percent": human.Percent, "between": human.Range, "p": human.Probability, "figure": figure,
	"elapsed": func(s reports.Seconds) string { return human.Elapsed(s.Duration()) },
	"auc":     func(v float64) string { return fmt.Sprintf("%.2f", v) },
	"times":   func(v float64) string { return fmt.Sprintf("%.2g×", v) },
	"first":   func(n int, list []reports.Variant) []reports.Variant { return list[:min(n, len(list))] },
}

// Write writes the page.
func Write(w io.Writer, p Page) error {
	t, err := parsed()
	if err != nil {
		return err
	}
	v := newView(p)
	v.Timeline, v.Output = newTimeline(p.Fail, p.Pass), output(p.Fail)
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("write html: %w", err)
	}
	return nil
}

// Parts renders what of the page may have changed.
func Parts(p Page) ([]Part, error) {
	t, err := parsed()
	if err != nil {
		return nil, err
	}
	v, list := newView(p), []Part{{ID: "figures"}, {ID: "pictures"}}
	for i := range list {
		var b strings.Builder
		if err := t.ExecuteTemplate(&b, list[i].ID, v); err != nil {
			return nil, fmt.Errorf("write html: %w", err)
		}
		list[i].HTML = b.String()
	}
	return list, nil
}

func parsed() (*template.Template, error) {
	t, err := template.New("page").Funcs(functions).Parse(pageText + attemptsText)
	if err != nil {
		return nil, fmt.Errorf("write html: %w", err)
	}
	return t, nil
}

// newView is everything but what an attempt alone decides.
func newView(p Page) view {
	v := view{Page: p, Style: template.CSS(style), Script: template.JS(script), Keep: template.JS(p.Live),
		Rate: text.OwnRateLine(p.Report), Policy: p.Policy(), Title: "No failure", Charts: charts(p),
		Strategy: strategies(p.Report.Chaos), Attempts: newAttempts(p)}
	if len(p.Report.Signatures) > 0 {
		v.Title = p.Report.Signatures[0].Title
	}
	return v
}

// Policy is what the page may do (CSP): run and be styled by its own text, nothing else.
func (p Page) Policy() string {
	policy := "default-src 'none'; base-uri 'none'; form-action 'none'; style-src " + hash(style) + "; script-src " + hash(script)
	if p.Live != "" {
		policy += " " + hash(p.Live) + "; connect-src 'self'"
	}
	return policy
}

// Drawn names the attempts that are drawn, "" where none is: another name is another timeline and output.
func (p Page) Drawn() string {
	name := ""
	for _, a := range []*evidence.Attempt{p.Fail, p.Pass} {
		if a != nil {
			name += a.Manifest.Campaign + "/" + strconv.FormatInt(a.Manifest.Attempt.Seq, 10) + " "
		}
	}
	return name
}

// hash is a source of the policy: the page's own text and no other (CSP level 3, 2.3.1).
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// figure writes a signal's value in its unit.
func figure(v *float64, unit string) string {
	switch {
	case v == nil:
		return "–"
	case unit == "us":
		return human.Duration(time.Duration(*v * float64(time.Microsecond)))
	case unit == "KiB":
		return human.Bytes(int64(*v * 1024))
	case unit == "share":
		return human.Percent(*v) + " %"
	}
	return fmt.Sprintf("%.4g", *v)
}

// mostOutput bounds the lines of output that are shown, from the end.
const mostOutput = 120

func output(a *evidence.Attempt) []string {
	if a == nil {
		return nil
	}
	all := append(append([]evidence.Line{}, a.Head...), a.Tail...)
	all = all[max(0, len(all)-mostOutput):]
	var lines []string
	for _, l := range all {
		lines = append(lines, text.EscapeLine(provenance.Scrub(trimmed(l.Text))))
	}
	return lines
}

func trimmed(s string) string {
	for len(s) > 0 && (s[len(s)-1] == '\n' || s[len(s)-1] == '\r') {
		s = s[:len(s)-1]
	}
	return s
}
