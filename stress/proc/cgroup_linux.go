package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// groupPrefix and the campaign's id make the name of a campaign's cgroup in every hierarchy.
const groupPrefix = "heisen-"

// group is one cgroup of the v2 hierarchy (kernel, Documentation/admin-guide/cgroup-v2.rst) with what an
// attempt's start and end need held open: asking whether it is empty is then one pread.
type group struct {
	dir    string
	fd     int // the folder, for clone3 and openat
	events int // cgroup.events
	frozen bool
	spent  bool // it was killed and must not be used again
}

func makeGroup(dir string) (*group, error) {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create cgroup: %w", err)
	}
	g := &group{dir: dir, fd: -1, events: -1}
	if err := g.open(); err != nil {
		return nil, errors.Join(err, g.remove())
	}
	return g, nil
}

// open holds the cgroup open, if it is not held already.
func (g *group) open() (err error) {
	if g.fd >= 0 {
		return nil
	}
	if g.fd, err = syscall.Open(g.dir, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0); err == nil {
		g.events, err = unix.Openat(g.fd, "cgroup.events", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		g.close()
		return fmt.Errorf("open cgroup %s: %w", g.dir, err)
	}
	return nil
}

// close lets go of its descriptors; open holds it again.
func (g *group) close() {
	for _, fd := range []*int{&g.fd, &g.events} {
		if *fd >= 0 {
			_ = syscall.Close(*fd)
			*fd = -1
		}
	}
}

// populated tells whether a process that is not yet a zombie is in the cgroup or below it.
func (g *group) populated() (bool, error) {
	var buf [64]byte
	n, err := syscall.Pread(g.events, buf[:], 0)
	if err != nil {
		return false, fmt.Errorf("read cgroup.events of %s: %w", g.dir, err)
	}
	return bytes.Contains(buf[:n], []byte("populated 1")), nil
}

// pids lists the processes in the cgroup and below it.
func (g *group) pids() []int {
	return groupPIDs(g.dir)
}

func groupPIDs(dir string) []int {
	var pids []int
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			data, _ := os.ReadFile(filepath.Join(path, "cgroup.procs"))
			pids = append(pids, parsePIDs(data)...)
		}
		return nil
	})
	return pids
}

// kill kills everything in the cgroup and below it, forks in progress included (cgroup.kill, Linux 5.14).
// The cgroup is spent afterwards: a kernel that counts kills (kill_seq, Linux 6.14) kills whatever is cloned
// into it from a cgroup with another count, because clone3 compares with the parent's (kernel/cgroup/cgroup.c,
// cgroup_css_set_fork).
func (g *group) kill() error {
	g.spent = true
	return g.write("cgroup.kill", "1")
}

// freeze stops or thaws everything in the cgroup and below it; frozen processes can be killed.
func (g *group) freeze(frozen bool) error {
	g.frozen = frozen
	if frozen {
		return g.write("cgroup.freeze", "1")
	}
	return g.write("cgroup.freeze", "0")
}

func (g *group) write(name, text string) error {
	fd, err := unix.Openat(g.fd, name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s of cgroup %s: %w", name, g.dir, err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte(text)); err != nil {
		return fmt.Errorf("write %s of cgroup %s: %w", name, g.dir, err)
	}
	return nil
}

// remove closes the cgroup and deletes it with what the test may have made below it.
func (g *group) remove() error {
	g.close()
	return removeGroup(g.dir)
}

// removeGroup deletes a cgroup and everything below it, children first. The kernel says EBUSY for a moment
// after the last process died.
func removeGroup(dir string) error {
	var dirs []string
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for i := len(dirs) - 1; i >= 0; i-- {
		if err := rmdir(dirs[i]); err != nil {
			return fmt.Errorf("remove cgroup: %w", err)
		}
	}
	return nil
}

func rmdir(dir string) error {
	var err error
	for wait := time.Millisecond; wait < time.Second; wait *= 2 {
		err = syscall.Rmdir(dir)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != syscall.EBUSY {
			break
		}
		time.Sleep(wait)
	}
	return &os.PathError{Op: "rmdir", Path: dir, Err: err}
}

// ownHierarchies finds where this process is in the cgroup hierarchies.
func ownHierarchies(proc procFS) hierarchies {
	mountinfo, _ := os.ReadFile(filepath.Join(string(proc), "self/mountinfo"))
	cgroup, _ := os.ReadFile(filepath.Join(string(proc), "self/cgroup"))
	return parseHierarchies(mountinfo, cgroup)
}
