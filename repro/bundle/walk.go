package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// bounds limits a look at a folder somebody else filled.
type bounds struct {
	entries int
	depth   int
	// path is the length of a path in bytes.
	path int
}

var (
	errTooMany = errors.New("too many files and folders")
	errTooDeep = errors.New("too deep or its path is too long")
)

// visitor is told of every entry, folders before their contents; err says why an entry, or what is in
// that folder, could not be looked at.
type visitor func(name string, info fs.FileInfo, err error) error

// walk visits what lies below root without following a link, in byte order within each folder. It reads
// at most so many entries (errTooMany) and holds only one folder's names for each level.
func walk(root *os.Root, within bounds, visit visitor) error {
	w := walker{root, within, visit}
	return w.folder(".", 1)
}

// walker counts bounds.entries down.
type walker struct {
	root  *os.Root
	left  bounds
	visit visitor
}

func (w *walker) folder(dir string, depth int) error {
	names, err := listFolder(w.root, dir, w.left.entries)
	if err != nil {
		return err
	}
	more := len(names) > w.left.entries
	names = names[:min(len(names), w.left.entries)]
	w.left.entries -= len(names)
	for _, base := range names {
		if err := w.entry(path.Join(dir, base), depth); err != nil {
			return err
		}
	}
	if more {
		return errTooMany
	}
	return nil
}

func (w *walker) entry(name string, depth int) error {
	if depth > w.left.depth || len(name) > w.left.path {
		return w.visit(name, nil, errTooDeep)
	}
	info, err := w.root.Lstat(name)
	if err := w.visit(name, info, err); err != nil {
		return err
	}
	if err != nil || !info.IsDir() {
		return nil
	}
	err = w.folder(name, depth+1)
	var unreadable *fs.PathError
	if errors.As(err, &unreadable) && unreadable.Op == "list" {
		return w.visit(name, info, err)
	}
	return err
}

// listFolder returns up to most+1 names, sorted: one too many tells that there are more.
func listFolder(root *os.Root, dir string, most int) ([]string, error) {
	f, err := root.OpenFile(dir, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "list", Path: dir, Err: errors.Unwrap(err)}
	}
	defer f.Close()
	names, err := f.Readdirnames(most + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &fs.PathError{Op: "list", Path: dir, Err: err}
	}
	slices.SortFunc(names, strings.Compare)
	return names, nil
}

// openRegular opens a file for reading that must be the regular file info describes. Without O_NONBLOCK,
// a FIFO put in its place would hold the open for ever (fifo(7)).
func openRegular(root *os.Root, name string, info fs.FileInfo) (*os.File, error) {
	if why := unusual(info); why != "" {
		return nil, fmt.Errorf("open %s: it is %s", name, why)
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	now, err := f.Stat()
	if err == nil && !os.SameFile(info, now) {
		err = fmt.Errorf("open %s: replaced while it was being read", name)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// unusual says what an entry is if it is neither a folder nor an ordinary file of one name.
func unusual(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	case !mode.IsRegular() && !mode.IsDir():
		return "of an unknown kind"
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && !info.IsDir() && stat.Nlink > 1 {
		return "a file with several names (hard links)"
	}
	return ""
}
