package durable

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// TempPrefix begins the name of everything unfinished. What carries it after a crash is rubbish and may be
// removed by whoever holds the campaign's lock.
const TempPrefix = ".tmp-"

const (
	// FileMode and FolderMode are the permissions of all that heisen writes: output of a test may hold
	// secrets.
	FileMode   = 0o600
	FolderMode = 0o700
)

// ErrLength is returned when a file came out shorter or longer than what was written to it.
var ErrLength = errors.New("file length differs from what was written")

// WriteFile replaces the file at path by one that holds data. See Replace.
func WriteFile(path string, data []byte, fp Failpoints) error {
	return Replace(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}, fp)
}

// Replace writes a file beside path, makes it durable, and renames it over path; the folder is synced
// last, so that when Replace returns nil the new content survives a power cut. On an error before the
// rename path is untouched and nothing is left beside it. On an error after it (only the folder's fsync
// can fail then) path may hold either content after a power cut.
//
// Failpoints hit, in order: "write", "sync", "rename", "syncdir" and "done", each before its step.
func Replace(path string, write func(io.Writer) error, fp Failpoints) error {
	if err := replace(path, write, fp); err != nil {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	return nil
}

func replace(path string, write func(io.Writer) error, fp Failpoints) error {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	temp, err := os.CreateTemp(dir, TempPrefix+base+"-*")
	if err != nil {
		return err
	}
	if err := fill(temp, write, fp); err != nil {
		// The first error is the one to report: a temp that stays is collected by its prefix later.
		_ = temp.Close()
		_ = os.Remove(temp.Name())
		return err
	}
	if err := fp.Hit("rename"); err != nil {
		_ = os.Remove(temp.Name())
		return err
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		_ = os.Remove(temp.Name())
		return err
	}
	if err := fp.Hit("syncdir"); err != nil {
		return err
	}
	if err := SyncDir(dir); err != nil {
		return err
	}
	return fp.Hit("done")
}

// fill writes the content, checks its length, syncs and closes. Close is checked because some network
// file systems report a failed write only there.
func fill(temp *os.File, write func(io.Writer) error, fp Failpoints) error {
	// CreateTemp asks for 0600, and an unusual umask may have taken even that away.
	if err := temp.Chmod(FileMode); err != nil {
		return err
	}
	if err := fp.Hit("write"); err != nil {
		return err
	}
	counted := counter{w: temp}
	if err := write(&counted); err != nil {
		return err
	}
	info, err := temp.Stat()
	if err != nil {
		return err
	}
	if info.Size() != counted.n {
		return fmt.Errorf("%d bytes of %d: %w", info.Size(), counted.n, ErrLength)
	}
	if err := fp.Hit("sync"); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	return temp.Close()
}

// counter counts what its writer was given and took.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
