package campaign

import (
	"os"

	"golang.org/x/sys/unix"
)

// Running tells whether some process runs the campaign now. It is only ever a look: the answer may be old
// a moment later, and looking never keeps a campaign from being locked for longer than the look takes.
func (f *Folder) Running() bool {
	file, err := os.OpenFile(f.LockFile(), os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return false // never locked
	}
	defer file.Close()
	return unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB) == unix.EWOULDBLOCK
}
