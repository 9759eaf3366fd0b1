package durable

import (
	"os"

	"golang.org/x/sys/unix"
)

// Datasync makes a file's content and length durable, but not its times: fdatasync(2), which saves the
// journal commit for the inode. It is never retried here nor should it be by a caller: after a failure the
// kernel has marked the lost pages clean, and a second call reports success (fsync(2), NOTES).
func Datasync(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var syncErr error
	if err := conn.Control(func(fd uintptr) { syncErr = fdatasync(int(fd)) }); err != nil {
		return err
	}
	return os.NewSyscallError("fdatasync", syncErr)
}

// fdatasync starts again after a signal: nothing was attempted then, so this is no retry of a failure.
func fdatasync(fd int) error {
	for {
		if err := unix.Fdatasync(fd); err != unix.EINTR {
			return err
		}
	}
}
