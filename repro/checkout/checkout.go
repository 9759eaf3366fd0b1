// Package checkout puts revisions of a git repository into worktrees of their own, and takes them away again. The
// user's checkout, index and branches stay as they are, and no hook of the repository runs.
package checkout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Repo is a repository with a checkout.
type Repo struct {
	// Top is the checkout's top folder, absolute; Folder is where below it Open looked, "" for the top itself.
	Top, Folder string
}

// Open finds the repository around a folder.
func Open(ctx context.Context, dir string) (Repo, error) {
	out, err := git(ctx, dir, "rev-parse", "--show-toplevel", "--show-prefix")
	top, folder, ok := strings.Cut(out, "\n")
	if err == nil && (!ok || !filepath.IsAbs(top)) {
		err = errors.New("it has no checkout")
	}
	if err != nil {
		return Repo{}, fmt.Errorf("find the git repository of %s: %w: go to a folder of its checkout", dir, err)
	}
	return Repo{Top: top, Folder: filepath.Clean("./" + strings.TrimSpace(folder))}, nil
}

// Resolve is the full hash of the commit that a revision names. What git could take for an option is refused before git
// sees it.
func (r Repo) Resolve(ctx context.Context, rev string) (string, error) {
	unprintable := func(c rune) bool { return c < ' ' || c == 0x7f }
	if rev == "" || strings.HasPrefix(rev, "-") || strings.ContainsFunc(rev, unprintable) {
		return "", fmt.Errorf("revision %q: no name of a commit: give a branch, a tag or a hash", rev)
	}
	hash, err := git(ctx, r.Top, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil || !isHash(hash) {
		return "", fmt.Errorf("revision %q: no commit of %s: see git log", rev, r.Top)
	}
	return hash, nil
}

func isHash(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// Add checks a commit out into a new folder, detached.
func (r Repo) Add(ctx context.Context, path, commit string) error {
	if !isHash(commit) {
		return fmt.Errorf("check out %q: no full hash of a commit", commit)
	}
	if _, err := git(ctx, r.Top, "worktree", "add", "--quiet", "--detach", "--force", path, commit); err != nil {
		return fmt.Errorf("check out %.12s into %s: %w", commit, path, err)
	}
	return nil
}

// Remove takes a worktree away, with all that was made in it, and its entry in the repository. One that is not there is
// no error.
func Remove(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	// The worktree itself knows its repository; what is left of a killed heisen may know none.
	if common, err := git(ctx, path, "rev-parse", "--path-format=absolute", "--git-common-dir"); err == nil {
		_, _ = git(ctx, path, "--git-dir="+common, "worktree", "remove", "--force", "--force", path)
	}
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("remove the worktree %s: %w: remove it by hand, then git worktree prune", path, err)
	}
	return nil
}

// git runs git in a folder and returns what it says, without the last line's end.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	safe := []string{"--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull, "-c", "advice.detachedHead=false"}
	cmd := exec.CommandContext(ctx, "git", append(safe, args...)...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, append(Environ(os.Environ()), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0"), time.Second
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if lines := strings.Split(strings.TrimSpace(said.String()), "\n"); lines[0] != "" {
			err = errors.New(strings.TrimPrefix(lines[len(lines)-1], "fatal: "))
		}
		return "", fmt.Errorf("git: %w", err)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// Environ leaves out what ties git to one repository (git rev-parse --local-env-vars): set by a hook that runs heisen, it
// would answer for another one.
func Environ(environ []string) []string {
	local := []string{"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT", "GIT_OBJECT_DIRECTORY", "GIT_DIR",
		"GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE", "GIT_INDEX_FILE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE",
		"GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_COMMON_DIR", "GIT_INTERNAL_SUPER_PREFIX"}
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(local, name)
	})
}
