package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"heisen/reports"
	"heisen/reports/csv"
	"heisen/reports/evidence"
	"heisen/reports/html"
	"heisen/reports/junit"
	"heisen/reports/markdown"
	"heisen/reports/perfetto"
	"heisen/stress/journal"
	"heisen/stress/run"
	"heisen/stress/starve"
)

// format is one way to write a report.
type format struct {
	name, suffix, what string
	// bundleAlone tells that a bundle without its campaign is enough.
	bundleAlone bool
	// binary is for no terminal.
	binary bool
	write  func(io.Writer, *subject, options) error
}

// options are what a user may choose of some formats.
type options struct {
	flavour markdown.Flavour
	timing  string
}

func formats() []format {
	return []format{
		{name: "markdown", suffix: ".md", what: "a bug report to paste into a tracker", bundleAlone: true, write: writeMarkdown},
		{name: "html", suffix: ".html", what: "one page with pictures that opens from disk, without network", write: writeHTML},
		{name: "json", suffix: ".json", what: "every figure, for scripts; the same as heisen show --json", write: writeJSON},
		{name: "junit", suffix: ".xml", what: "kinds of failure as failing cases, for a CI that shows them", write: writeJUnit},
		{name: "csv", suffix: ".csv", what: "a line per attempt with all its measurements", write: writeCSV},
		{name: "perfetto", suffix: ".pftrace", what: "one failure's threads, holds and events, for ui.perfetto.dev", bundleAlone: true, binary: true, write: writePerfetto},
		{name: "hlog", suffix: ".hlog", what: "all histograms of the campaign as one HDR histogram log, for its readers and plotters", write: writeLog},
		{name: "hgrm", suffix: ".hgrm", what: "a histogram of how long something took, for HdrHistogram's plotter", write: writeHistogram},
	}
}

// chooseFormat finds a format by its name, else by the name of the file, else takes the first.
func chooseFormat(name, file string) (format, error) {
	list := formats()
	var names []string
	for _, f := range list {
		names = append(names, f.name)
		if name == f.name || name == "" && file != "" && strings.HasSuffix(strings.ToLower(file), f.suffix) {
			return f, nil
		}
	}
	switch {
	case name != "":
		return format{}, usagef("--format %q: give one of %s", name, strings.Join(names, ", "))
	case file != "" && filepath.Ext(file) != "":
		return format{}, usagef("-o %s: no format has the ending %s: give --format, one of %s", file, filepath.Ext(file), strings.Join(names, ", "))
	}
	return list[0], nil
}

func writeMarkdown(w io.Writer, s *subject, o options) error {
	return markdown.Write(w, markdown.Issue{Report: s.report, Signature: s.signature, Attempt: s.failure,
		Repro: s.repro, Revisions: s.revisions(), Flavour: o.flavour})
}

func writeHTML(w io.Writer, s *subject, _ options) error {
	page := html.Page{Report: *s.report, History: s.over, Fail: s.failure, Made: time.Now()}
	if s.failure != nil {
		page.Pass = evidence.Nearest(s.failure, s.passes())
	}
	series, err := starve.ReadSeries(filepath.Join(s.folder.Path(), seriesFile))
	if err != nil {
		page.NoMachine = err.Error()
	} else {
		page.Machine = series.Points()
	}
	return html.Write(w, page)
}

func writeJSON(w io.Writer, s *subject, _ options) error { return reports.WriteJSON(w, *s.report) }

func writeJUnit(w io.Writer, s *subject, _ options) error {
	return junit.Write(w, *s.report, func(dir string) *evidence.Attempt {
		a, err := evidence.Read(dir)
		if err != nil {
			return nil // the figures stand without it
		}
		return a
	})
}

func writeCSV(w io.Writer, s *subject, _ options) error {
	table, err := csv.NewWriter(w)
	if err != nil {
		return err
	}
	return errors.Join(s.events(table.Add), table.Close())
}

// events hands out what the journal holds, one by one.
func (s *subject) events(each func(run.Event) error) error {
	_, err := journal.ReadAll(s.folder.Journal(), func(payload []byte) error {
		e, err := run.Decode(payload)
		switch {
		case errors.Is(err, run.ErrUnknownEvent):
			return nil // of a newer heisen
		case err != nil:
			return err
		}
		return each(e)
	})
	return err
}

func writePerfetto(w io.Writer, s *subject, _ options) error {
	if s.failure == nil {
		return errors.New("report: no failure was kept, so there is nothing to draw: give the folder of a bundle")
	}
	return perfetto.Write(w, s.failure)
}

func writeHistogram(w io.Writer, s *subject, o options) error {
	timings, err := s.timings()
	if err != nil {
		return err
	}
	var names []string
	for _, k := range timings.Keys() {
		if k.String() == o.timing {
			return timings.WritePercentiles(w, k)
		}
		names = append(names, k.String())
	}
	return usagef("--timing %q: the campaign has %s", o.timing, strings.Join(names, ", "))
}

// writeLog is the campaign as one interval, with a tag for each histogram.
func writeLog(w io.Writer, s *subject, _ options) error {
	timings, err := s.timings()
	if err != nil {
		return err
	}
	if err := starve.WriteLogHeader(w, s.report.Began); err != nil {
		return err
	}
	return timings.AppendLog(w, s.report.Began, s.report.LastSeen)
}

// timings are the campaign's histograms.
func (s *subject) timings() (*starve.Timings, error) {
	data, err := os.ReadFile(filepath.Join(s.folder.Path(), timingsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("report: campaign %s has no timings yet: they are saved every %v and at the end", s.folder.ID(), timingsEvery)
	}
	if err != nil {
		return nil, fmt.Errorf("read timings: %w", err)
	}
	return starve.RestoreTimings(data)
}
