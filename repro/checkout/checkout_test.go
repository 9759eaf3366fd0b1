package checkout_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/repro/checkout"
)

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "git %v: %s", args, out)
	return strings.TrimSpace(string(out))
}

// repository has two commits of a file in a folder; the first is tagged.
func repository(t *testing.T) string {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	for _, name := range []string{"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"} {
		t.Setenv(name, "a@example.com")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	git(t, dir, "init", "-q", "-b", "main")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
	for _, text := range []string{"old", "new"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "sub", "file"), []byte(text), 0o644))
		git(t, dir, "add", ".")
		git(t, dir, "commit", "-q", "-m", text)
		if text == "old" {
			git(t, dir, "tag", "was")
		}
	}
	return dir
}

func TestAddAndRemove(t *testing.T) {
	top := repository(t)
	ctx := t.Context()
	t.Setenv("GIT_DIR", filepath.Join(t.TempDir(), "another")) // as a hook that runs heisen has it
	repo, err := checkout.Open(ctx, filepath.Join(top, "sub"))
	require.NoError(t, err)
	require.Equal(t, checkout.Repo{Top: top, Folder: "sub"}, repo)
	commit, err := repo.Resolve(ctx, "was")
	require.NoError(t, err)
	path := filepath.Join(top, ".heisen", "worktrees", "before")
	require.NoError(t, repo.Add(ctx, path, commit))
	text, err := os.ReadFile(filepath.Join(path, "sub", "file"))
	require.NoError(t, err)
	require.Equal(t, "old", string(text))
	require.NoError(t, os.WriteFile(filepath.Join(path, "built"), nil, 0o644), "removal minds no changes")

	require.NoError(t, checkout.Remove(ctx, path))
	require.NoDirExists(t, path)
	require.NoError(t, checkout.Remove(ctx, path), "twice is no error")
	os.Unsetenv("GIT_DIR")
	require.Len(t, strings.Split(git(t, top, "worktree", "list"), "\n"), 1)

	require.NoError(t, repo.Add(ctx, path, commit))
	require.NoError(t, os.RemoveAll(path)) // by somebody else: git still lists it
	require.NoError(t, repo.Add(ctx, path, commit))
	require.NoError(t, os.Remove(filepath.Join(path, ".git"))) // now it knows its repository no more
	require.NoError(t, checkout.Remove(ctx, path))
	require.NoDirExists(t, path)
	require.FileExists(t, filepath.Join(top, "sub", "file"), "the checkout around it is not the worktree")
}

func TestHostileRevisions(t *testing.T) {
	top := repository(t)
	repo, err := checkout.Open(t.Context(), top)
	require.NoError(t, err)
	require.Equal(t, ".", repo.Folder)
	for _, rev := range []string{"", "-", "--upload-pack=touch pwned", "-f", "--git-dir=/", "a\nb", "\x00", "HEAD:sub/file", "main:sub", "nowhere", "main..was", "^main"} {
		_, err := repo.Resolve(t.Context(), rev)
		require.ErrorContains(t, err, "revision ", "%q", rev)
	}
	for _, commit := range []string{"main", "--detach", "", "abcdef"} {
		require.Error(t, repo.Add(t.Context(), filepath.Join(t.TempDir(), "w"), commit), "only a whole hash is checked out")
	}
	require.NoFileExists(t, filepath.Join(top, "pwned"))
	_, err = checkout.Open(t.Context(), t.TempDir())
	require.ErrorContains(t, err, "go to a folder of its checkout")
}

// TestBuildEndsWithItsContext: what the command started ends with it.
func TestBuildEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	read, write, err := os.Pipe()
	require.NoError(t, err)
	defer read.Close()
	done := make(chan error, 1)
	go func() {
		done <- checkout.Build(ctx, t.TempDir(), []string{"/bin/sh", "-c", "sleep 3600 & echo $!; wait"}, write)
		write.Close()
	}()
	line, err := bufio.NewReader(read).ReadString('\n')
	require.NoError(t, err)
	cancel()
	select {
	case err := <-done:
		require.Error(t, err)
	case <-time.After(time.Minute):
		require.Fail(t, "the build goes on")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, time.Minute, 10*time.Millisecond, "its child is killed")
}
