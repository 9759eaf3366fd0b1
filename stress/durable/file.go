package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// CreateFile makes a new file for reading and writing with mode 0600 whatever the umask is. It fails with
// fs.ErrExist where something of that name is, a symbolic link included. Neither its content nor its name
// is durable yet.
func CreateFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, FileMode)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(FileMode); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// IsNoSpace tells whether an error means that the disk, its inodes or the user's quota are used up: what
// goes away when space is freed.
func IsNoSpace(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// IsReadOnly tells whether an error means that the file system cannot be written to.
func IsReadOnly(err error) bool {
	return errors.Is(err, unix.EROFS)
}
