package campaign

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"heisen/stress/durable"
)

// openDirFlags open a folder and nothing else: a symbolic link in its place gives ELOOP or ENOTDIR.
const openDirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// maxErrors bounds what one removal complains of.
const maxErrors = 8

// prepareDir makes an empty 0700 folder of ours at name in parent. The common case, where the last attempt
// left nothing, is one system call (see stamps).
func prepareDir(parent *os.File, name string, seen *stamps) error {
	if ready, _ := seen.ready(parent, name); ready {
		return nil
	}
	if err := removeEntry(parent, name); err != nil {
		return err
	}
	fd := int(parent.Fd())
	if err := unix.Mkdirat(fd, name, durable.FolderMode); err != nil {
		return &fs.PathError{Op: "mkdir", Path: filepath.Join(parent.Name(), name), Err: err}
	}
	if ready, _ := seen.ready(parent, name); ready {
		return nil
	}
	// An umask took permissions away, or somebody is in there already.
	if err := grant(fd, name); err != nil {
		return err
	}
	ready, err := seen.ready(parent, name)
	if err == nil && !ready {
		return fmt.Errorf("%w: %s", ErrForeign, filepath.Join(parent.Name(), name))
	}
	return err
}

// emptyDir empties the folder at name in parent. Whatever else is at that name is removed.
func emptyDir(parent *os.File, name string, seen *stamps) error {
	if ready, _ := seen.ready(parent, name); ready {
		return nil
	}
	return removeEntry(parent, name)
}

// removeEntry removes whatever is at name in parent; nothing there is fine.
func removeEntry(parent *os.File, name string) error {
	at := int(parent.Fd())
	path := filepath.Join(parent.Name(), name)
	err := unlink(at, name)
	if isNotEmpty(err) {
		if err := sweep(at, name, path); err != nil {
			return err
		}
		err = unlink(at, name)
	}
	if err != nil {
		return &fs.PathError{Op: "remove", Path: path, Err: err}
	}
	return nil
}

// removeTree removes the file or folder at path.
func removeTree(path string) error {
	parent, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer parent.Close()
	return removeEntry(parent, filepath.Base(path))
}

// removeOwnTree removes the folder at path if it is a folder, not a link to one, that belongs to this user
// and that nobody else may write to. It is fine if nothing is there.
func removeOwnTree(path string) error {
	var st unix.Stat_t
	err := unix.Lstat(path, &st)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != os.Geteuid() || st.Mode&0o077 != 0 {
		return fmt.Errorf("%w: %s: look at it and remove it by hand", ErrForeign, path)
	}
	return removeTree(path)
}

// sweeper empties a folder of any depth with three descriptors and without recursion: a folder that is
// found not empty inside another is moved up to the top, and its turn comes later.
type sweeper struct {
	// top is the folder that is emptied, path its name for messages.
	top  int
	path string
	// moved counts the moves, and queue holds those not yet removed.
	moved int
	queue []string
	errs  []error
}

// sweep empties the folder at name in the folder at.
func sweep(at int, name, path string) error {
	top, err := openGranted(at, name)
	if err != nil {
		return &fs.PathError{Op: "empty", Path: path, Err: err}
	}
	defer top.Close()
	s := sweeper{top: int(top.Fd()), path: path}
	s.hollow(top, "", s.entry)
	return s.err()
}

// entry removes one entry of the top, and all that is moved up meanwhile. The error is the entry's own.
func (s *sweeper) entry(_ int, name string) error {
	err := s.whole(name)
	for len(s.queue) > 0 {
		moved := s.queue[len(s.queue)-1]
		s.queue = s.queue[:len(s.queue)-1]
		if err := s.whole(moved); err != nil {
			s.complain(moved, err)
		}
	}
	return err
}

// whole removes one entry of the top with what is in it.
func (s *sweeper) whole(name string) error {
	err := unlink(s.top, name)
	if !isNotEmpty(err) {
		return err
	}
	dir, err := openGranted(s.top, name)
	if err != nil {
		return err
	}
	defer dir.Close()
	s.hollow(dir, name, s.child)
	return unlink(s.top, name)
}

// hollow lets remove take every entry out of a folder. A file system may skip names when others are removed
// while a listing is under way: it looks again until a whole look finds nothing that goes.
func (s *sweeper) hollow(dir *os.File, name string, remove func(dir int, name string) error) {
	for {
		removed, err := s.pass(dir, name, remove)
		if err == nil && removed == 0 {
			return
		}
		if err == nil {
			_, err = dir.Seek(0, io.SeekStart)
		}
		if err != nil {
			s.complain(name, err)
			return
		}
	}
}

// pass goes once through a folder. What cannot be removed is complained of, once.
func (s *sweeper) pass(dir *os.File, in string, remove func(dir int, name string) error) (removed int, err error) {
	var stuck []error
	for {
		names, err := dir.Readdirnames(1024)
		for _, name := range names {
			if err := remove(int(dir.Fd()), name); err != nil {
				stuck = append(stuck, &fs.PathError{Op: "remove", Path: filepath.Join(s.path, in, name), Err: err})
			} else {
				removed++
			}
		}
		if err == nil {
			continue
		}
		if removed == 0 {
			s.errs = append(s.errs, stuck...)
		}
		if err == io.EOF {
			err = nil
		}
		return removed, err
	}
}

// child removes one entry of a folder, or moves it up to top.
func (s *sweeper) child(dir int, name string) error {
	err := unlink(dir, name)
	if !isNotEmpty(err) {
		return err
	}
	// To move a folder one must be allowed to write to it: its ".." changes.
	if err := grant(dir, name); err != nil {
		return err
	}
	to := s.free()
	if err := unix.Renameat(dir, name, s.top, to); err != nil {
		return err
	}
	s.queue = append(s.queue, to)
	return nil
}

// free is a name that is not taken in top.
func (s *sweeper) free() string {
	for {
		s.moved++
		name := ".moved-" + strconv.Itoa(s.moved)
		var st unix.Stat_t
		if unix.Fstatat(s.top, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
			return name
		}
	}
}

func (s *sweeper) complain(name string, err error) {
	s.errs = append(s.errs, &fs.PathError{Op: "remove", Path: filepath.Join(s.path, name), Err: err})
}

// err joins what was complained of, the first few of it.
func (s *sweeper) err() error {
	if more := len(s.errs) - maxErrors; more > 0 {
		s.errs = append(s.errs[:maxErrors], fmt.Errorf("and %d more", more))
	}
	return errors.Join(s.errs...)
}

// unlink removes a file or an empty folder; nothing there is fine. A mount point gives EBUSY before anyone
// looks into it (rmdir(2)).
func unlink(dir int, name string) error {
	err := unix.Unlinkat(dir, name, 0)
	// Linux says EISDIR for a folder; EPERM is what POSIX allows and what an immutable file gives.
	if errors.Is(err, unix.EISDIR) || errors.Is(err, unix.EPERM) {
		if folderErr := unix.Unlinkat(dir, name, unix.AT_REMOVEDIR); !errors.Is(folderErr, unix.ENOTDIR) {
			err = folderErr
		}
	}
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

func isNotEmpty(err error) bool {
	return errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST)
}

// grant gives this user all rights to a folder, through a descriptor that was opened without following
// links: chmod(2) of a name might hit what a link put in its place points to. A descriptor with O_PATH
// needs no rights to the folder itself, and /proc/self/fd stands for it (open(2)).
func grant(dir int, name string) error {
	fd, err := openat(dir, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&0o7777 == durable.FolderMode {
		return nil
	}
	err = unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), durable.FolderMode)
	if err != nil && st.Mode&0o700 == 0o700 {
		// Another's folder that lets us in all the same: what is in it decides.
		return nil
	}
	return err
}

// openGranted opens a folder for listing and removing.
func openGranted(dir int, name string) (*os.File, error) {
	if err := grant(dir, name); err != nil {
		return nil, err
	}
	fd, err := openat(dir, name, openDirFlags)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

func openat(dir int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
