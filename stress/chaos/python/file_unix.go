//go:build unix

package python

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// readRecord reads a record, which the test could have replaced by anything: a link is not followed, a pipe is
// not waited for.
func readRecord(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errors.New("it is no file"), err)
	}
	return io.ReadAll(io.LimitReader(file, maxRecord))
}
