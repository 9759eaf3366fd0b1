package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const pointsEnv = "HEISEN_TEST_FAILPOINTS"

// TestMain lets the test binary play a process that replaces a file and is killed at a failpoint.
func TestMain(m *testing.M) {
	if spec := os.Getenv(pointsEnv); spec != "" {
		fp, err := ParseFailpoints(spec)
		if err == nil {
			err = WriteFile(os.Args[1], []byte("new content"), fp)
		}
		if err != nil {
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var replaceSteps = []string{"write", "sync", "rename", "syncdir", "done"}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, WriteFile(path, []byte("one"), nil))
	require.Equal(t, "one", content(t, path))
	require.NoError(t, WriteFile(path, []byte("two"), nil))
	require.Equal(t, "two", content(t, path))
	require.Equal(t, []string{"file"}, names(t, filepath.Dir(path)))
}

func TestReplaceInTheWorkingFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, WriteFile("file", []byte("one"), nil))
	require.Equal(t, "one", content(t, "file"))
}

// The steps are taken in the one order that is safe.
func TestReplaceOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var steps []string
	fp := Failpoints(func(name string) error {
		steps = append(steps, name)
		_, err := os.Lstat(path)
		renamed := name == "syncdir" || name == "done"
		require.Equal(t, renamed, err == nil, "at %s", name)
		return nil
	})
	require.NoError(t, WriteFile(path, []byte("x"), fp))
	require.Equal(t, replaceSteps, steps)
}

func TestReplaceThatFails(t *testing.T) {
	boom := errors.New("boom")
	for i, step := range replaceSteps {
		t.Run(step, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			require.NoError(t, WriteFile(path, []byte("old"), nil))
			err := WriteFile(path, []byte("new"), func(name string) error {
				if name == step {
					return boom
				}
				return nil
			})
			require.ErrorIs(t, err, boom)
			require.ErrorContains(t, err, path)
			want := "old"
			if i >= 3 {
				want = "new"
			}
			require.Equal(t, want, content(t, path))
			require.Equal(t, []string{"file"}, names(t, filepath.Dir(path)), "nothing is left beside it")
		})
	}
	t.Run("writer", func(t *testing.T) {
		dir := t.TempDir()
		err := Replace(filepath.Join(dir, "file"), func(io.Writer) error { return boom }, nil)
		require.ErrorIs(t, err, boom)
		require.Empty(t, names(t, dir))
	})
	t.Run("length", func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "file")
		err := Replace(path, func(w io.Writer) error {
			if _, err := io.WriteString(w, "whole"); err != nil {
				return err
			}
			temps, err := filepath.Glob(filepath.Join(dir, TempPrefix+"*"))
			require.NoError(t, err)
			return os.Truncate(temps[0], 2)
		}, nil)
		require.ErrorIs(t, err, ErrLength)
		require.Empty(t, names(t, dir))
	})
	t.Run("no folder", func(t *testing.T) {
		require.ErrorIs(t, WriteFile("/nonexistent/heisen/file", nil, nil), fs.ErrNotExist)
	})
}

func TestFault31ReplaceKilledAtEachStep(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	for i, step := range replaceSteps {
		t.Run(step, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			require.NoError(t, WriteFile(path, []byte("old content"), nil))
			cmd := exec.Command(exe, path)
			cmd.Env = append(os.Environ(), pointsEnv+"="+step+"=kill")
			var exit *exec.ExitError
			require.ErrorAs(t, cmd.Run(), &exit)
			require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal())
			want := "old content"
			if i >= 3 {
				want = "new content"
			}
			require.Equal(t, want, content(t, path))
			for _, name := range names(t, filepath.Dir(path)) {
				require.True(t, name == "file" || strings.HasPrefix(name, TempPrefix), name)
			}
		})
	}
}

func TestFault50ModesWhateverTheUmask(t *testing.T) {
	for _, mask := range []int{0, 0o777} {
		dir := t.TempDir()
		old := unix.Umask(mask)
		err := errors.Join(
			WriteFile(filepath.Join(dir, "file"), nil, nil),
			MkdirAll(filepath.Join(dir, "a", "b")),
		)
		f, createErr := CreateFile(filepath.Join(dir, "created"))
		unix.Umask(old)
		require.NoError(t, err)
		require.NoError(t, createErr)
		require.NoError(t, f.Close())
		for name, want := range map[string]os.FileMode{"file": 0o600, "created": 0o600, "a": 0o700, "a/b": 0o700} {
			info, err := os.Stat(filepath.Join(dir, name))
			require.NoError(t, err)
			require.Equal(t, want, info.Mode().Perm(), name)
		}
	}
}

// TestFault50Control: made in the usual way, a file has what the umask leaves.
func TestFault50Control(t *testing.T) {
	for mask, want := range map[int]os.FileMode{0: 0o666, 0o777: 0} {
		path := filepath.Join(t.TempDir(), "file")
		old := unix.Umask(mask)
		err := os.WriteFile(path, nil, 0o666)
		unix.Umask(old)
		require.NoError(t, err)
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode().Perm())
	}
}

func TestCreateFileDoesNotFollow(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(dir, "target"), filepath.Join(dir, "link")))
	_, err := CreateFile(filepath.Join(dir, "link"))
	require.ErrorIs(t, err, fs.ErrExist)
	require.NoFileExists(t, filepath.Join(dir, "target"))
}

func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, MkdirAll(dir))
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o755), info.Mode().Perm(), "a folder that exists keeps its mode")
	require.ErrorIs(t, Mkdir(dir), fs.ErrExist)
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.ErrorContains(t, MkdirAll(file), "a file is in the way")
	require.Error(t, MkdirAll(filepath.Join(file, "below")))
}

func TestPublishDir(t *testing.T) {
	dir := t.TempDir()
	temp, final := filepath.Join(dir, TempPrefix+"x"), filepath.Join(dir, "final")
	require.NoError(t, MkdirAll(filepath.Join(temp, "deep")))
	require.NoError(t, os.WriteFile(filepath.Join(temp, "deep", "file"), []byte("x"), 0o600))
	require.NoError(t, os.Symlink("/nonexistent", filepath.Join(temp, "link")))
	require.NoError(t, unix.Mkfifo(filepath.Join(temp, "fifo"), 0o600), "opening one would block for ever")
	var steps []string
	require.NoError(t, PublishDir(temp, final, func(name string) error {
		steps = append(steps, name)
		_, err := os.Lstat(final)
		require.Equal(t, name == "syncdir" || name == "done", err == nil, "at %s", name)
		return nil
	}))
	require.Equal(t, []string{"sync", "rename", "syncdir", "done"}, steps)
	require.Equal(t, "x", content(t, filepath.Join(final, "deep", "file")))
	require.NoDirExists(t, temp)

	require.NoError(t, os.Mkdir(temp, 0o700))
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.Mkdir(empty, 0o700))
	for _, taken := range []string{final, empty} {
		require.ErrorIs(t, PublishDir(temp, taken, nil), fs.ErrExist)
	}
	require.DirExists(t, temp)
	boom := errors.New("boom")
	require.ErrorIs(t, PublishDir(temp, filepath.Join(dir, "other"), func(string) error { return boom }), boom)
	require.NoDirExists(t, filepath.Join(dir, "other"))
}

func TestDatasync(t *testing.T) {
	f, err := CreateFile(filepath.Join(t.TempDir(), "f"))
	require.NoError(t, err)
	require.NoError(t, Datasync(f))
	require.NoError(t, f.Close())
	require.Error(t, Datasync(f))
}

func TestErrorClasses(t *testing.T) {
	wrap := func(err error) error { return &fs.PathError{Op: "write", Path: "x", Err: err} }
	require.True(t, IsNoSpace(wrap(syscall.ENOSPC)))
	require.True(t, IsNoSpace(wrap(syscall.EDQUOT)))
	require.False(t, IsNoSpace(wrap(syscall.EIO)))
	require.True(t, IsReadOnly(wrap(syscall.EROFS)))
	require.False(t, IsReadOnly(nil))
}

func TestFailpoints(t *testing.T) {
	var none Failpoints
	require.NoError(t, none.Hit("anything"))
	require.Nil(t, none.Under("x"))
	for _, empty := range []string{"", "  "} {
		fp, err := ParseFailpoints(empty)
		require.NoError(t, err)
		require.Nil(t, fp)
	}
	fp, err := ParseFailpoints("a=EIO@2, b=ENOSPC@2+,c.d=EROFS,a=EDQUOT@4")
	require.NoError(t, err)
	hits := func(name string, n int) (errs []error) {
		for range n {
			err := fp.Hit(name)
			if err != nil {
				require.ErrorContains(t, err, "failpoint "+name)
			}
			errs = append(errs, errors.Unwrap(err))
		}
		return errs
	}
	require.Equal(t, []error{nil, unix.EIO, nil, unix.EDQUOT, nil}, hits("a", 5))
	require.Equal(t, []error{nil, unix.ENOSPC, unix.ENOSPC}, hits("b", 3))
	require.Equal(t, []error{nil}, hits("d", 1))
	require.ErrorIs(t, fp.Under("c").Hit("d"), unix.EROFS)
}

func TestFailpointsThatBlock(t *testing.T) {
	fp, err := ParseFailpoints("a=block@2")
	require.NoError(t, err)
	require.NoError(t, fp.Hit("a"))
	var passed atomic.Bool
	entered := make(chan struct{})
	go func() {
		close(entered)
		_ = fp.Hit("a")
		passed.Store(true)
	}()
	<-entered
	require.NoError(t, fp.Hit("b"))
	require.False(t, passed.Load())
}

func TestFailpointsThatMakeNoSense(t *testing.T) {
	for text, want := range map[string]string{
		"a":          "want NAME=ACTION",
		"=kill":      "want NAME=ACTION",
		"a=":         "unknown action",
		"a=explode":  "unknown action",
		"a=kill@0":   "not a number from 1",
		"a=kill@-1":  "not a number from 1",
		"a=kill@x":   "not a number from 1",
		"a=kill@":    "not a number from 1",
		"a=kill,,b":  "want NAME=ACTION",
		"a=kill@1++": "not a number from 1",
	} {
		_, err := ParseFailpoints(text)
		require.ErrorContains(t, err, want, text)
	}
}
