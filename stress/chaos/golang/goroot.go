package golang

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// replaceable is a builder whose runtime -overlay may replace. Go refuses that for files below GOMODCACHE, which is
// where GOTOOLCHAIN puts what it downloads, and goes by the names alone (cmd/go/internal/work/init.go): the same
// GOROOT by a symbolic link in heisen's cache is accepted, and then go's own files are where it says they are.
func (b *builder) replaceable() (*builder, error) {
	if b.tool.GOMODCACHE == "" || !strings.HasPrefix(b.tool.GOROOT, b.tool.GOMODCACHE+string(filepath.Separator)) {
		return b, nil
	}
	link := filepath.Join(b.Cache, "goroot", b.tool.GOVERSION+"-"+digest(b.tool.GOROOT))
	if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
		return nil, fmt.Errorf("name GOROOT outside GOMODCACHE: %w: check that the cache folder can be written", err)
	}
	if err := os.Symlink(b.tool.GOROOT, link); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("name GOROOT outside GOMODCACHE: %w: check that the cache folder can be written", err)
	}
	other := *b
	other.tool.GOROOT = link
	other.cmd.Go = filepath.Join(link, "bin", "go")
	other.Environ = append(slices.Clone(b.Environ), "GOROOT="+link, "GOTOOLCHAIN=local")
	return &other, nil
}
