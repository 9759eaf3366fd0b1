package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"heisen/reports"
	"heisen/reports/text"
	"heisen/repro/bundle"
	"heisen/stress/campaign"
	"heisen/stress/interleave"
)

// mostLog bounds a log file that is read: what matters of an order is in far less.
const mostLog = 64 << 20

func diffCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "show where the orders of two attempts, or of two campaigns, part",
		ArgsUsage: "A B",
		Description: `A and B are each a bundle's folder, a campaign (an id, the beginning of one, or last), CAMPAIGN:N for a
kept attempt of it, or a log file, every line of which is an event. Addresses, ids and process numbers are
compared by the order in which they first appear.

EXAMPLES:
   heisen diff good.log bad.log
   heisen diff last:12 last:40
   heisen diff .heisen/20260301-120000-quiet-owl last`,
		BashComplete: completeReferences,
		OnUsageError: onUsageError,
		Flags: []cli.Flag{dirFlag(), jsonFlag(),
			&cli.BoolFlag{Name: "all", Usage: "show both columns whole"}},
		Action: func(c *cli.Context) error { return diff(c, stdout) },
	}
}

func diff(c *cli.Context, stdout io.Writer) error {
	if c.Args().Len() != 2 {
		return usagef("diff takes two attempts, campaigns or log files: heisen diff A B")
	}
	store := campaign.NewStore(c.String(flagDir))
	var sides [2][]interleave.Form
	for i := range sides {
		forms, err := formsOf(store, c.Args().Get(i))
		if err != nil {
			return err
		}
		sides[i] = forms
	}
	d := interleave.Compare(sides[0], sides[1])
	if d == nil {
		return errors.New("diff: one of the two has no recorded order: hunt with --sched on, or with --marker")
	}
	if c.Bool(flagJSON) {
		return reports.WriteJSON(stdout, d)
	}
	return text.Divergence(stdout, d, c.Args().Get(0), c.Args().Get(1), styleFor(stdout), c.Bool("all"))
}

// formsOf reads the orders an argument names: of one attempt, or of a campaign's sample.
func formsOf(store campaign.Store, ref string) ([]interleave.Form, error) {
	if isBundle(ref) {
		return bundleForm(ref)
	}
	if info, err := os.Stat(ref); err == nil && info.Mode().IsRegular() {
		return logForm(ref)
	}
	name, number, one := strings.Cut(ref, ":")
	folder, err := store.Open(name)
	if err != nil {
		return nil, err
	}
	if one {
		return attemptForm(folder, number)
	}
	sample, err := readSample(folder.Path())
	if err != nil {
		return nil, err
	}
	var forms []interleave.Form
	for _, list := range [][]interleave.Observed{sample.Passes, sample.Fails} {
		for _, o := range list {
			forms = append(forms, o.Form)
		}
	}
	return forms, nil
}

func logForm(name string) ([]interleave.Form, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	defer f.Close()
	log, err := io.ReadAll(io.LimitReader(f, mostLog))
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	return []interleave.Form{interleave.Canonical(interleave.FromLines(log))}, nil
}

// bundleForm is a bundle's trace, or where it has none, its output by lines.
func bundleForm(dir string) ([]interleave.Form, error) {
	b, err := bundle.Open(dir)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	trace, err := b.ReadTrace()
	if err != nil {
		return nil, err
	}
	if trace != nil {
		return []interleave.Form{interleave.Canonical(&trace.Trace)}, nil
	}
	output, err := b.Output()
	if err != nil {
		return nil, err
	}
	return []interleave.Form{interleave.Canonical(interleave.FromLines(output))}, nil
}

// attemptForm finds a kept attempt of a campaign by its number.
func attemptForm(folder *campaign.Folder, number string) ([]interleave.Form, error) {
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || seq < 1 {
		return nil, usagef("%q is no number of an attempt: write CAMPAIGN:N, such as last:12", number)
	}
	figures, err := readTally(folder)
	if err != nil {
		return nil, err
	}
	for _, kept := range figures.Bundles() {
		if n, err := strconv.ParseInt(path.Base(kept), 10, 64); err == nil && n == seq && filepath.IsLocal(kept) {
			return bundleForm(filepath.Join(folder.Path(), kept))
		}
	}
	return nil, fmt.Errorf("attempt %d of campaign %s: no bundle was kept of it: see heisen show --json for those that were", seq, folder.ID())
}
