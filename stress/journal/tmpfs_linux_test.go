package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// smallDisk mounts a tmpfs of one's own; without the privilege the test is skipped.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("heisen-test", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("cannot mount a tmpfs: %v: run as root with CAP_SYS_ADMIN", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

func TestFault36FullDisk(t *testing.T) {
	disk := smallDisk(t, "size=64k")
	dir := filepath.Join(disk, "journal")
	ballast := filepath.Join(disk, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 32<<10), 0o600))
	j := open(t, dir, options())
	n := 0
	var err error
	for ; err == nil; n++ {
		err = j.Append([]byte(record(n)))
	}
	n-- // the last one did not get in
	require.ErrorIs(t, err, ErrNoSpace)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorIs(t, j.Append([]byte(record(n))), ErrNoSpace)
	require.NoError(t, os.Remove(ballast))
	appendRecords(t, j, n, n+20)
	require.NoError(t, j.Close())
	check(t, dir, n+20)
	require.Empty(t, tornFiles(t, dir))
}

func TestFault36FullDiskWhileSealing(t *testing.T) {
	disk := smallDisk(t, "size=256k")
	dir := filepath.Join(disk, "journal")
	ballast := filepath.Join(disk, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 160<<10), 0o600))
	opts := options()
	opts.SegmentBytes = 8 << 10
	j := open(t, dir, opts)
	n := 0
	var err error
	for ; err == nil && n < 10_000; n++ {
		err = j.Append([]byte(record(n)))
	}
	require.ErrorIs(t, err, ErrNoSpace)
	n--
	require.NoError(t, os.Remove(ballast))
	appendRecords(t, j, n, n+50)
	require.NoError(t, j.Close())
	check(t, dir, n+50)
}

func TestFault37NoInodes(t *testing.T) {
	// The root, the journal's folder and its first segment; a replaced file needs one more for a moment.
	disk := smallDisk(t, "size=1m,nr_inodes=4")
	dir := filepath.Join(disk, "journal")
	opts := options()
	opts.SegmentBytes = 300
	j := open(t, dir, opts)
	require.NoError(t, os.WriteFile(filepath.Join(disk, "ballast"), nil, 0o600))
	appendRecords(t, j, 0, 20)
	require.NoError(t, j.Close(), "the segment grows on where the next cannot be begun")
	check(t, dir, 20)
	_, err := Open(filepath.Join(disk, "another"), options())
	require.ErrorIs(t, err, ErrNoSpace)
	require.ErrorContains(t, err, "inodes")
}

func TestFault37ReadOnly(t *testing.T) {
	disk := smallDisk(t, "size=1m")
	dir := filepath.Join(disk, "journal")
	j := open(t, dir, options())
	appendRecords(t, j, 0, 5)
	require.NoError(t, j.Close())
	require.NoError(t, unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	_, err := Open(dir, options())
	require.ErrorIs(t, err, syscall.EROFS)
	require.ErrorContains(t, err, "mount the file system for writing")
	check(t, dir, 5)
}

// peakMemory is the process's largest resident set so far, in MiB (VmHWM, proc_pid_status(5)).
func peakMemory(t *testing.T) int {
	data, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(data), "VmHWM:")
	require.True(t, ok)
	var kib int
	_, err = fmt.Sscan(rest, &kib)
	require.NoError(t, err)
	return kib >> 10
}
