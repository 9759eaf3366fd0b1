package main

import (
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"heisen/reports"
	"heisen/reports/history"
	"heisen/reports/text"
	"heisen/repro/bundle"
	"heisen/stress/campaign"
	"heisen/stress/journal"
	"heisen/stress/tally"
)

func showCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show what a campaign found, or one failure",
		ArgsUsage: "CAMPAIGN|BUNDLE",
		Description: `CAMPAIGN is an id, the beginning of one, a path, or last for the newest; BUNDLE is a path. With
--bundle, last is the newest bundle. A campaign can be looked at while it runs.

EXAMPLES:
   heisen show last
   heisen show last --json
   heisen show last --bundle --all`,
		BashComplete: completeReferences,
		OnUsageError: onUsageError,
		Flags: []cli.Flag{dirFlag(), jsonFlag(),
			&cli.BoolFlag{Name: flagBundle, Usage: "the argument names a bundle"},
			&cli.BoolFlag{Name: "all", Usage: "show a bundle's whole output"},
			&cli.BoolFlag{Name: "verify", Usage: "check every record of the journal, or every file of the bundle, first"}},
		Action: func(c *cli.Context) error { return show(c, stdout) },
	}
}

func show(c *cli.Context, stdout io.Writer) error {
	ref, err := oneArgument(c, "a campaign or a bundle, such as last")
	if err != nil {
		return err
	}
	store := campaign.NewStore(c.String(flagDir))
	if isBundle(ref) || c.Bool(flagBundle) {
		path, err := store.ResolveBundle(ref)
		if err != nil {
			return err
		}
		return showOneBundle(c, stdout, path)
	}
	folder, err := store.Open(ref)
	if err != nil {
		return err
	}
	if c.Bool("verify") {
		if _, err := journal.ReadAll(folder.Journal(), func([]byte) error { return nil }); err != nil {
			return err
		}
	}
	report, _, err := readWhole(folder)
	if err != nil {
		return err
	}
	if c.Bool(flagJSON) {
		return reports.WriteJSON(stdout, report)
	}
	return text.Summary(stdout, report, styleFor(stdout))
}

const flagBundle = "bundle"

// isBundle tells a bundle's folder from a campaign's.
func isBundle(ref string) bool {
	info, err := os.Lstat(filepath.Join(ref, bundle.ManifestFile))
	return err == nil && info.Mode().IsRegular()
}

func showOneBundle(c *cli.Context, stdout io.Writer, path string) error {
	b, err := bundle.Open(path)
	if err != nil {
		return err
	}
	defer b.Close()
	if c.Bool("verify") {
		if err := b.Verify(); err != nil {
			return err
		}
	}
	if c.Bool(flagJSON) {
		return reports.WriteJSON(stdout, b.Manifest)
	}
	return printBundle(stdout, b, c.Bool("all"))
}

// oneArgument returns the only argument.
func oneArgument(c *cli.Context, what string) (string, error) {
	if c.Args().Len() != 1 {
		return "", usagef("%s takes %s", c.Command.Name, what)
	}
	return c.Args().First(), nil
}

// readFold folds a campaign's journal.
func readFold(folder *campaign.Folder) (*history.Fold, error) {
	fold, _, err := journal.Load(folder.Journal(), newFold)
	if err != nil {
		return nil, err
	}
	return fold.(*history.Fold), nil
}

func newFold(snapshot []byte) (journal.Fold, error) { return history.LoadFold(snapshot) }

// readTally is the figures of a campaign's journal.
func readTally(folder *campaign.Folder) (*tally.Tally, error) {
	fold, err := readFold(folder)
	if err != nil {
		return nil, err
	}
	return fold.Figures, nil
}

func readReport(folder *campaign.Folder) (reports.Report, *history.History, error) {
	fold, err := readFold(folder)
	if err != nil {
		return reports.Report{}, nil, err
	}
	report := reports.Build(fold.Figures, reports.Facts{Dir: folder.Path(), Running: folder.Running(), Compare: true,
		Interleavings: sampleOf(folder)})
	report.Resume = kindOf(folder)
	return report, fold.History, nil
}

// readWhole is readReport with what a soak shows, which takes all records of the journal and not their fold.
func readWhole(folder *campaign.Folder) (reports.Report, *history.History, error) {
	report, over, err := readReport(folder)
	if err != nil || !isSoak(folder) {
		return report, over, err
	}
	if report.Soak, err = readSoak(folder, report.Seed); err != nil {
		report.Doubts = append(report.Doubts, err.Error()) // the other figures do not depend on it
	}
	return report, over, nil
}

func listCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:         "list",
		Usage:        "list the campaigns",
		Description:  "EXAMPLES:\n   heisen list\n   heisen list --json",
		OnUsageError: onUsageError,
		Flags:        []cli.Flag{dirFlag(), jsonFlag()},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("list takes no arguments; heisen show %s shows one campaign", c.Args().First())
			}
			return list(campaign.NewStore(c.String(flagDir)), c.Bool(flagJSON), stdout)
		},
	}
}

func list(store campaign.Store, asJSON bool, stdout io.Writer) error {
	entries, err := store.List()
	if err != nil {
		return err
	}
	var shown []text.Entry
	for _, e := range entries {
		entry := text.Entry{Name: e.Name, Err: e.Err}
		if e.Err == nil {
			entry.Report, _, entry.Err = readReport(e.Folder)
		}
		shown = append(shown, entry)
	}
	if asJSON {
		return reports.WriteJSON(stdout, text.Entries(shown))
	}
	return text.List(stdout, shown, styleFor(stdout))
}
