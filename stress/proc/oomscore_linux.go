package proc

import (
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// oomScore is what is added to an attempt's badness, in thousandths of the machine's memory
	// (proc_pid_oom_score_adj(5)): out of memory, the kernel takes tests before heisen. Raising needs no
	// privilege.
	oomScore = 500
	// oomScoreAfter is when that is done. A test that is over sooner does not pay for it, and one that
	// fills the memory sooner is larger than heisen anyway.
	oomScoreAfter = 250 * time.Millisecond
)

// raiseOOMScore makes the attempt's processes the kernel's first choice; what they fork inherits it. Two
// passes, for what was forked by a process the first had not reached yet.
func (t *trial) raiseOOMScore() {
	for range 2 {
		for _, pid := range t.tree() {
			raiseScore(t.fs, pid, func(s stat) bool { return s.Session != t.kin.session })
		}
	}
}

// tree lists the attempt's processes while its main process lives.
func (t *trial) tree() []int {
	if t.cell.group != nil {
		return t.cell.group.pids()
	}
	return append(append([]int{t.pid}, t.fs.descendants(t.pid)...), t.kin.of(t.child)...)
}

// raiseScore goes through the process's folder, which stays the same process's for as long as it is open.
func raiseScore(proc procFS, pid int, check func(stat) bool) {
	dir, err := unix.Open(filepath.Join(string(proc), strconv.Itoa(pid)), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(dir)
	if s, err := proc.stat(pid); err != nil || !check(s) {
		return
	}
	fd, err := unix.Openat(dir, "oom_score_adj", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	file := os.NewFile(uintptr(fd), "oom_score_adj")
	_, _ = file.WriteString(strconv.Itoa(oomScore))
	_ = file.Close()
}
