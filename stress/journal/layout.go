package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"heisen/stress/durable"
)

const (
	rawSuffix      = ".journal"
	sealedSuffix   = ".journal.zst"
	snapshotSuffix = ".snapshot"
	tornPrefix     = "torn-"
)

// numbered matches every file that a journal reads: a number of six digits or more, and a suffix.
var numbered = regexp.MustCompile(`^([0-9]{6,9})(\.journal|\.journal\.zst|\.snapshot)$`)

func rawPath(dir string, n int) string      { return numberedPath(dir, n, rawSuffix) }
func sealedPath(dir string, n int) string   { return numberedPath(dir, n, sealedSuffix) }
func snapshotPath(dir string, n int) string { return numberedPath(dir, n, snapshotSuffix) }

func numberedPath(dir string, n int, suffix string) string {
	return filepath.Join(dir, fmt.Sprintf("%06d%s", n, suffix))
}

// layout is what a journal's folder held when it was listed, each kind in ascending order.
type layout struct {
	raw, sealed, snapshots []int
	temps                  []string
}

func list(dir string) (layout, error) {
	var l layout
	entries, err := os.ReadDir(dir)
	if err != nil {
		return l, err
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, durable.TempPrefix) {
			l.temps = append(l.temps, filepath.Join(dir, name))
			continue
		}
		m := numbered.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil || n < 1 {
			continue
		}
		switch m[2] {
		case rawSuffix:
			l.raw = append(l.raw, n)
		case sealedSuffix:
			l.sealed = append(l.sealed, n)
		case snapshotSuffix:
			l.snapshots = append(l.snapshots, n)
		}
	}
	slices.Sort(l.raw)
	slices.Sort(l.sealed)
	slices.Sort(l.snapshots)
	return l, nil
}

// last is the highest segment there is, or must be: a snapshot is written only when the segment after it
// exists, so a listing that raced with the writer still learns of that segment from the snapshot.
func (l layout) last() int {
	last := 0
	if n := len(l.raw); n > 0 {
		last = l.raw[n-1]
	}
	if n := len(l.sealed); n > 0 {
		last = max(last, l.sealed[n-1])
	}
	if n := len(l.snapshots); n > 0 {
		last = max(last, l.snapshots[n-1]+1)
	}
	return last
}

// missing names the first segment before the last that is there neither raw nor sealed, or "".
func (l layout) missing(dir string) string {
	for n := 1; n <= l.last(); n++ {
		_, raw := slices.BinarySearch(l.raw, n)
		_, sealed := slices.BinarySearch(l.sealed, n)
		if !raw && !sealed {
			return rawPath(dir, n)
		}
	}
	return ""
}

// openSegment opens a segment, sealed where it is sealed already. The writer may seal it between two
// looks, and the sealed file appears before the raw one goes, hence the second look at the first name.
func openSegment(dir string, n int) (f *os.File, sealed bool, err error) {
	for range 2 {
		if f, err = os.Open(sealedPath(dir, n)); !errors.Is(err, fs.ErrNotExist) {
			return f, true, err
		}
		if f, err = os.Open(rawPath(dir, n)); !errors.Is(err, fs.ErrNotExist) {
			return f, false, err
		}
	}
	return nil, false, &CorruptError{File: rawPath(dir, n), Check: fs.ErrNotExist}
}
