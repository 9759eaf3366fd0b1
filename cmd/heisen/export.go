package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"heisen/reports/human"
	"heisen/reports/text"
	"heisen/repro/bundle"
	"heisen/repro/travel"
	"heisen/stress/campaign"
	"heisen/stress/durable"
)

func exportCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "pack a bundle into one file that can leave the house",
		ArgsUsage: "BUNDLE",
		Description: `Without -o it only shows what would leave and what would be masked. What is masked: values of secret-looking
variables of this environment wherever they stand (also in URLs and base64), shapes of passwords and keys,
the name of the home folder, and text that looks random. This is best effort: look before you send.

EXAMPLES:
   heisen export last
   heisen export last -o failure.heisen.tar.zst
   heisen export last --secret hunter2 --keep 'random text' -o failure.heisen.tar.zst`,
		BashComplete: completeReferences,
		OnUsageError: onUsageError,
		Flags: []cli.Flag{dirFlag(),
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write `FILE` (mode 0600)"},
			&cli.StringSliceFlag{Name: "secret", Usage: "mask `VALUE` too"},
			&cli.StringSliceFlag{Name: "keep", Usage: "let what `RULE` finds leave; the preview names the rules"}},
		Action: func(c *cli.Context) error { return export(c, stdout) },
	}
}

func export(c *cli.Context, stdout io.Writer) error {
	ref, err := oneArgument(c, "a bundle, such as last")
	if err != nil {
		return err
	}
	path, err := campaign.NewStore(c.String(flagDir)).ResolveBundle(ref)
	if err != nil {
		return err
	}
	b, err := bundle.Open(path)
	if err != nil {
		return err
	}
	defer b.Close()
	parcel, err := travel.Pack(b, exporter(c.StringSlice("secret")), c.StringSlice("keep"))
	if err != nil {
		return err
	}
	if err := preview(stdout, parcel); err != nil {
		return err
	}
	out := c.String("output")
	if out == "" {
		_, err = fmt.Fprintf(stdout, "\nNothing was written. To write it: heisen export %s -o %s%s\n", ref, filepath.Base(path), travel.Suffix)
		return err
	}
	if _, err := os.Lstat(out); err == nil {
		return usagef("export to %s: it exists: name a new file", out)
	}
	if err := durable.Replace(out, parcel.Write, nil); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "\nwrote %s\nhash %s: tell it to the receiver by another way than the file\n", out, parcel.Hash)
	return err
}

// exporter is who exports here.
func exporter(secrets []string) travel.Facts {
	f := travel.Facts{Environ: os.Environ(), Secrets: secrets}
	f.Home, _ = os.UserHomeDir() // without one nothing names it
	return f
}

// preview shows what would leave.
func preview(w io.Writer, p *travel.Parcel) error {
	size, files := p.Size()
	fmt.Fprintf(w, "would leave: %d files, %s\n", files, human.Bytes(size))
	for _, f := range p.Manifest.Files {
		fmt.Fprintf(w, "  %s  %s\n", text.Escape(f.Path), human.Bytes(f.Size))
	}
	fmt.Fprintf(w, "environment: %d values; of %d other variables the name only\n", len(p.Manifest.Environment.Values), len(p.Manifest.Environment.Names))
	if len(p.Findings) == 0 {
		fmt.Fprintln(w, "masked: nothing was found")
	}
	for _, f := range p.Findings {
		where := text.Escape(f.File)
		if f.Line > 0 {
			where = fmt.Sprintf("%s from line %d", where, f.Line)
		}
		fmt.Fprintf(w, "masked: %s in %s, %d times: %s\n", text.Escape(f.Rule), where, f.Count, f.Why)
	}
	for _, name := range slices.Sorted(maps.Keys(p.LeftOut)) {
		fmt.Fprintf(w, "stays here: %s: %s\n", text.Escape(name), p.LeftOut[name])
	}
	_, err := fmt.Fprintln(w, "Arguments, output and files are strangers' bytes: what masking does not know stays in. Look through them first.")
	return err
}

func importCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "take in a bundle that somebody exported",
		ArgsUsage: "FILE",
		Description: `The file is checked and unpacked; nothing in it is executed. Whatever no export writes is refused whole.

EXAMPLES:
   heisen import failure.heisen.tar.zst
   heisen show .heisen/imported/0123456789abcdef`,
		OnUsageError: onUsageError,
		Flags:        []cli.Flag{dirFlag()},
		Action: func(c *cli.Context) error {
			name, err := oneArgument(c, "a file that heisen export wrote")
			if err != nil {
				return err
			}
			return importBundle(name, c.String(flagDir), stdout)
		},
	}
}

func importBundle(name, dir string, stdout io.Writer) error {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return usageError{fmt.Errorf("import: %w: give a file that heisen export wrote", err)}
	case !info.Mode().IsRegular():
		return usagef("import %s: not an ordinary file: give one that heisen export wrote", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	defer file.Close()
	folder, hash, err := travel.Import(file, dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "imported into %s\nhash %s: compare it with the one the sender told you\n  heisen show %s\n", folder, hash, folder)
	return err
}
