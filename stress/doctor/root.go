package doctor

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// root is where /proc and /sys are looked for: "/" on a machine, a folder in a test.
type root string

func (r root) read(path string) (string, error) {
	data, err := os.ReadFile(filepath.Join(string(r), path))
	return strings.TrimSpace(string(data)), err
}

func (r root) exists(path string) bool {
	_, err := os.Stat(filepath.Join(string(r), path))
	return err == nil
}

// number reads a file that holds one number. The kernel writes "max" for no limit in cgroup v2 and a
// number close to 2^63 in v1 (PAGE_COUNTER_MAX, include/linux/page_counter.h): both are MaxUint64 here.
func (r root) number(path string) (uint64, bool) {
	text, err := r.read(path)
	if err != nil {
		return 0, false
	}
	if text == "max" {
		return math.MaxUint64, true
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, false
	}
	if n >= 1<<62 {
		return math.MaxUint64, true
	}
	return n, true
}
