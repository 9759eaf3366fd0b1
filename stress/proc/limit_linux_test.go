package proc

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestFault17ChildOutOfDescriptors starts an attempt whose pipes have the last numbers there may be: the child cannot
// move its status pipe above them. Lower numbers, for that pipe and a pidfd, become free at the moment of the fork, as
// they do where another attempt ends; else the parent would run out first.
func TestFault17ChildOutOfDescriptors(t *testing.T) {
	s := open(t, testConfig(t, "/bin/true"))
	require.NoError(t, s.Run(attempt(1), nil).Ending.StartError)

	// They are taken first, so that the pipes get higher ones.
	low := []int{duplicate(t), duplicate(t), duplicate(t)}
	var seen error
	fork := s.spawn.fork
	s.spawn.fork = func(path string, args []string, attr *syscall.ProcAttr) (pid int, err error) {
		was := setOpenFiles(uint64(attr.Files[2]) + 1)
		defer setOpenFiles(was)
		closeAll(low...)
		pid, err = fork(path, args, attr)
		seen = err
		return pid, err
	}
	r := s.Run(attempt(2), nil)
	require.Equal(t, syscall.EBADF, seen, "Go has another way now: see whether forkError is still needed")
	require.NoError(t, r.Ending.StartError, "the command was blamed")
	require.Contains(t, r.Ending.Machine, "out of file descriptors")
}

// duplicate opens the lowest number that is free.
func duplicate(t *testing.T) int {
	t.Helper()
	fd, err := unix.FcntlInt(os.Stdin.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	require.NoError(t, err)
	return fd
}

// setOpenFiles changes the limit on open files and gives the one there was.
func setOpenFiles(most uint64) uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		panic(err)
	}
	was := limit.Cur
	limit.Cur = most
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		panic(err)
	}
	return was
}
