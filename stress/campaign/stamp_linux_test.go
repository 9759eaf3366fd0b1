package campaign

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// stamped prepares slot 7 until its folder's stamp is good: the clock must have gone on since it was made.
func stamped(t *testing.T) (*Temp, string) {
	t.Helper()
	temp, _ := newTemp(t)
	path, err := temp.Prepare(7)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		require.NoError(t, temp.Release(7))
		return temp.seen.untouched(temp.root, "7")
	}, time.Minute, time.Millisecond, "on a local file system an empty folder is remembered")
	return temp, path
}

// TestTouchedFoldersAreListedAgain changes a folder that is known to be empty, in all the ways it can be, at
// once after it was looked at.
func TestTouchedFoldersAreListedAgain(t *testing.T) {
	file := func(t *testing.T, path string) {
		require.NoError(t, os.WriteFile(filepath.Join(path, "a"), nil, 0o600))
	}
	cases := map[string]func(t *testing.T, path string){
		"a file":   file,
		"a folder": func(t *testing.T, path string) { require.NoError(t, os.Mkdir(filepath.Join(path, "a"), 0)) },
		"a link":   func(t *testing.T, path string) { require.NoError(t, os.Symlink("/", filepath.Join(path, "a"))) },
		"its mode": func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o755)) },
		"its time set back": func(t *testing.T, path string) {
			before, err := os.Stat(path)
			require.NoError(t, err)
			file(t, path)
			require.NoError(t, os.Chtimes(path, before.ModTime(), before.ModTime()))
		},
		"another in its place": func(t *testing.T, path string) {
			require.NoError(t, os.Rename(path, path+"x"))
			require.NoError(t, os.Mkdir(path, 0o700))
			file(t, path)
		},
		"a link in its place": func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Symlink(t.TempDir(), path))
		},
	}
	for name, touch := range cases {
		for _, step := range []string{"prepare", "release and prepare"} {
			t.Run(name+", "+step, func(t *testing.T) {
				temp, path := stamped(t)
				touch(t, path)
				require.False(t, temp.seen.untouched(temp.root, "7"))
				if step != "prepare" {
					require.NoError(t, temp.Release(7))
				}
				again, err := temp.Prepare(7)
				require.NoError(t, err)
				requireReady(t, again)
			})
		}
	}
}

// TestAStampNeedsATick makes a folder and looks at it before the clock of the file system can have gone on: a file
// made in that moment could have the same time, so the folder must not be remembered.
func TestAStampNeedsATick(t *testing.T) {
	temp, _ := newTemp(t)
	for try := range 1000 {
		slot := try + 1
		_, err := temp.Prepare(slot)
		require.NoError(t, err)
		for name, seen := range temp.seen.of {
			var now unix.Timespec
			require.NoError(t, unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &now))
			require.Less(t, seen.ctime.Nano(), now.Nano(), "slot %s", name)
		}
	}
}

// TestStampsOfOtherFileSystems does not trust times that may be another machine's.
// A folder that cannot be opened for want of descriptors is not somebody else's.
func TestFault17AFolderThatCannotBeLookedAt(t *testing.T) {
	temp, _ := stamped(t)
	require.NoError(t, os.Mkdir(filepath.Join(temp.Root(), "8"), 0o700))
	var before unix.Rlimit
	require.NoError(t, unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &before))
	require.NoError(t, unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: before.Max}, nil))
	ready, err := temp.seen.ready(temp.root, "8")
	require.NoError(t, unix.Prlimit(0, unix.RLIMIT_NOFILE, &before, nil))
	require.False(t, ready)
	require.NotEmpty(t, run.FaultOf(err), "%v: the machine's fault is waited out", err)

	ready, err = temp.seen.ready(temp.root, "8")
	require.NoError(t, err)
	require.True(t, ready)
}

func TestStampsOfOtherFileSystems(t *testing.T) {
	temp, path := stamped(t)
	temp.seen.local = false
	require.NoError(t, os.WriteFile(filepath.Join(path, "a"), nil, 0o600))
	require.NoError(t, temp.Release(7))
	_, err := temp.Prepare(7)
	require.NoError(t, err)
	require.False(t, temp.seen.untouched(temp.root, "7"))
	proc, err := os.Open("/proc")
	require.NoError(t, err)
	defer proc.Close()
	require.False(t, newStamps(proc).local)
}
