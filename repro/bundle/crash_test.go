package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/durable"
)

var errCrash = errors.New("crash")

// failAt fails at the nth point that is hit, and counts them.
func failAt(n int, with error, hits *int) func(string) error {
	return func(string) error {
		*hits++
		if *hits == n {
			return with
		}
		return nil
	}
}

// A crash is a panic: none of Write's own cleaning up takes place as it would after an error, apart from
// deferred calls, which only close files.
func crashAt(t *testing.T, campaign string, n int) (crashed bool) {
	hits := 0
	c := sample(t)
	c.Fail = func(string) error {
		if hits++; hits == n {
			panic(errCrash)
		}
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			require.Equal(t, errCrash, r)
			crashed = true
		}
	}()
	_, err := Write(campaign, "abcd/00000007", c)
	require.NoError(t, err)
	return false
}

func TestFault31And41CrashAtEveryPointLeavesAllOrNothing(t *testing.T) {
	points, whole := 0, 0
	for n := 1; ; n++ {
		campaign := t.TempDir()
		crashed := crashAt(t, campaign, n)
		if !crashed {
			break
		}
		points++
		final := filepath.Join(campaign, Folder, "abcd", "00000007")
		if _, err := os.Lstat(final); err == nil {
			require.NoError(t, opened(t, final).Verify(), "point %d", n)
			whole++
		}
		// The attempt has no record: a resume sweeps, and the attempt runs again.
		_, err := Sweep(campaign, func(string) bool { return false })
		require.NoError(t, err)
		require.Empty(t, bundlesLeft(t, campaign), "point %d", n)
		_, err = Write(campaign, "abcd/00000007", sample(t))
		require.NoError(t, err)
		require.NoError(t, opened(t, final).Verify())
	}
	require.Greater(t, points, 10)
	require.NotZero(t, whole, "no crash came after the rename")
	require.Less(t, whole, points, "no crash came before the rename")
}

// bundlesLeft lists what lies in bundles/ and in its folders.
func bundlesLeft(t *testing.T, campaign string) []string {
	t.Helper()
	var left []string
	for _, pattern := range []string{".*", "*/*", "*/.*"} {
		found, err := filepath.Glob(filepath.Join(campaign, Folder, pattern))
		require.NoError(t, err)
		left = append(left, found...)
	}
	return left
}

func TestFault36DiskFullAtEveryPointThenAgain(t *testing.T) {
	for n := 1; ; n++ {
		campaign := t.TempDir()
		c := sample(t)
		hits := 0
		c.Fail = failAt(n, syscall.ENOSPC, &hits)
		_, err := Write(campaign, "abcd/00000007", c)
		if err == nil {
			require.Less(t, hits, n)
			return
		}
		require.True(t, durable.IsNoSpace(err), "%v", err)
		require.ErrorContains(t, err, "free some space")
		for _, left := range bundlesLeft(t, campaign) {
			require.NotContains(t, left, durable.TempPrefix, "point %d", n)
		}
		ref, err := Write(campaign, "abcd/00000007", c) // failAt fails once
		require.NoError(t, err)
		b := opened(t, filepath.Join(campaign, ref.Path))
		require.NoError(t, b.Verify())
		require.Equal(t, 1, b.Manifest.Temp.Files, "the temp folder was lost on the way")
	}
}

func TestAnInterruptedBundleIsReplaced(t *testing.T) {
	dir, ref := written(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "stale"), []byte("x"), 0o600))
	campaign := strings.TrimSuffix(dir, "/"+ref.Path)
	c := sample(t)
	c.Manifest.Epoch = 2
	_, err := Write(campaign, "abcd/00000007", c)
	require.NoError(t, err)
	b := opened(t, dir)
	require.NoError(t, b.Verify())
	require.Equal(t, 2, b.Manifest.Epoch)
	require.Len(t, bundlesLeft(t, campaign), 1)
}

func TestSweepKeepsWhatTheJournalNames(t *testing.T) {
	dir, ref := written(t)
	campaign := strings.TrimSuffix(dir, "/"+ref.Path)
	_, err := Write(campaign, "abcd/00000008", sample(t))
	require.NoError(t, err)
	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "x"), nil, 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(campaign, Folder, ".tmp-planted")))
	require.NoError(t, os.Symlink(outside, filepath.Join(campaign, Folder, "planted")))
	removed, err := Sweep(campaign, func(path string) bool { return path == ref.Path })
	require.NoError(t, err)
	require.Equal(t, 2, removed)
	require.Equal(t, []string{dir}, bundlesLeftReal(t, campaign))
	require.FileExists(t, filepath.Join(outside, "x"))

	removed, err = Sweep(t.TempDir(), nil)
	require.NoError(t, err)
	require.Zero(t, removed)
}

func TestFault51SweepDoesNotFollowAPlantedLink(t *testing.T) {
	campaign := t.TempDir()
	journal := filepath.Join(campaign, "journal", "segment")
	require.NoError(t, os.Mkdir(filepath.Dir(journal), 0o700))
	require.NoError(t, os.WriteFile(journal, nil, 0o600))
	require.NoError(t, os.Symlink(".", filepath.Join(campaign, Folder)))
	_, err := Sweep(campaign, func(string) bool { return false })
	require.FileExists(t, journal)
	require.ErrorContains(t, err, "move it away")
}

// bundlesLeftReal leaves out what a planted link leads to.
func bundlesLeftReal(t *testing.T, campaign string) []string {
	var real []string
	for _, p := range bundlesLeft(t, campaign) {
		if !strings.Contains(p, "planted") {
			real = append(real, p)
		}
	}
	return real
}
