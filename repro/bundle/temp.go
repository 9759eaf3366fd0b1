package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// TempLimits bounds what is kept of an attempt's temp folder.
type TempLimits struct {
	Bytes   int64
	Entries int
}

// DefaultTempLimits are used for a zero TempLimits.
var DefaultTempLimits = TempLimits{Bytes: 64 << 20, Entries: 10_000}

// A temp folder is looked at this deep, far deeper than tests nest in earnest. Open allows for the longer
// names that safeName gives.
const (
	maxDepth = 64
	maxPath  = 1024
)

// maxSkipped bounds the list of what was left out; the rest is counted.
const maxSkipped = 100

// Temp tells what was kept of an attempt's temp folder, and what was not.
type Temp struct {
	// Files and Bytes count what was kept, under tmp/ in the bundle.
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
	// Skipped lists the first of what was left out, SkippedMore counts the others.
	Skipped     []Skipped `json:"skipped,omitempty"`
	SkippedMore int       `json:"skipped_more,omitempty"`
	// Renamed maps the name of an entry in the bundle to the name it had, where that one could mislead a
	// terminal or a program.
	Renamed map[string]Text `json:"renamed,omitempty"`
}

// Skipped is one thing that was left out.
type Skipped struct {
	Path Text   `json:"path"`
	Why  string `json:"why"`
}

// tempCopy copies a temp folder into a bundle. The source is what a test left: any name, any kind of file,
// any size. It is copied, not moved, so that archiving can be tried again after a full disk; the caller
// removes it once the attempt's record is safe.
type tempCopy struct {
	from   *os.Root
	to     disk
	limits TempLimits
	report Temp
	files  []File
	// names maps each source folder to its name in the bundle.
	names map[string]string
}

// copyTemp copies what is in the folder source to tmp/ and returns its report (nil for an empty folder),
// the files it made, and the folders, parents first. Only a fault of the destination is an error.
func copyTemp(source string, to disk, limits TempLimits) (*Temp, []File, []string, error) {
	if limits == (TempLimits{}) {
		limits = DefaultTempLimits
	}
	// What is written must be what Open accepts.
	limits.Entries = min(limits.Entries, maxFiles/2)
	limits.Bytes = min(limits.Bytes, MaxBytes/2)
	from, err := openTemp(source)
	if err != nil {
		return &Temp{Skipped: []Skipped{{Path: Text("."), Why: err.Error()}}}, nil, nil, nil
	}
	defer from.Close()
	c := tempCopy{from: from, to: to, limits: limits, names: map[string]string{".": TempFolder}}
	folders := []string{TempFolder}
	if err := to.folder(TempFolder); err != nil {
		return nil, nil, nil, err
	}
	err = walk(from, bounds{limits.Entries, maxDepth, maxPath}, func(name string, info fs.FileInfo, err error) error {
		made, err := c.visit(name, info, err)
		if made != "" {
			folders = append(folders, made)
		}
		return err
	})
	var unreadable *fs.PathError
	switch {
	case errors.Is(err, errTooMany):
		c.skip(".", fmt.Sprintf("more than %d files and folders: the rest was left out", limits.Entries))
	case errors.As(err, &unreadable) && unreadable.Op == "list":
		c.skip(".", err.Error())
	case err != nil:
		return nil, nil, nil, err
	}
	if len(folders) == 1 && len(c.files) == 0 && len(c.report.Skipped) == 0 {
		return nil, nil, nil, to.root.Remove(TempFolder)
	}
	return &c.report, c.files, folders, nil
}

// openTemp refuses a folder that was replaced by a link to another.
func openTemp(source string) (*os.Root, error) {
	before, err := os.Lstat(source)
	if err != nil {
		return nil, err
	}
	if !before.IsDir() {
		return nil, errors.New("the temp folder was replaced by something else, which was not followed")
	}
	root, err := os.OpenRoot(source)
	if err != nil {
		return nil, err
	}
	if now, err := root.Stat("."); err != nil || !os.SameFile(before, now) {
		_ = root.Close()
		return nil, errors.New("the temp folder was replaced while it was opened")
	}
	return root, nil
}

// visit copies one entry and returns the folder it made, if it was one.
func (c *tempCopy) visit(name string, info fs.FileInfo, err error) (string, error) {
	if err != nil {
		c.skip(name, err.Error())
		return "", nil
	}
	if why := unusual(info); why != "" {
		c.skip(name, why)
		return "", nil
	}
	target := path.Join(c.names[path.Dir(name)], c.safeName(name))
	if info.IsDir() {
		c.names[name] = target
		return target, c.to.folder(target)
	}
	if info.Size() > c.limits.Bytes-c.report.Bytes {
		c.skip(name, fmt.Sprintf("%d bytes, more than is left of the %d that are kept", info.Size(), c.limits.Bytes))
		return "", nil
	}
	return "", c.copy(name, target, info)
}

func (c *tempCopy) copy(name, target string, info fs.FileInfo) error {
	f, err := openRegular(c.from, name, info)
	if err != nil {
		c.skip(name, err.Error())
		return nil
	}
	defer f.Close()
	source := &watched{Reader: io.LimitReader(f, info.Size())}
	file, err := c.to.file(target, source)
	if source.err != nil {
		c.skip(name, source.err.Error())
		return c.to.root.Remove(target)
	}
	if err != nil {
		return err
	}
	c.files = append(c.files, file)
	c.report.Files++
	c.report.Bytes += file.Size
	return nil
}

func (c *tempCopy) skip(name, why string) {
	if len(c.report.Skipped) == maxSkipped {
		c.report.SkippedMore++
		return
	}
	if len(name) > maxPath {
		name = name[:maxPath]
	}
	c.report.Skipped = append(c.report.Skipped, Skipped{Text(name), why})
}

// safeName keeps an ordinary file name and gives any other one made of its hash: control characters reach
// a terminal with the next ls, and a very long name has no room for a suffix.
func (c *tempCopy) safeName(name string) string {
	base := path.Base(name)
	if plainName(base) {
		return base
	}
	sum := sha256.Sum256([]byte(base))
	safe := "renamed-" + hex.EncodeToString(sum[:8])
	if c.report.Renamed == nil {
		c.report.Renamed = make(map[string]Text)
	}
	c.report.Renamed[path.Join(c.names[path.Dir(name)], safe)] = Text(base)
	return safe
}

// plainName tells whether a name can be shown and used as it is.
func plainName(base string) bool {
	if len(base) > 200 || !utf8.ValidString(base) || base[0] == '-' {
		return false
	}
	for _, r := range base {
		if !strconv.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\\' {
			return false
		}
	}
	return true
}

// watched remembers that reading failed, to tell a fault of the source from one of the destination.
type watched struct {
	io.Reader
	err error
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}
