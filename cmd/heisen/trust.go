package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"heisen/reports/text"
	"heisen/repro/bundle"
	"heisen/repro/provenance"
	"heisen/repro/replay"
	"heisen/stress/campaign"
	"heisen/stress/journal"
	"heisen/stress/run"
)

// consent is asked for in the front, which has the terminal: it gives the supervisor's command line. Bundles that
// campaigns of --dir made need none.
func consent(c *cli.Context, stderr io.Writer) ([]string, error) {
	if c.IsSet(flagResume) {
		return os.Args, nil // it was given then, for that hash
	}
	state, err := askedOf(c)
	if err != nil {
		return nil, err
	}
	b, err := openVerified(state.Bundle)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	own, err := isOwn(c.String(flagDir), b)
	if err != nil || own {
		return os.Args, err
	}
	recipe, err := replay.Read(b)
	if err != nil {
		return nil, err
	}
	showForeign(stderr, b, recipe, &state)
	switch hash := c.String(flagTrust); {
	case hash == b.Hash:
		return os.Args, nil
	case hash != "":
		return nil, usagef("--trust %s: the bundle's hash is %s: nothing was run", hash, b.Hash)
	case !term.IsTerminal(int(os.Stdin.Fd())):
		return nil, usagef("nothing was run: the bundle is from elsewhere; look at what it would run (above), then add --trust %s", b.Hash)
	}
	fmt.Fprint(stderr, "Run this here, with your rights? [y/N] ")
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return nil, usagef("nothing was run")
	}
	return append(slices.Clone(os.Args), "--"+flagTrust, b.Hash), nil
}

func openVerified(path string) (*bundle.Bundle, error) {
	b, err := bundle.Open(path)
	if err != nil {
		return nil, err
	}
	if err := b.Verify(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// openTrusted opens the bundle that is to be replayed, in the process that will run it: what was agreed to a moment
// ago may have been changed since.
func openTrusted(c *cli.Context, s *reproState) (*bundle.Bundle, error) {
	b, err := openVerified(s.Bundle)
	if err != nil {
		return nil, err
	}
	own, err := isOwn(c.String(flagDir), b)
	switch {
	case err != nil:
	case s.Hash != "" && s.Hash != b.Hash:
		err = fmt.Errorf("replay %s: it was changed since: replay it anew", s.Bundle)
	case s.Hash == "" && !own && c.String(flagTrust) != b.Hash:
		err = usagef("replay %s: it is from elsewhere and was not agreed to: nothing was run", s.Bundle)
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	s.Hash, s.Trusted = b.Hash, !own
	return b, nil
}

// campaignOf gives the campaign in whose folder a bundle lies: CAMPAIGN/bundles/SIGNATURE/ATTEMPT.
func campaignOf(path string) (*campaign.Folder, bool) {
	top := filepath.Dir(filepath.Dir(filepath.Dir(path)))
	folder, err := campaign.NewStore(filepath.Dir(top)).Open(filepath.Base(top))
	return folder, err == nil
}

// isOwn tells whether a campaign in dir has this very bundle, by its hash, in its journal.
func isOwn(dir string, b *bundle.Bundle) (bool, error) {
	folder, ok := campaignOf(b.Path())
	if !ok || !within(dir, folder.Path()) {
		return false, nil
	}
	place, err := filepath.Rel(folder.Path(), b.Path())
	if err != nil {
		return false, nil
	}
	found := false
	_, err = journal.ReadAll(folder.Journal(), func(line []byte) error {
		event, err := run.Decode(line)
		if fin, ok := event.(run.Finished); ok && err == nil && fin.Filed != nil {
			found = found || fin.Filed.Bundle == filepath.ToSlash(place) && fin.Filed.Hash == b.Hash
		}
		return nil
	})
	return found, err
}

func within(dir, path string) bool {
	dir, err := filepath.Abs(dir)
	return err == nil && filepath.Dir(path) == dir
}

// showForeign shows all that a bundle from elsewhere would have run.
func showForeign(w io.Writer, b *bundle.Bundle, r *replay.Recipe, s *reproState) {
	cmd := r.Spec.Command
	if len(s.Cmd) > 0 {
		cmd.Args, cmd.Path = s.Cmd, s.Cmd[0]
	}
	fmt.Fprintf(w, "This bundle was made elsewhere. It would run, with your rights and no sandbox:\n  command   %s\n  program   %s\n  folder    %s\n",
		text.QuoteAll(cmd.Args), text.Quote(cmd.Path), text.Quote(cmd.Dir))
	kept, dropped := replay.Safe(cmd.Env)
	if s.TrustEnv {
		kept, dropped = cmd.Env, nil
	}
	for _, entry := range kept {
		fmt.Fprintf(w, "  set       %s\n", text.Quote(entry))
	}
	for _, name := range dropped {
		fmt.Fprintf(w, "  not set   %s\n", text.Quote(name))
	}
	here := provenance.Identify(cmd).Hashes
	for _, path := range slices.Sorted(maps.Keys(b.Manifest.Hashes)) {
		note := "the same here"
		if was := b.Manifest.Hashes[path]; here[path] != was {
			note = "not the same here"
		}
		fmt.Fprintf(w, "  sha256    %s %s (%s)\n", text.Escape(b.Manifest.Hashes[path]), text.Quote(path), note)
	}
	if r.Plan != nil {
		fmt.Fprintf(w, "  schedule  %d holds by %s\n", len(r.Plan.Decisions), text.Escape(r.Plan.Strategy))
	}
	fmt.Fprintf(w, "  hash      %s (of the bundle's manifest: compare it with the sender's)\n", b.Hash)
}
