package main

import (
	"fmt"
	"io"
	"os"

	"heisen/reports"
	"heisen/reports/github"
	"heisen/reports/markdown"
)

// tellCI gives a CI what it shows of a finished campaign: GitHub's step summary, and annotations on standard output,
// where its runner looks for them. What cannot be told is said and changes no exit code.
func tellCI(r reports.Report, stdout, stderr io.Writer) {
	if path := os.Getenv("GITHUB_STEP_SUMMARY"); path != "" {
		if err := appendSummary(path, r); err != nil {
			fmt.Fprintf(stderr, "heisen: step summary: %v\n", err)
		}
	}
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		_ = github.Annotate(stdout, r) // a reader that is gone wants none
	}
}

func appendSummary(path string, r reports.Report) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	s := &subject{report: &r}
	s.choose()
	err = writeMarkdown(f, s, options{flavour: markdown.GitHub})
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}
