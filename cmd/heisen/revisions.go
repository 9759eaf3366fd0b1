package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"heisen/repro/checkout"
	"heisen/repro/soak"
	"heisen/stress/campaign"
	"heisen/stress/proc/guard"
	"heisen/stress/run"
)

// worktreesFolder is where below a campaign's folder the revisions are checked out while it runs.
const worktreesFolder = "worktrees"

// revisions are the two programs of a soak as revisions of the user's repository.
type revisions struct {
	soak.Revisions
	folder string // the campaign's
}

// tree is where a side is checked out, dir where its command runs.
func (r *revisions) tree(side string) string {
	return filepath.Join(r.folder, worktreesFolder, side)
}
func (r *revisions) dir(side string) string { return filepath.Join(r.tree(side), r.Folder) }

// Names of the sides' folders.
const (
	sideBefore = "before"
	sideAfter  = "after"
)

// byRevision plans a soak of one command in two revisions.
func (p *plan) byRevision(c *cli.Context, stderr io.Writer) (err error) {
	ctx, stop := whileWanted(p.soak.link)
	defer func() {
		if ctx.Err() != nil && err != nil {
			err = coded(exitInterrupted)
		}
		stop()
	}()
	if !c.Args().Present() {
		return usagef("no command to run in both revisions: write it after the flags, as in heisen soak --%s main --%s fix -- ./my.test", flagBeforeRev, flagAfterRev)
	}
	if _, err := applySettings(c, run.Spec{}, false); err != nil {
		return err
	}
	r, err := findRevisions(ctx, c)
	if err != nil {
		return usageError{err}
	}
	if err := p.makeFolder(); err != nil {
		return err
	}
	r.folder, p.revisions = p.made.Path(), r
	sweepWorktrees(ctx, p.store)
	if err := r.checkOut(ctx, stderr); err != nil {
		return err
	}
	if p.spec, err = applyFlags(c, run.Spec{Command: run.Command{Dir: r.dir(sideAfter)}}, false); err != nil {
		return err
	}
	p.complete(c.IsSet(flagSeed))
	if err := p.identify(c, stderr); err != nil {
		return err
	}
	return p.turns(c, c.Args().Slice(), r.dir(sideBefore), stderr)
}

// findRevisions says which commits are meant, before anything is made.
func findRevisions(ctx context.Context, c *cli.Context) (*revisions, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the working folder: %w: go to a folder that exists", err)
	}
	repo, err := checkout.Open(ctx, here)
	if err != nil {
		return nil, err
	}
	r := &revisions{Revisions: soak.Revisions{Repository: repo.Top, Folder: repo.Folder, Build: c.String(flagBuild)}}
	for _, side := range []struct {
		flag string
		into *soak.Revision
	}{{flagBeforeRev, &r.Before}, {flagAfterRev, &r.After}} {
		side.into.Name = c.String(side.flag)
		if side.into.Commit, err = repo.Resolve(ctx, side.into.Name); err != nil {
			return nil, fmt.Errorf("--%s: %w", side.flag, err)
		}
	}
	for _, word := range c.Args().Slice() {
		if filepath.IsAbs(word) && strings.HasPrefix(filepath.Clean(word)+"/", repo.Top+"/") {
			return nil, fmt.Errorf("%s is of your checkout, and both revisions would use it: give it as a path from %s", word, here)
		}
	}
	return r, nil
}

// checkOut puts both revisions where they belong, and builds them. What a killed heisen left there goes first.
func (r *revisions) checkOut(ctx context.Context, stderr io.Writer) error {
	repo := checkout.Repo{Top: r.Repository, Folder: r.Folder}
	for _, side := range []struct {
		name string
		rev  soak.Revision
	}{{sideBefore, r.Before}, {sideAfter, r.After}} {
		err := checkout.Remove(ctx, r.tree(side.name))
		if err == nil {
			err = repo.Add(ctx, r.tree(side.name), side.rev.Commit)
		}
		if err != nil {
			return fmt.Errorf("--%s-rev: %w", side.name, err)
		}
		if info, err := os.Stat(r.dir(side.name)); err != nil || !info.IsDir() {
			return usagef("--%s-rev %s: that revision has no folder %s", side.name, side.rev.Name, r.Folder)
		}
		fmt.Fprintf(stderr, "%s: %s is %.12s\n", side.name, side.rev.Name, side.rev.Commit)
		if err := r.build(ctx, side.name, side.rev); err != nil {
			return err
		}
	}
	return nil
}

// build runs the user's build command in a side's worktree. Its output is kept in the campaign's folder.
func (r *revisions) build(ctx context.Context, side string, rev soak.Revision) error {
	if r.Build == "" {
		return nil
	}
	kept := filepath.Join(r.folder, "build-"+side+".log")
	log, err := os.Create(kept)
	if err != nil {
		return fmt.Errorf("keep the build's output: %w", err)
	}
	defer log.Close()
	if err := checkout.Build(ctx, r.dir(side), words(r.Build), log); err != nil {
		return fmt.Errorf("build %s (%.12s): %w%s: its output is in %s", rev.Name, rev.Commit, err, lastLine(kept), kept)
	}
	return nil
}

// lastLine is what a build said last, in brackets; "" for nothing.
func lastLine(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	last := ""
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if text := strings.TrimSpace(lines.Text()); text != "" {
			last = text
		}
	}
	if last == "" {
		return ""
	}
	return fmt.Sprintf(" (%.200q)", last)
}

// makeFolder makes the campaign before its session, because the worktrees lie there.
func (p *plan) makeFolder() (err error) {
	now := time.Now()
	if p.made, err = p.store.Create(now, rand.Reader, version); err != nil {
		return err
	}
	p.lock, err = p.made.Lock(context.Background(), lockWait, now)
	return err
}

// checkOutAgain gives a resumed soak of two revisions its worktrees back.
func (p *plan) checkOutAgain(stderr io.Writer) error {
	if p.soak == nil {
		return nil
	}
	q, err := readQuestion(p.resumed)
	if err != nil || q.Revisions == nil {
		return err
	}
	p.revisions = &revisions{Revisions: *q.Revisions, folder: p.resumed.Path()}
	ctx, stop := whileWanted(p.soak.link)
	defer stop()
	return p.revisions.checkOut(ctx, stderr)
}

// remove takes the worktrees away; without revisions it does nothing.
func (r *revisions) remove() error {
	if r == nil {
		return nil
	}
	return removeWorktrees(context.Background(), r.folder)
}

func removeWorktrees(ctx context.Context, campaign string) error {
	root := filepath.Join(campaign, worktreesFolder)
	errs := []error{checkout.Remove(ctx, filepath.Join(root, sideBefore)), checkout.Remove(ctx, filepath.Join(root, sideAfter))}
	return errors.Join(append(errs, os.RemoveAll(root))...)
}

// sweepWorktrees removes those of campaigns whose heisen was killed and that nobody has resumed; a resume makes them
// anew. An error is the next sweep's.
func sweepWorktrees(ctx context.Context, store campaign.Store) {
	all, _ := store.List()
	for _, one := range all {
		if one.Err != nil || one.Folder.Running() {
			continue
		}
		if info, err := os.Lstat(filepath.Join(one.Folder.Path(), worktreesFolder)); err == nil && info.IsDir() {
			_ = removeWorktrees(ctx, one.Folder.Path())
		}
	}
}

// pin names the program of a side, whose command runs in dir, by its commit. Files of the worktree are not hashed: they
// are the commit's, or come of its build, which need not give the same bytes twice.
func (r *revisions) pin(of run.Identity, dir string) run.Identity {
	if r == nil {
		return of
	}
	side, commit := sideAfter, r.After.Commit
	if dir == r.dir(sideBefore) {
		side, commit = sideBefore, r.Before.Commit
	}
	hashes := maps.Clone(of.Hashes)
	maps.DeleteFunc(hashes, func(name, _ string) bool { return strings.HasPrefix(name, r.tree(side)+"/") })
	hashes["revision"] = commit
	if r.Build != "" {
		hashes["build"] = r.Build
	}
	of.Hashes = hashes
	return of
}

// whileWanted is a context that ends when the user or the front asks to end; stop gives the link back.
func whileWanted(link *guard.Link) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case c := <-link.Commands():
				switch c := c.(type) {
				case guard.Interrupt, guard.Terminate, guard.Quit, guard.FrontGone:
					cancel()
				case guard.Suspend:
					c.Ack()
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() { cancel(); <-ended }
}
