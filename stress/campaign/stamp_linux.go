package campaign

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"heisen/stress/durable"
)

// stamps remember the folders that were seen to be empty, so that one that nobody touched since need not be
// listed again: most tests leave their folder alone, and listing it before and after each attempt was 6 % of
// the CPU time heisen itself spent on one of /bin/true.
//
// A folder's ctime changes with every name made or removed in it and with its mode and owner, and cannot be
// set (inode(7)). It comes from a clock that stands still between two ticks, so a stamp is good for nothing
// until that clock has gone on. It is this machine's clock on the file systems in local; on others every
// folder is listed.
type stamps struct {
	local bool

	mu sync.Mutex
	of map[string]stamp
}

// stamp names one state of one folder.
type stamp struct {
	dev, ino uint64
	ctime    unix.Timespec
}

// local are the file systems whose times come from the kernel heisen runs on (statfs(2)).
var local = []int64{unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC,
	unix.TMPFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC}

// newStamps makes an empty memory of the folders in root.
func newStamps(root *os.File) *stamps {
	var st unix.Statfs_t
	err := unix.Fstatfs(int(root.Fd()), &st)
	return &stamps{local: err == nil && slices.Contains(local, int64(st.Type)), of: map[string]stamp{}}
}

// ready tells whether name in parent is an empty 0700 folder of this user's. An error says that it could not be looked at:
// it may be one.
func (s *stamps) ready(parent *os.File, name string) (bool, error) {
	if s.untouched(parent, name) {
		return true, nil
	}
	var now unix.Timespec
	clock := unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &now)
	seen, ok, err := look(parent, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if ok && s.local && clock == nil && seen.ctime.Nano() < now.Nano() {
		s.of[name] = seen
	} else {
		delete(s.of, name)
	}
	return ok, err
}

// untouched tells whether a folder is as it was when it was last seen to be empty.
func (s *stamps) untouched(parent *os.File, name string) bool {
	s.mu.Lock()
	was, known := s.of[name]
	s.mu.Unlock()
	if !known {
		return false
	}
	var st unix.Stat_t
	err := unix.Fstatat(int(parent.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return err == nil && stampOf(&st) == was
}

func stampOf(st *unix.Stat_t) stamp {
	return stamp{dev: uint64(st.Dev), ino: st.Ino, ctime: st.Ctim}
}

// look opens and lists a folder. Its stamp is from before the listing.
func look(parent *os.File, name string) (seen stamp, ok bool, err error) {
	fd, err := openat(int(parent.Fd()), name, openDirFlags)
	if err != nil {
		return stamp{}, false, &fs.PathError{Op: "open", Path: filepath.Join(parent.Name(), name), Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&0o7777 != durable.FolderMode || int(st.Uid) != os.Geteuid() {
		return stamp{}, false, nil
	}
	// "." and ".." take 24 bytes each and the longest name 280 (getdents64(2)): one call with this buffer
	// shows whether there is anything else.
	var buf [512]byte
	n, err := unix.Getdents(fd, buf[:])
	if err != nil {
		return stamp{}, false, &fs.PathError{Op: "list", Path: filepath.Join(parent.Name(), name), Err: err}
	}
	_, names, _ := unix.ParseDirent(buf[:n], 1, nil)
	return stampOf(&st), names == 0, nil
}
