package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeDisk is a real segment file whose calls can be made to fail.
type fakeDisk struct {
	segmentFile
	// space is how many more bytes may be written; negative is no limit.
	space *atomic.Int64
	// write, sync and truncate are errors for every call, if not nil.
	write, sync, truncate error
	syncs                 *atomic.Int64
}

func (d fakeDisk) WriteAt(p []byte, off int64) (int, error) {
	if d.write != nil {
		n, err := d.segmentFile.WriteAt(p[:len(p)/2], off)
		return n, errors.Join(d.write, err)
	}
	if d.space == nil {
		return d.segmentFile.WriteAt(p, off)
	}
	if left := d.space.Load(); left < int64(len(p)) {
		n, err := d.segmentFile.WriteAt(p[:left], off)
		return n, errors.Join(syscall.ENOSPC, err)
	}
	d.space.Add(-int64(len(p)))
	return d.segmentFile.WriteAt(p, off)
}

func (d fakeDisk) Datasync() error {
	if d.syncs != nil {
		d.syncs.Add(1)
	}
	return errors.Join(d.sync, d.segmentFile.Datasync())
}

func (d fakeDisk) Truncate(size int64) error {
	if d.truncate != nil {
		return d.truncate
	}
	return d.segmentFile.Truncate(size)
}

// on puts the fake between a journal and its file.
func (d fakeDisk) on(opts Options) Options {
	opts.open = func(path string) (segmentFile, error) {
		f, err := openDisk(path)
		d.segmentFile = f
		return d, err
	}
	return opts
}

func TestFault35SyncFails(t *testing.T) {
	dir := filepath.Join(fastDir(t), "j")
	j := open(t, dir, options())
	appendRecords(t, j, 0, 5)
	require.NoError(t, j.Close())

	var syncs atomic.Int64
	j = open(t, dir, fakeDisk{sync: syscall.EIO, syncs: &syncs}.on(options()))
	err := j.Append([]byte("never acknowledged"))
	require.ErrorIs(t, err, ErrFailed)
	require.ErrorIs(t, err, syscall.EIO)
	require.ErrorContains(t, err, rawPath(dir, 1))
	require.EqualValues(t, 1, syncs.Load())

	require.ErrorIs(t, j.Append([]byte("nor this")), ErrFailed)
	require.EqualValues(t, 1, syncs.Load(), "a failed sync is never tried again")
	require.ErrorIs(t, j.Close(), ErrFailed)
	check(t, dir, 5)
}

func TestFault35EverybodyWhoWaitsIsTold(t *testing.T) {
	syncing, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	opts := options()
	opts.Failpoints = func(name string) error {
		if name == pointSync {
			once.Do(func() { close(syncing); <-release })
			return syscall.EIO
		}
		return nil
	}
	j := open(t, filepath.Join(fastDir(t), "j"), opts)
	results := make(chan error, 50)
	tell := func(err error) { results <- err }
	j.Submit([]byte("in the failing batch"), tell)
	<-syncing
	for range 49 {
		j.Submit([]byte("behind it"), tell)
	}
	close(release)
	for range 50 {
		require.ErrorIs(t, <-results, ErrFailed)
	}
	require.ErrorIs(t, j.Close(), ErrFailed)
}

func TestFault36NoSpaceIsCutBackAndWaitedOut(t *testing.T) {
	dir := filepath.Join(fastDir(t), "j")
	var space atomic.Int64
	space.Store(1 << 20)
	j := open(t, dir, fakeDisk{space: &space}.on(options()))
	appendRecords(t, j, 0, 3)
	for left := range int64(100) {
		space.Store(left)
		err := j.Append([]byte(record(3)))
		require.ErrorIs(t, err, ErrNoSpace)
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.NotErrorIs(t, err, ErrFailed)
		sum, err := ReadAll(dir, nil)
		require.NoError(t, err)
		require.Zero(t, sum.Torn, "the half-written batch is cut off at once")
	}
	space.Store(1 << 20)
	appendRecords(t, j, 3, 6)
	require.NoError(t, j.Close())
	check(t, dir, 6)
	require.Empty(t, tornFiles(t, dir))
}

func TestFault36ThatCannotBeCutBackEndsTheJournal(t *testing.T) {
	dir := filepath.Join(fastDir(t), "j")
	var space atomic.Int64
	j := open(t, dir, fakeDisk{space: &space, truncate: syscall.EIO}.on(options()))
	space.Store(50)
	err := j.Append([]byte("x y z"))
	require.ErrorIs(t, err, ErrFailed)
	require.ErrorIs(t, err, syscall.EIO)
	require.ErrorIs(t, j.Close(), ErrFailed)
	j = open(t, dir, options())
	require.NoError(t, j.Close())
	require.NotEmpty(t, j.Recovered().Torn)
}

// The next segment cannot be begun for want of space: the present one grows on.
func TestFault36NoSpaceForTheNextSegment(t *testing.T) {
	dir := filepath.Join(fastDir(t), "j")
	opts := smallSegments()
	full := true
	opts.Failpoints = func(name string) error {
		// Asked on the committer only, between appends.
		if name == pointRotate+".write" && full {
			return syscall.ENOSPC
		}
		return nil
	}
	full = false
	j := open(t, dir, opts)
	full = true
	appendRecords(t, j, 0, 50)
	l, err := list(dir)
	require.NoError(t, err)
	require.Equal(t, []int{1}, l.raw)
	full = false
	appendRecords(t, j, 50, 60)
	require.NoError(t, j.Close())
	l, err = list(dir)
	require.NoError(t, err)
	require.Greater(t, l.last(), 1)
	check(t, dir, 60)
}

func TestFailureToBeginASegmentEndsTheJournal(t *testing.T) {
	dir := filepath.Join(fastDir(t), "j")
	opts := smallSegments()
	opts.Failpoints = failOnce(pointRotate+".syncdir", 2, syscall.EIO)
	j := open(t, dir, opts)
	var err error
	n := 0
	for ; err == nil; n++ {
		err = j.Append([]byte(record(n)))
	}
	require.ErrorIs(t, err, ErrFailed)
	require.ErrorIs(t, j.Close(), ErrFailed)
	check(t, dir, n-1)
	j = open(t, dir, smallSegments())
	require.NoError(t, j.Close())
	check(t, dir, n-1)
}

func TestFault37OtherWriteErrorsEndTheJournal(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EROFS, syscall.EIO, syscall.EBADF} {
		t.Run(errno.Error(), func(t *testing.T) {
			dir := filepath.Join(fastDir(t), "j")
			j := open(t, dir, fakeDisk{write: errno}.on(options()))
			err := j.Append([]byte("x"))
			require.ErrorIs(t, err, ErrFailed)
			require.ErrorIs(t, err, errno)
			require.ErrorIs(t, j.Close(), ErrFailed)
			check(t, dir, 0)
		})
	}
}

func TestFault37FolderThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(filepath.Join(file, "journal"), options())
	require.Error(t, err)
	_, err = Open(file, options())
	require.ErrorContains(t, err, "a file is in the way")

	opts := options()
	opts.Failpoints = failOnce(pointRotate+".write", 1, syscall.EROFS)
	_, err = Open(filepath.Join(t.TempDir(), "j"), opts)
	require.ErrorContains(t, err, "mount the file system for writing")

	opts.Failpoints = failOnce(pointRotate+".write", 1, syscall.ENOSPC)
	dir := filepath.Join(t.TempDir(), "j")
	_, err = Open(dir, opts)
	require.ErrorIs(t, err, ErrNoSpace)
	require.ErrorContains(t, err, "free some space or inodes")
	_, err = os.Lstat(rawPath(dir, 1))
	require.ErrorIs(t, err, fs.ErrNotExist)
}
