package campaign

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// fastDir is a temporary folder in memory where the machine has one: these tests make thousands of folders.
func fastDir(t *testing.T) string {
	if dir, err := os.MkdirTemp("/dev/shm", "heisen-campaign-"); err == nil {
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
		return dir
	}
	return t.TempDir()
}

// newTemp makes a root in a temporary folder of the test's own.
func newTemp(t *testing.T) (*Temp, *Folder) {
	t.Helper()
	t.Setenv("TMPDIR", fastDir(t))
	f := create(t, NewStore(filepath.Join(fastDir(t), "store")), 1)
	temp, err := f.NewTemp(rand.Reader)
	require.NoError(t, err)
	return temp, f
}

func requireReady(t *testing.T, path string) {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.Equal(t, os.ModeDir|0o700, info.Mode())
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestTempLife(t *testing.T) {
	temp, f := newTemp(t)
	require.Regexp(t, `/heisen-[0-9a-f]{8}$`, temp.Root())
	require.Equal(t, temp.Root(), f.Meta().TempRoot)
	reopened, err := openFolder(f.Path())
	require.NoError(t, err)
	require.Equal(t, temp.Root(), reopened.Meta().TempRoot, "a resume can find it")

	path, err := temp.Prepare(7)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(temp.Root(), "7"), path)
	requireReady(t, path)
	require.NoError(t, os.WriteFile(filepath.Join(path, "a"), nil, 0o600))
	require.NoError(t, temp.Release(7))
	path, err = temp.Prepare(7)
	require.NoError(t, err)
	requireReady(t, path)

	require.NoError(t, temp.Close())
	require.NoDirExists(t, temp.Root())
	require.Empty(t, f.Meta().TempRoot)
}

func TestPrepareUsesTheFolderAgain(t *testing.T) {
	temp, _ := newTemp(t)
	defer temp.Close()
	path, err := temp.Prepare(0)
	require.NoError(t, err)
	inode := func() uint64 {
		var st unix.Stat_t
		require.NoError(t, unix.Lstat(path, &st))
		return st.Ino
	}
	keep, err := os.Open(path) // so that the inode's number is not given to another
	require.NoError(t, err)
	defer keep.Close()
	first := inode()
	require.NoError(t, temp.Release(0))
	_, err = temp.Prepare(0)
	require.NoError(t, err)
	require.Equal(t, first, inode())
	require.NoError(t, os.Mkdir(filepath.Join(path, "x"), 0o700))
	_, err = temp.Prepare(0)
	require.NoError(t, err)
	require.NotEqual(t, first, inode(), "one that is not empty is not used again")
	requireReady(t, path)
}

// Each mess is what a test may leave; after it the slot's folder must be as new, and what is outside
// untouched.
var messes = map[string]func(path, outside string) error{
	"gone":               func(path, _ string) error { return os.Remove(path) },
	"a file":             func(path, _ string) error { os.Remove(path); return os.WriteFile(path, nil, 0o600) },
	"fault 51: a link":   func(path, outside string) error { os.Remove(path); return os.Symlink(outside, path) },
	"other mode":         func(path, _ string) error { return os.Chmod(path, 0o777) },
	"no rights":          func(path, _ string) error { return os.Chmod(path, 0) },
	"sticky":             func(path, _ string) error { return os.Chmod(path, 0o700|os.ModeSticky) },
	"fifo":               func(path, _ string) error { return unix.Mkfifo(filepath.Join(path, "fifo"), 0o600) },
	"long name":          func(path, _ string) error { return os.WriteFile(filepath.Join(path, strings.Repeat("n", 255)), nil, 0) },
	"odd names":          func(path, _ string) error { return os.WriteFile(filepath.Join(path, "\xff\n\x1b]0;x\a"), nil, 0) },
	"read-only file":     func(path, _ string) error { return os.WriteFile(filepath.Join(path, "ro"), nil, 0o400) },
	"names like a sweep": func(path, _ string) error { return os.MkdirAll(filepath.Join(path, ".moved-1/x/y"), 0o700) },
	"links in it": func(path, outside string) error {
		if err := os.Symlink(outside, filepath.Join(path, "folder")); err != nil {
			return err
		}
		return os.Symlink(filepath.Join(outside, "precious"), filepath.Join(path, "file"))
	},
	"a link to it all": func(path, outside string) error {
		return os.Symlink(filepath.Dir(path), filepath.Join(path, "loop"))
	},
	"folders without rights": func(path, _ string) error {
		deep := filepath.Join(path, "a", "b", "c")
		if err := os.MkdirAll(deep, 0o700); err != nil {
			return err
		}
		for dir := deep; dir != path; dir = filepath.Dir(dir) {
			if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0); err != nil {
				return err
			}
			if err := os.Chmod(dir, 0); err != nil {
				return err
			}
		}
		return os.Chmod(path, 0)
	},
	"a deep tree": func(path, _ string) error {
		at, err := os.Open(path)
		if err != nil {
			return err
		}
		for range 3000 {
			// Deeper than any path can say: PATH_MAX is 4096.
			if err := unix.Mkdirat(int(at.Fd()), "dd", 0o700); err != nil {
				return err
			}
			fd, err := unix.Openat(int(at.Fd()), "dd", unix.O_DIRECTORY, 0)
			if err != nil {
				return err
			}
			at.Close()
			at = os.NewFile(uintptr(fd), "dd")
		}
		return at.Close()
	},
	"a wide tree": func(path, _ string) error {
		for i := range 3000 {
			dir := filepath.Join(path, fmt.Sprint(i%3), fmt.Sprint(i))
			if err := os.MkdirAll(dir, 0o500|0o200); err != nil {
				return err
			}
		}
		return nil
	},
	"a unix socket": func(path, _ string) error {
		l, err := net.Listen("unix", filepath.Join(path, "s"))
		if err != nil {
			return err
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		return l.Close()
	},
}

func TestReleaseCopesWithAnything(t *testing.T) {
	for name, mess := range messes {
		for _, release := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, released %v", name, release), func(t *testing.T) {
				temp, _ := newTemp(t)
				outside := fastDir(t)
				precious := filepath.Join(outside, "precious")
				require.NoError(t, os.WriteFile(precious, []byte("precious"), 0o640))
				path, err := temp.Prepare(1)
				require.NoError(t, err)
				require.NoError(t, mess(path, outside))
				if release {
					require.NoError(t, temp.Release(1))
				}
				path, err = temp.Prepare(1)
				require.NoError(t, err)
				requireReady(t, path)
				entries, err := os.ReadDir(temp.Root())
				require.NoError(t, err)
				require.Len(t, entries, 1, "nothing was left beside it")
				require.NoError(t, mess(path, outside))
				require.NoError(t, temp.Close())
				require.NoDirExists(t, temp.Root())
				info, err := os.Lstat(precious)
				require.NoError(t, err)
				require.Equal(t, os.FileMode(0o640), info.Mode())
				info, err = os.Lstat(outside)
				require.NoError(t, err)
				require.NotEqual(t, os.FileMode(0), info.Mode().Perm())
			})
		}
	}
}

func TestReleaseReportsMounts(t *testing.T) {
	temp, _ := newTemp(t)
	path, err := temp.Prepare(1)
	require.NoError(t, err)
	outside := t.TempDir()
	precious := filepath.Join(outside, "precious")
	require.NoError(t, os.WriteFile(precious, nil, 0o600))
	mount := filepath.Join(path, "a", "mnt")
	require.NoError(t, os.MkdirAll(mount, 0o700))
	if err := unix.Mount(outside, mount, "", unix.MS_BIND, ""); err != nil {
		require.NoError(t, temp.Close())
		t.Skipf("cannot mount: %v: run as root with CAP_SYS_ADMIN", err)
	}
	unmount := func() {
		for _, pattern := range []string{"*/a/mnt", "*/.moved-*/mnt", ".moved-*/mnt"} {
			found, err := filepath.Glob(filepath.Join(temp.Root(), pattern))
			require.NoError(t, err)
			for _, at := range found {
				_ = unix.Unmount(at, unix.MNT_DETACH)
			}
		}
	}
	t.Cleanup(unmount)
	err = temp.Release(1)
	require.ErrorIs(t, err, unix.EBUSY)
	require.ErrorContains(t, err, "mnt")
	require.FileExists(t, precious, "what is mounted is never entered")
	_, err = temp.Prepare(1)
	require.ErrorIs(t, err, unix.EBUSY)
	require.Error(t, temp.Close())
	require.FileExists(t, precious)
	require.DirExists(t, temp.Root(), "what cannot be removed does not leave the root")
	unmount()
	_, err = temp.folder.Collect()
	require.NoError(t, err, "the root stayed known, and goes now")
	require.NoDirExists(t, temp.Root())
	require.FileExists(t, precious)
}

func TestFault41OrphanedRootIsCollected(t *testing.T) {
	temp, f := newTemp(t)
	path, err := temp.Prepare(3)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(path, "left"), nil, 0))
	require.NoError(t, temp.root.Close()) // as a killed session leaves it

	resumed, err := openFolder(f.Path())
	require.NoError(t, err)
	_, err = resumed.NewTemp(rand.Reader)
	require.ErrorContains(t, err, "collect first")
	require.FileExists(t, filepath.Join(path, "left"), "control: nothing else takes it away")
	c, err := resumed.Collect()
	require.NoError(t, err)
	require.Equal(t, temp.Root(), c.TempRoot)
	require.NoDirExists(t, temp.Root())
	second, err := resumed.NewTemp(rand.Reader)
	require.NoError(t, err)
	require.NoError(t, second.Close())
}

func TestFault51OrphanThatIsNotOursIsLeftAlone(t *testing.T) {
	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "precious"), nil, 0o600))
	at := func(name string) string { return filepath.Join(t.TempDir(), name) }
	for name, plant := range map[string]func(t *testing.T) string{
		"a link": func(t *testing.T) string {
			path := at("heisen-00000001")
			require.NoError(t, os.Symlink(outside, path))
			return path
		},
		"open to others": func(t *testing.T) string {
			path := at("heisen-00000002")
			require.NoError(t, os.Mkdir(path, 0o700))
			require.NoError(t, os.Chmod(path, 0o777))
			return path
		},
		"a file": func(t *testing.T) string {
			path := at("heisen-00000003")
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			return path
		},
		"of another user": func(t *testing.T) string {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a folder away")
			}
			path := at("heisen-00000004")
			require.NoError(t, os.Mkdir(path, 0o700))
			require.NoError(t, os.Chown(path, 65534, 65534))
			return path
		},
		"a name that is not ours": func(t *testing.T) string { return outside },
		"a relative path":         func(t *testing.T) string { return "heisen-00000005" },
	} {
		t.Run(name, func(t *testing.T) {
			f := create(t, newStore(t), 1)
			path := plant(t)
			require.NoError(t, f.setTempRoot(path))
			_, err := f.Collect()
			require.ErrorIs(t, err, ErrForeign)
			require.FileExists(t, filepath.Join(outside, "precious"))
			if filepath.IsAbs(path) {
				_, err = os.Lstat(path)
				require.NoError(t, err)
			}
		})
	}
}

func TestRootNameThatIsTaken(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	require.NoError(t, os.Symlink("/etc", filepath.Join(os.TempDir(), "heisen-00000000")))
	f := create(t, newStore(t), 1)
	temp, err := f.NewTemp(bytes.NewReader([]byte{0, 0, 0, 0, 0, 0, 0, 1}))
	require.NoError(t, err)
	require.Equal(t, "heisen-00000001", filepath.Base(temp.Root()))
	require.NoError(t, temp.Close())
}

func TestNoRootIsRememberedThatWasNotMade(t *testing.T) {
	f := create(t, newStore(t), 1)
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	_, err := f.NewTemp(rand.Reader)
	require.ErrorIs(t, err, os.ErrNotExist)
	reopened, err := openFolder(f.Path())
	require.NoError(t, err)
	require.Empty(t, reopened.Meta().TempRoot)
}

func TestSlotsAreIndependent(t *testing.T) {
	temp, _ := newTemp(t)
	var wg sync.WaitGroup
	for slot := range 8 {
		wg.Go(func() {
			for range 20 {
				path, err := temp.Prepare(slot)
				require.NoError(t, err)
				require.NoError(t, os.MkdirAll(filepath.Join(path, "a", "b", "c"), 0o700))
				require.NoError(t, temp.Release(slot))
			}
		})
	}
	wg.Wait()
	require.NoError(t, temp.Close())
}

func TestFault50ModesWhateverTheUmask(t *testing.T) {
	for _, mask := range []int{0, 0o777} {
		t.Run(fmt.Sprintf("%#o", mask), func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			store := newStore(t)
			old := unix.Umask(mask)
			defer unix.Umask(old)
			f, err := store.Create(someTime, rand.Reader, "v1")
			require.NoError(t, err)
			lock, err := f.Lock(t.Context(), 0, someTime)
			require.NoError(t, err)
			defer lock.Unlock()
			temp, err := f.NewTemp(rand.Reader)
			require.NoError(t, err)
			slot, err := temp.Prepare(1)
			require.NoError(t, err)
			for path, want := range map[string]os.FileMode{
				store.Dir(): 0o700, f.Path(): 0o700, f.Bundles(): 0o700, temp.Root(): 0o700, slot: 0o700,
				f.metaFile(): 0o600, f.LockFile(): 0o600,
			} {
				info, err := os.Lstat(path)
				require.NoError(t, err)
				require.Equal(t, want, info.Mode().Perm(), path)
			}
			require.NoError(t, temp.Close())
		})
	}
}

func BenchmarkPrepareAndRelease(b *testing.B) {
	b.Setenv("TMPDIR", b.TempDir())
	f, err := NewStore(b.TempDir()).Create(someTime, rand.Reader, "v1")
	require.NoError(b, err)
	temp, err := f.NewTemp(rand.Reader)
	require.NoError(b, err)
	for b.Loop() {
		_, err := temp.Prepare(1)
		require.NoError(b, err)
		require.NoError(b, temp.Release(1))
	}
	require.NoError(b, temp.Close())
}
