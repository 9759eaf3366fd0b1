package doctor

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

const (
	// lowSpace and lowInodes are where a campaign of a day begins to be in danger: bundles are small, but
	// every running attempt has a folder of its own.
	lowSpace  = 1 << 30
	lowInodes = 10_000
)

// tempFolder looks at the file system under the attempts' private folders (statfs(2)). Whether it is
// writable is not tried by writing: access(2) also knows a read-only mount.
func tempFolder(dir string) Check {
	if dir == "" {
		dir = "/tmp"
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return Check{State: Missing, Found: dir + ": " + err.Error(),
			Lost: "private folders for attempts: no campaign can run", Remedy: "set TMPDIR to a folder that is there"}
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return Check{State: Missing, Found: dir + " is not writable: " + err.Error(),
			Lost: "private folders for attempts: no campaign can run", Remedy: "set TMPDIR to a folder you may write to"}
	}
	return judgeTemp(dir, fs)
}

// judgeTemp is the pure part: what these figures of a file system mean for a campaign.
func judgeTemp(dir string, fs unix.Statfs_t) Check {
	free := fs.Bavail * uint64(fs.Bsize)
	inodes := uint64(math.MaxUint64)
	if fs.Files > 0 { // btrfs and some others count none
		inodes = fs.Ffree
	}
	c := Check{State: OK, Found: fmt.Sprintf("%s: %s free, %s inodes", dir, size(free), count(inodes))}
	switch {
	case fs.Flags&unix.ST_NOEXEC != 0:
		c.State, c.Found = Lesser, c.Found+", mounted noexec"
		c.Lost = "tests that build a program in their temp folder and run it: they fail here"
		c.Remedy = "set TMPDIR to a folder on a file system without noexec"
	case free < lowSpace || inodes < lowInodes:
		c.State = Lesser
		c.Lost = "long campaigns: attempts and bundles may find the disk full"
		c.Remedy = "free some space, or set TMPDIR to a larger file system"
	}
	return c
}
