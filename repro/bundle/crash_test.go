package bundle

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/campaign"
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

func newCampaign(t *testing.T) *campaign.Folder {
	t.Helper()
	f, err := campaign.NewStore(t.TempDir()).Create(time.Now(), rand.Reader, "test")
	require.NoError(t, err)
	return f
}

func TestFault31And41CrashAtEveryPointLeavesAllOrNothing(t *testing.T) {
	points, whole, orphaned := 0, 0, 0
	for n := 1; ; n++ {
		folder := newCampaign(t)
		campaign := folder.Path()
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
		if len(bundlesLeft(t, campaign)) > 0 {
			orphaned++
		}
		// The attempt has no record: a resume clears it away, and the attempt runs again.
		_, err := folder.Collect()
		require.NoError(t, err)
		_, err = folder.DiscardUnknown(nil)
		require.NoError(t, err)
		require.Empty(t, bundlesLeft(t, campaign), "point %d", n)
		_, err = Write(campaign, "abcd/00000007", sample(t))
		require.NoError(t, err)
		require.NoError(t, opened(t, final).Verify())
	}
	require.Greater(t, points, 10)
	require.Greater(t, orphaned, whole, "control: not collected, half-written evidence stays")
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
