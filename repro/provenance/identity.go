package provenance

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"heisen/stress/run"
)

// MaxHashed is the size in bytes above which a file is named in an Identity but not read.
const MaxHashed = 1 << 30

// Identify hashes what a command runs: its executable, and every argument that names a readable regular
// file (a script, an input). Keys are absolute paths; a value is the SHA-256 in lower-case hexadecimal, or
// "not hashed: " and the reason for a file that is too large or cannot be read.
//
// Only whole arguments are looked at: not --flag=file, and not what an interpreter finds by itself
// (python -m package). An argument with a placeholder names a different file in every attempt and is left out.
func Identify(cmd run.Command) run.Identity { return identify(cmd, MaxHashed) }

func identify(cmd run.Command, limit int64) run.Identity {
	hashes := make(map[string]string)
	add := func(path string, must bool) {
		if _, done := hashes[path]; done {
			return
		}
		sum, err := HashFile(path, limit)
		switch {
		case err == nil:
			hashes[path] = sum
		case must || isRegular(path):
			hashes[path] = "not hashed: " + err.Error()
		}
	}
	if cmd.Path != "" {
		add(cmd.Path, true)
	}
	for _, arg := range cmd.Args[min(1, len(cmd.Args)):] {
		if path, ok := resolve(cmd.Dir, arg); ok {
			add(path, false)
		}
	}
	return run.Identity{Hashes: hashes}
}

// resolve makes an argument an absolute path as the command will see it.
func resolve(dir, arg string) (string, bool) {
	if arg == "" || strings.Contains(arg, "{") || strings.Contains(arg, "\x00") {
		return "", false
	}
	if filepath.IsAbs(arg) {
		return filepath.Clean(arg), true
	}
	if !filepath.IsAbs(dir) {
		return "", false
	}
	return filepath.Join(dir, arg), true
}

func isRegular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// HashFile returns the SHA-256 of a regular file of at most limit bytes, in lower-case hexadecimal.
func HashFile(path string, limit int64) (string, error) {
	// A FIFO would block an ordinary open until somebody writes to it (fifo(7)).
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", &fs.PathError{Op: "hash", Path: path, Err: fmt.Errorf("not a regular file")}
	}
	if info.Size() > limit {
		return "", fmt.Errorf("%d bytes, more than %d", info.Size(), limit)
	}
	h := sha256.New()
	// The limit holds for a file that grows while it is read, too.
	if _, err := io.Copy(h, io.LimitReader(f, limit)); err != nil {
		return "", fmt.Errorf("hash %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
