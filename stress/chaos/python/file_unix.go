//go:build unix

package python

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// readRecord reads an attempt's record, lines in the order of their times: path, and the files beside it in which
// processes keep lines of their own, each filled up with zeros.
func readRecord(path string) ([]byte, error) {
	all, err := readFile(path)
	if err != nil {
		return nil, err
	}
	own, err := filepath.Glob(path + ".*")
	if err != nil || len(own) == 0 {
		return all, err
	}
	records := [][]byte{all}
	for _, name := range own[:min(len(own), maxProcesses)] {
		record, err := readFile(name)
		if err != nil {
			return nil, err
		}
		records = append(records, bytes.ReplaceAll(record, []byte{0}, nil))
	}
	if len(own) > maxProcesses {
		records = append(records, []byte("unread\n")) // counted as what was dropped
	}
	return inOrder(records), nil
}

// readFile reads a file that the test could have replaced by anything: a link is not followed, a pipe is not waited
// for.
func readFile(path string) ([]byte, error) {
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
