package run

import (
	"errors"
	"syscall"
)

// Shortage is a resource of the machine that a kernel says is used up.
type Shortage struct {
	Errno        syscall.Errno
	what, remedy string
}

var shortages = []Shortage{
	{syscall.EMFILE, "out of file descriptors", "raise the limit with ulimit -n, or use a smaller -j"},
	{syscall.ENFILE, "the system is out of open files", "raise fs.file-max with sysctl, or use a smaller -j"},
	{syscall.EAGAIN, "out of processes", "raise the lowest limit (ulimit -u, the cgroup's pids.max, kernel.threads-max), or use a smaller -j"},
	{syscall.ENOMEM, "out of memory", "free some, or use a smaller -j"},
	{syscall.ENOSPC, "no space or inodes left on a disk", "free some, or use a smaller -j"},
	{syscall.EDQUOT, "disk quota used up", "free some space"},
}

// ShortageOf finds what an error says is used up; ok is false when the error is of another kind.
func ShortageOf(err error) (s Shortage, ok bool) {
	for _, s := range shortages {
		if errors.Is(err, s.Errno) {
			return s, true
		}
	}
	return Shortage{}, false
}

// Words are for the user: what is used up, in brackets how much there is of it, and what to do. The detail
// may be empty.
func (s Shortage) Words(detail string) string {
	if detail != "" {
		detail = " (" + detail + ")"
	}
	return s.what + detail + ": " + s.remedy
}

// FaultOf tells, in words for the user, which resource of the machine an error says is used up; ""
// when the error is of another kind.
func FaultOf(err error) string {
	s, ok := ShortageOf(err)
	if !ok {
		return ""
	}
	return s.Words("")
}
