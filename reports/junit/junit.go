// Package junit renders a campaign as JUnit XML, for a CI that shows it. Attempts are not cases: a campaign has
// thousands. Each kind of failure is a failing case, and one case stands for the test as a whole, which passes where
// nothing failed. The form is the one that Jenkins's xunit plugin publishes as junit-10.xsd.
package junit

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"heisen/reports"
	"heisen/reports/evidence"
	"heisen/reports/human"
	"heisen/reports/text"
	"heisen/repro/provenance"
)

// Bounds: kinds of failure, and characters of a kind's output.
const (
	mostCases  = 100
	mostOutput = 20_000
)

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Time     string   `xml:"time,attr"`
	Suite    suite    `xml:"testsuite"`
}

type suite struct {
	Name       string     `xml:"name,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Skipped    int        `xml:"skipped,attr"`
	Time       string     `xml:"time,attr"`
	Timestamp  string     `xml:"timestamp,attr,omitempty"`
	Properties []property `xml:"properties>property"`
	Cases      []testcase `xml:"testcase"`
	Output     string     `xml:"system-out,omitempty"`
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type testcase struct {
	Name      string `xml:"name,attr"`
	ClassName string `xml:"classname,attr"`
	Time      string `xml:"time,attr"`
	Skipped   *told  `xml:"skipped,omitempty"`
	Error     *told  `xml:"error,omitempty"`
	Failure   *told  `xml:"failure,omitempty"`
	Output    string `xml:"system-out,omitempty"`
}

type told struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// Write writes the campaign; evidence gives a failure's, by the folder of its bundle, or nil.
func Write(w io.Writer, r reports.Report, evidenceOf func(bundle string) *evidence.Attempt) error {
	name := clean(text.QuoteAll(r.Command))
	s := suite{Name: name, Time: seconds(r.Elapsed.Duration()), Properties: properties(r)}
	if !r.Began.IsZero() {
		s.Timestamp = r.Began.UTC().Format("2006-01-02T15:04:05")
	}
	for i, sig := range r.Signatures {
		if i == mostCases {
			s.Output = fmt.Sprintf("%d more kinds of failure are not listed", len(r.Signatures)-i)
			break
		}
		s.Cases = append(s.Cases, failing(name, sig, evidenceOf))
		s.Failures++
	}
	if len(s.Cases) == 0 {
		c := whole(name, r)
		s.Cases = append(s.Cases, c)
		if c.Error != nil {
			s.Errors++
		}
	}
	s.Tests = len(s.Cases)
	doc := suites{Name: "heisen", Tests: s.Tests, Failures: s.Failures, Errors: s.Errors, Time: s.Time, Suite: s}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("write junit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// whole is the test where no attempt failed: a pass, unless nothing can be said of it.
func whole(class string, r reports.Report) testcase {
	c := testcase{Name: "all attempts", ClassName: class, Time: seconds(r.Elapsed.Duration()), Output: clean(text.OwnRateLine(r))}
	if r.Rate.Attempts == 0 {
		c.Error = &told{Message: "no attempt could be judged", Type: "not-judged", Text: clean(strings.Join(r.Doubts, "; "))}
	}
	return c
}

func properties(r reports.Report) []property {
	list := []property{
		{"heisen.campaign", clean(r.ID)},
		{"heisen.version", clean(r.Version)},
		{"heisen.seed", fmt.Sprint(r.Seed)},
		{"heisen.attempts", fmt.Sprint(r.Attempts.Total)},
		{"heisen.rate", clean(text.OwnRateLine(r))},
	}
	for _, o := range text.OutcomesSeen(r.Attempts) {
		list = append(list, property{"heisen.attempts." + clean(string(o)), fmt.Sprint(r.Attempts.ByOutcome[o])})
	}
	return list
}

func failing(class string, s reports.Signature, evidenceOf func(string) *evidence.Attempt) testcase {
	c := testcase{Name: clean(cmp.Or(s.Title, s.ID)), ClassName: class, Time: "0"}
	told := &told{Message: fmt.Sprintf("%s, first in attempt %d", human.Plural(s.Count, "failure"), s.First), Type: clean(s.ID)}
	c.Failure = told
	if len(s.Bundles) == 0 {
		told.Text = "no bundle was kept"
		return c
	}
	told.Text = clean("heisen show " + text.Quote(s.Bundles[0]))
	if a := evidenceOf(s.Bundles[0]); a != nil {
		c.Time = seconds(a.Wall())
		c.Output = output(a)
	}
	return c
}

// output is the end of an attempt's output, where a failure is usually told.
func output(a *evidence.Attempt) string {
	var b strings.Builder
	for _, list := range [][]evidence.Line{a.Head, a.Tail} {
		for _, l := range list {
			b.WriteString(l.Text)
		}
	}
	s := provenance.Scrub(b.String())
	if n := len(s) - mostOutput; n > 0 {
		for n < len(s) && !utf8.RuneStart(s[n]) {
			n++
		}
		s = "(the beginning is left out)\n" + s[n:]
	}
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = text.EscapeLine(strings.TrimRight(l, "\r"))
	}
	return strings.Join(lines, "\n")
}

// clean is foreign text on one line: nothing that XML 1.0 forbids (2.2) is left in it, and no secret of a known
// shape.
func clean(s string) string { return text.Escape(provenance.Scrub(s)) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
