package golang

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"heisen/stress/durable"
)

// unusedFor is after how long binaries that no campaign asked for are removed.
const unusedFor = 14 * 24 * time.Hour

// digest names things by what they depend on.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// keep gives a freshly built program a name by its content, and removes those long unused.
func (b *builder) keep(program, pkg string) (string, error) {
	sum, err := fileSum(program)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(b.Cache, "programs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("keep a test binary: %w: check that %s can be written", err, b.Cache)
	}
	b.sweep(dir)
	home := filepath.Join(dir, sum)
	if err := os.MkdirAll(home, 0o700); err != nil {
		return "", fmt.Errorf("keep a test binary: %w: check that %s can be written", err, b.Cache)
	}
	now := time.Now()
	_ = os.Chtimes(home, now, now)
	name := filepath.Join(home, b.programName(pkg))
	if err := os.Link(program, name); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("keep a test binary: %w: check that %s can be written", err, b.Cache)
	}
	return name, nil
}

// programName is what go itself would call it: some tests look at os.Args[0].
func (b *builder) programName(pkg string) string {
	base := strings.TrimSuffix(path.Base(filepath.ToSlash(pkg)), ".go")
	if i := strings.IndexByte(base, '@'); i > 0 {
		base = base[:i]
	}
	if base == "." || base == "/" || base == "" {
		base = filepath.Base(b.dir)
	}
	if major.MatchString(base) && path.Dir(pkg) != "." {
		base = path.Base(path.Dir(pkg))
	}
	if b.cmd.Kind == GoTest {
		return base + ".test"
	}
	return base
}

// major is the last element of a module's path from its second major version on, which names no program.
var major = regexp.MustCompile(`^v[0-9]+$`)

func (b *builder) sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > unusedFor {
			_ = os.RemoveAll(filepath.Join(dir, e.Name())) // it is only a cache
		}
	}
}

func fileSum(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("read a test binary: %w: build again", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read a test binary: %w: build again", err)
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}

// lockDir makes a folder and keeps other heisens out of it.
func lockDir(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for builds: %w: check that the cache folder can be written", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock a folder for builds: %w: check that the cache folder can be written", err)
	}
	if err := lockFile(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w: use a cache folder on a local disk", f.Name(), err)
	}
	return func() { _ = f.Close() }, nil
}

// put writes a file whole or not at all.
func put(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("write the overlay: %w: check that the cache folder can be written", err)
	}
	return durable.WriteFile(name, text, nil)
}
