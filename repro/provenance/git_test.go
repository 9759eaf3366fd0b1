package provenance

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// repository makes a real one with one commit, out of reach of the developer's own configuration.
func repository(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "trunk")
	git(t, dir, "config", "user.name", "n")
	git(t, dir, "config", "user.email", "n@example.org")
	put(t, filepath.Join(dir, "a.txt"), "one\n")
	put(t, filepath.Join(dir, "sub/b.txt"), "two\n")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "first")
	return dir
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestReadGit(t *testing.T) {
	dir := repository(t)
	revision := git(t, dir, "rev-parse", "HEAD")[:40]
	ctx := context.Background()
	require.Equal(t, Git{Revision: revision, Branch: "trunk"}, ReadGit(ctx, dir))
	require.Equal(t, Git{Revision: revision, Branch: "trunk"}, ReadGit(ctx, filepath.Join(dir, "sub")))

	put(t, filepath.Join(dir, "untracked"), "x")
	require.False(t, ReadGit(ctx, dir).Dirty)
	put(t, filepath.Join(dir, "a.txt"), "changed\n")
	require.Equal(t, Git{Revision: revision, Branch: "trunk", Dirty: true}, ReadGit(ctx, dir))

	git(t, dir, "checkout", "-q", "--detach")
	require.Equal(t, Git{Revision: revision, Dirty: true}, ReadGit(ctx, dir))
}

func TestReadGitIgnoresAnInheritedRepository(t *testing.T) {
	dir := repository(t)
	t.Setenv("GIT_DIR", filepath.Join(t.TempDir(), "elsewhere"))
	require.Equal(t, "trunk", ReadGit(context.Background(), dir).Branch)
}

func TestReadGitSaysWhyNot(t *testing.T) {
	dir := repository(t)
	require.Contains(t, ReadGit(context.Background(), t.TempDir()).NotCollected, "not a git repository")
	require.NotEmpty(t, ReadGit(context.Background(), filepath.Join(dir, "gone")).NotCollected)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	require.NotEmpty(t, ReadGit(cancelled, dir).NotCollected)
	t.Setenv("PATH", t.TempDir())
	require.Equal(t, Git{NotCollected: "git is not installed"}, ReadGit(context.Background(), dir))
}

// Each case arms one way in which git status runs a program of the repository's choice. Its control is git
// itself, which does run it.
func TestReadGitRunsNothingOfAHostileRepository(t *testing.T) {
	cases := map[string]func(t *testing.T, dir, canary string){
		"file system monitor": func(t *testing.T, dir, canary string) {
			git(t, dir, "config", "core.fsmonitor", canary)
		},
		"clean filter": func(t *testing.T, dir, canary string) {
			put(t, filepath.Join(dir, ".gitattributes"), "*.txt filter=evil\n")
			git(t, dir, "config", "filter.evil.clean", canary)
			git(t, dir, "config", "filter.evil.required", "true")
		},
		"filter process": func(t *testing.T, dir, canary string) {
			put(t, filepath.Join(dir, ".gitattributes"), "*.txt filter=evil\n")
			git(t, dir, "config", "filter.evil.process", canary)
		},
		"filter in an included file": func(t *testing.T, dir, canary string) {
			put(t, filepath.Join(dir, ".gitattributes"), "*.txt filter=evil\n")
			put(t, filepath.Join(dir, ".git/more"), "[filter \"evil\"]\n\tclean = "+canary+"\n")
			git(t, dir, "config", "include.path", "more")
		},
		"filter whose name holds an equals sign": func(t *testing.T, dir, canary string) {
			put(t, filepath.Join(dir, ".gitattributes"), "*.txt filter=e=vil\n")
			put(t, filepath.Join(dir, ".git/more"), "[filter \"e=vil\"]\n\tclean = "+canary+"\n")
			git(t, dir, "config", "include.path", "more")
		},
		"index hook": func(t *testing.T, dir, canary string) {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, ".git/hooks"), 0o755))
			require.NoError(t, os.Symlink(canary, filepath.Join(dir, ".git/hooks/post-index-change")))
		},
	}
	for name, arm := range cases {
		t.Run(name, func(t *testing.T) {
			dir := repository(t)
			ran := filepath.Join(t.TempDir(), "ran")
			canary := put(t, filepath.Join(t.TempDir(), "canary"), "#!/bin/sh\n: >"+ran+"\ncat\n")
			arm(t, dir, canary)
			// The same size and another content: git must read the file, and so would filter it.
			put(t, filepath.Join(dir, "a.txt"), "ONE\n")
			require.NoError(t, os.Chtimes(filepath.Join(dir, "sub/b.txt"), epoch, epoch))

			state := ReadGit(context.Background(), dir)
			require.NoFileExists(t, ran)
			require.True(t, state.Dirty || state.NotCollected != "", "%+v", state)

			control := exec.Command("git", "status", "--porcelain")
			control.Dir = dir
			_ = control.Run() // a filter process that only echoes fails the status
			require.FileExists(t, ran, "the control ran nothing: the case proves nothing")
		})
	}
}
