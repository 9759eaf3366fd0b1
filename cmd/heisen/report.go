package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"heisen/reports"
	"heisen/reports/evidence"
	"heisen/reports/history"
	"heisen/reports/markdown"
	"heisen/stress/campaign"
	"heisen/stress/durable"
)

func reportCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "write what was found as a file for people or other programs",
		ArgsUsage: "CAMPAIGN|BUNDLE",
		Description: `CAMPAIGN is an id, the beginning of one, a path, or last for the newest; BUNDLE is a path. The figures are those
of heisen show. A campaign can be reported while it runs.

FORMATS:
` + formatsHelp() + `
EXAMPLES:
   heisen report last
   heisen report last -o report.html
   heisen report last --format markdown --for plain
   heisen report last --format junit -o heisen.xml`,
		BashComplete: completeReferences,
		OnUsageError: onUsageError,
		Flags: []cli.Flag{dirFlag(),
			&cli.StringFlag{Name: "format", Usage: "`FORMAT` of the list above (from the name of -o, else markdown)"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write `FILE` instead of standard output"},
			&cli.StringFlag{Name: "for", Value: string(markdown.GitHub), Usage: "who renders markdown: github or plain"},
			&cli.StringFlag{Name: "timing", Value: "duration/outcome=pass", Usage: "which histogram hgrm writes; a name there is not lists those there are"}},
		Action: func(c *cli.Context) error { return writeReport(c, stdout) },
	}
}

func writeReport(c *cli.Context, stdout io.Writer) error {
	ref, err := oneArgument(c, "a campaign or a bundle, such as last")
	if err != nil {
		return err
	}
	f, err := chooseFormat(c.String("format"), c.String("output"))
	if err != nil {
		return err
	}
	o := options{flavour: markdown.Flavour(c.String("for")), timing: c.String("timing")}
	if o.flavour != markdown.GitHub && o.flavour != markdown.Plain {
		return usagef("--for %q: give github or plain", o.flavour)
	}
	s, err := findSubject(campaign.NewStore(c.String(flagDir)), ref)
	if err != nil {
		return err
	}
	if s.report == nil && !f.bundleAlone {
		return fmt.Errorf("report %s: %s is made from a campaign's journal, and this bundle came without: --format markdown and perfetto can do without", ref, f.name)
	}
	write := func(w io.Writer) error {
		buffered := bufio.NewWriterSize(w, 1<<16)
		return errors.Join(f.write(buffered, s, o), buffered.Flush())
	}
	out := c.String("output")
	if out == "" {
		if _, is := terminal(stdout); is && f.binary {
			return usagef("%s is not for a terminal: give -o report%s", f.name, f.suffix)
		}
		return write(stdout)
	}
	if err := durable.Replace(out, write, nil); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "wrote %s\n", out)
	return err
}

// subject is what a report is about.
type subject struct {
	// folder, report and over, its history, are the campaign's; nil for a bundle that came without one.
	folder *campaign.Folder
	report *reports.Report
	over   *history.History
	// signature is the kind of failure that is told, failure an attempt of it; nil where there is none.
	signature *reports.Signature
	failure   *evidence.Attempt
	// repro is what the latest replays of that failure told; nil where nobody replayed it.
	repro *reports.Repro
}

func findSubject(store campaign.Store, ref string) (*subject, error) {
	if isBundle(ref) {
		return bundleSubject(store, ref)
	}
	folder, err := store.Open(ref)
	if err != nil {
		return nil, err
	}
	s := &subject{folder: folder}
	if err := s.fold(); err != nil {
		return nil, err
	}
	s.choose()
	s.repro = latestRepro(store, s.failure)
	return s, nil
}

// choose tells of the most frequent kind of failure, if there is any.
func (s *subject) choose() {
	if len(s.report.Signatures) > 0 {
		s.signature = &s.report.Signatures[0]
		s.failure = firstOf(s.signature)
	}
}

func (s *subject) fold() error {
	report, over, err := readWhole(s.folder)
	s.report, s.over = &report, over
	return err
}

// mostTried is how many bundles are opened in search of one with a recorded order.
const mostTried = 8

// firstOf is the first failure of a kind that has a recorded order, or else the first that can be read.
func firstOf(sig *reports.Signature) *evidence.Attempt {
	var first *evidence.Attempt
	for _, dir := range sig.Bundles[:min(len(sig.Bundles), mostTried)] {
		a, err := evidence.Read(dir)
		switch {
		case err != nil: // the campaign's figures do not depend on it
		case a.Trace != nil:
			return a
		case first == nil:
			first = a
		}
	}
	return first
}

// bundleSubject is one attempt, with its campaign where the bundle still lies in it.
func bundleSubject(store campaign.Store, dir string) (*subject, error) {
	a, err := evidence.Read(dir)
	if err != nil {
		return nil, err
	}
	s := &subject{failure: a, repro: latestRepro(store, a)}
	home := filepath.Dir(filepath.Dir(filepath.Dir(a.Dir))) // CAMPAIGN/bundles/SIGNATURE/NUMBER
	folder, err := store.Open(home)
	if err != nil || folder.ID() != a.Manifest.Campaign {
		return s, nil
	}
	s.folder = folder
	if err := s.fold(); err != nil {
		return nil, err
	}
	for i, sig := range s.report.Signatures {
		if a.Manifest.Signature != nil && sig.ID == a.Manifest.Signature.ID {
			s.signature = &s.report.Signatures[i]
		}
	}
	return s, nil
}

// passes are the folders of passing attempts to set a failure against: the one of the variant its bundle names
// first.
func (s *subject) passes() []string {
	if s.report == nil || s.failure == nil {
		return nil
	}
	nearest := ""
	if d := s.failure.Divergence; d != nil {
		nearest = d.Passing
	}
	var first, rest []string
	for _, v := range s.report.Variants {
		switch {
		case v.Exemplar == "" || v.Pass == 0:
		case v.ID == nearest:
			first = append(first, v.Exemplar)
		default:
			rest = append(rest, v.Exemplar)
		}
	}
	all := append(append(first, s.report.KeptPasses...), rest...)
	return all[:min(len(all), mostPasses)]
}

// mostPasses bounds the passing attempts that are read in search of the nearest.
const mostPasses = 24

func formatsHelp() string {
	var b strings.Builder
	for _, f := range formats() {
		fmt.Fprintf(&b, "   %-9s %s\n", f.name, f.what)
	}
	return b.String()
}
