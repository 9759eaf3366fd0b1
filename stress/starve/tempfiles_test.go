package starve

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// leaves is a test that leaves what its function makes.
type leaves func(dir string)

func (l leaves) Run(a run.Attempt, _ *run.Control) run.Result {
	l(a.Temp)
	return run.Result{}
}

func TestWhatATestLeavesInItsTemporaryFolderIsCounted(t *testing.T) {
	count := func(dir string, l leaves) run.Evidence {
		return Measured(l, &Meter{}).Run(run.Attempt{Seq: 1, Temp: dir}, nil).Evidence
	}
	require.EqualValues(t, 0, count(t.TempDir(), func(string) {}).Signals[run.SigTempFiles])
	require.Contains(t, count(t.TempDir(), func(string) {}).Signals, run.SigTempFiles, "none is a figure")
	require.EqualValues(t, 4, count(t.TempDir(), func(dir string) {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "a/b"), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a/b/c"), nil, 0o600))
		require.NoError(t, os.Symlink("/", filepath.Join(dir, "root")))
	}).Signals[run.SigTempFiles])
	require.NotContains(t, count("", func(string) {}).Signals, run.SigTempFiles)
	gone := count(filepath.Join(t.TempDir(), "gone"), func(string) {})
	require.NotContains(t, gone.Signals, run.SigTempFiles)
	require.Equal(t, whyTempClosed, gone.NotCollected[run.SigTempFiles])
	many := count(t.TempDir(), func(dir string) {
		for i := range mostTempFiles + 5 {
			require.NoError(t, os.Symlink("x", filepath.Join(dir, fmt.Sprint(i))))
		}
	})
	require.EqualValues(t, mostTempFiles, many.Signals[run.SigTempFiles])
	require.Contains(t, many.NotCollected[run.SigTempFiles], "at least")
}
