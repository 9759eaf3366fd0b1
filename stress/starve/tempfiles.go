package starve

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"heisen/stress/run"
)

const (
	// mostTempFiles bounds how many are counted: what a test leaves may be a whole tree of sources.
	mostTempFiles = 10_000
	whyTempMany   = "at least: no more than 10,000 are counted"
	whyTempClosed = "its temporary folder cannot be read to its end"
)

// tempFiles counts what the attempt left in its temporary folder.
func (f figures) tempFiles(dir string) {
	if dir == "" {
		return
	}
	n, err := countFiles(dir)
	switch {
	case err != nil:
		f.lack(whyTempClosed, run.SigTempFiles)
	case n >= mostTempFiles:
		f.put(run.SigTempFiles, n, whyTempMany)
	default:
		f.put(run.SigTempFiles, n, "")
	}
}

// countFiles counts the entries below a folder, up to the bound. Links are counted and not followed.
func countFiles(dir string) (int64, error) {
	// Most attempts leave nothing, and one read tells that.
	top, err := os.Open(dir)
	if err != nil {
		return 0, err
	}
	_, err = top.Readdirnames(1)
	_ = top.Close()
	if errors.Is(err, io.EOF) {
		return 0, nil
	}
	var n int64
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != dir {
			n++
		}
		if n >= mostTempFiles {
			return fs.SkipAll
		}
		return nil
	})
	return n, err
}
