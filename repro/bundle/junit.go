package bundle

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path"
)

// Bounds on the result files that are read to identify a failure.
const (
	maxReports     = 8
	maxReportBytes = 1 << 20
)

// junitReports joins the JUnit files that an attempt left in its temp folder or one level below (for
// example with --junitxml={tmp}/report.xml): what a test framework reported there says what failed as well
// as its output does. Links are not followed; whatever cannot be read is left out.
func junitReports(temp string) []byte {
	if temp == "" {
		return nil
	}
	root, err := os.OpenRoot(temp)
	if err != nil {
		return nil
	}
	defer root.Close()
	var all []byte
	for _, pattern := range []string{"*.xml", "*/*.xml"} {
		names, err := fs.Glob(root.FS(), pattern)
		if err != nil {
			continue
		}
		for _, name := range names[:min(len(names), maxReports)] {
			all = append(all, junitReport(root, name)...)
		}
	}
	return all
}

func junitReport(root *os.Root, name string) []byte {
	info, err := root.Lstat(path.Clean(name))
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	f, err := root.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxReportBytes))
	if err != nil || !bytes.Contains(data, []byte("<testsuite")) {
		return nil
	}
	return append(data, '\n')
}
