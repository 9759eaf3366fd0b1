package bundle

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"heisen/stress/durable"
)

// disk writes below one folder that it never leaves: a symbolic link planted inside leads nowhere.
type disk struct {
	root *os.Root
	fail durable.Failpoints
}

// folder makes a folder with mode 0700 whatever the umask is; its name is not durable yet. One that is
// already there is used, a link to one is not.
func (d disk) folder(name string) error {
	err := d.root.Mkdir(name, durable.FolderMode)
	if errors.Is(err, fs.ErrExist) {
		info, err := d.root.Lstat(name)
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("make folder %s: something else is in its place: move it away", name)
		}
		return err
	}
	if err != nil {
		return err
	}
	return d.root.Chmod(name, durable.FolderMode)
}

// file writes a new file from r with mode 0600, syncs it and returns what it now holds.
func (d disk) file(name string, r io.Reader) (File, error) {
	if err := d.fail.Hit("write"); err != nil {
		return File{}, err
	}
	f, err := d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, durable.FileMode)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	if err := f.Chmod(durable.FileMode); err != nil {
		return File{}, err
	}
	h := sha256.New()
	size, err := io.Copy(io.MultiWriter(f, h), r)
	if err != nil {
		return File{}, fmt.Errorf("write %s: %w", name, err)
	}
	if err := d.fail.Hit("sync"); err != nil {
		return File{}, err
	}
	if err := f.Sync(); err != nil {
		return File{}, fmt.Errorf("sync %s: %w", name, err)
	}
	return File{Path: name, Size: size, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

// sync makes the names in a folder durable.
func (d disk) sync(dir string) error {
	if err := d.fail.Hit("syncdir"); err != nil {
		return err
	}
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync folder %s: %w", dir, err)
	}
	return nil
}

// stagingName is fresh at every call. Sweep removes what begins like it.
func stagingName() string { return durable.TempPrefix + rand.Text() }
