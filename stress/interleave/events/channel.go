package events

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"heisen/stress/interleave"
	"heisen/stress/run"
)

// Modes of the channel's folder and files: the attempt's own user, as for its temporary folder.
const (
	folderMode fs.FileMode = 0o700
	fileMode   fs.FileMode = 0o600
)

// Channel hands every attempt an empty file to write events to, and reads it when the attempt is over. A
// slot's file is used again as long as nothing was written to it, which makes it free for tests that write
// nothing. It is safe for concurrent use.
type Channel struct {
	path  string
	dir   *os.Root
	clock clock

	mu    sync.Mutex
	files map[int]string // by slot, the names of files that are empty
	made  int            // numbers files, so that no name is used for two
}

// Open makes the channel's folder in root, the folder of a session's temporary files, which is whoever
// made it's to remove.
func Open(root string) (*Channel, error) {
	clock, err := readClock()
	if err != nil {
		return nil, fmt.Errorf("open the events channel: %w", err)
	}
	path := filepath.Join(root, "events")
	if err := os.Mkdir(path, folderMode); err != nil {
		return nil, fmt.Errorf("open the events channel: %w", err)
	}
	if err := os.Chmod(path, folderMode); err != nil {
		return nil, fmt.Errorf("open the events channel: %w", err)
	}
	dir, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open the events channel: %w", err)
	}
	return &Channel{path: path, dir: dir, clock: clock, files: map[int]string{}}, nil
}

// Close ends the channel; attempts that still run may go on writing.
func (c *Channel) Close() error { return c.dir.Close() }

// prepare returns the path of the slot's file, which is there and empty.
func (c *Channel) prepare(slot int) (string, error) {
	c.mu.Lock()
	name, have := c.files[slot]
	if !have {
		c.made++
		name = strconv.Itoa(slot) + "." + strconv.Itoa(c.made)
	}
	c.mu.Unlock()
	if !have {
		f, err := c.dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		if err != nil {
			return "", fmt.Errorf("make the file for events: %w", err)
		}
		// An umask may have taken permissions away.
		if err := errors.Join(f.Chmod(fileMode), f.Close()); err != nil {
			return "", fmt.Errorf("make the file for events: %w", err)
		}
		c.mu.Lock()
		c.files[slot] = name
		c.mu.Unlock()
	}
	return c.path + string(filepath.Separator) + name, nil
}

// collect reads what the attempt of a slot wrote, when none of its processes is left; nil for nothing.
func (c *Channel) collect(slot int, res *run.Result) *run.Trace {
	c.mu.Lock()
	name := c.files[slot]
	c.mu.Unlock()
	info, err := c.dir.Lstat(name)
	if err == nil && untouched(info) && !res.Evidence.HeldOpen {
		return nil
	}
	// Whoever is still there to write to this file writes to no other attempt's.
	c.mu.Lock()
	delete(c.files, slot)
	c.mu.Unlock()
	defer func() { _ = c.dir.RemoveAll(name) }() // what cannot go now goes with the session's folder
	switch {
	case err != nil:
		return lacking(whyNot(err))
	case info.Size() == 0 && info.Mode().IsRegular():
		return nil
	}
	trace, err := c.read(name, info, res.Started)
	if err != nil {
		return interleave.Merge(trace, lacking(whyNot(err)))
	}
	return trace
}

// untouched tells of a file that can be handed out again.
func untouched(info fs.FileInfo) bool {
	return info.Mode() == fileMode && info.Size() == 0
}

// errReplaced is a file that is no longer what heisen made.
var errReplaced = errors.New("is no regular file any more")

// read opens the file only if it is a regular one, and never waits: a FIFO without a writer would keep it.
func (c *Channel) read(name string, info fs.FileInfo, started time.Time) (*run.Trace, error) {
	if !info.Mode().IsRegular() {
		return nil, errReplaced
	}
	f, err := c.dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// A link put there since Lstat would lead elsewhere.
	if opened, err := f.Stat(); err != nil || !os.SameFile(info, opened) {
		return nil, errors.Join(errReplaced, err)
	}
	got, err := readAll(f, info.Size())
	trace := traceOf(got.events, life{clock: c.clock, start: started, end: time.Now()})
	trace.Dropped = dropped(run.FromTest, got.dropped)
	return trace, err
}

// whyNot says why the events of an attempt are missing.
func whyNot(err error) string {
	switch {
	case errors.Is(err, errReplaced):
		return "the file that HEISEN_EVENTS names is no regular file any more: the test put something else in its place"
	case errors.Is(err, fs.ErrNotExist):
		return "the file that HEISEN_EVENTS names is gone: the test removed it"
	}
	return "the file that HEISEN_EVENTS names cannot be read: " + err.Error()
}
