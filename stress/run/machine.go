package run

import (
	"errors"
	"syscall"
)

// machineFaults are the errors by which a kernel says that a resource of the machine is used up, and what
// the user can do about each.
var machineFaults = []struct {
	errno syscall.Errno
	words string
}{
	{syscall.EMFILE, "out of file descriptors: raise the limit with ulimit -n, or use a smaller -j"},
	{syscall.ENFILE, "the system is out of file descriptors: raise fs.file-max, or use a smaller -j"},
	{syscall.EAGAIN, "out of processes or threads: raise ulimit -u or the pids limit of the cgroup, or use a smaller -j"},
	{syscall.ENOMEM, "out of memory: use a smaller -j"},
	{syscall.ENOSPC, "no space or inodes left on the disk: free some"},
	{syscall.EDQUOT, "disk quota used up: free some space"},
}

// FaultOf tells, in words for the user, which resource of the machine an error says is used up; ""
// when the error is of another kind.
func FaultOf(err error) string {
	for _, f := range machineFaults {
		if errors.Is(err, f.errno) {
			return f.words
		}
	}
	return ""
}
