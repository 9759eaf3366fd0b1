package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Bounds on what Open accepts. Nothing is read before its size was checked.
const (
	MaxManifest = 64 << 20
	// MaxRead bounds one file that is read into memory, MaxBytes the files of one bundle together.
	MaxRead     = 256 << 20
	MaxBytes    = 16 << 30
	maxFiles    = 20_000
	longestPath = 4 * maxPath
)

var (
	// ErrNewer is returned for a bundle that a newer version of heisen wrote.
	ErrNewer = errors.New("a newer version of heisen wrote it: use that one")
	// ErrDamaged is returned for a bundle that does not hold what its manifest says, or holds what no
	// version of heisen writes: links, devices, names that lead elsewhere.
	ErrDamaged = errors.New("do not trust it: ask for a fresh copy")
)

// Bundle is a bundle opened for reading. It may come from a stranger: nothing in it is executed, nothing
// outside its folder is read, and no file's content is handed out that the manifest does not vouch for.
// The manifest itself is vouched for by its Hash, where the reader knows it from elsewhere.
type Bundle struct {
	Manifest Manifest
	// Hash is the SHA-256 of the manifest.
	Hash string
	path string
	root *os.Root
	// files is Manifest.Files by path.
	files map[string]File
}

// Open reads the manifest of the bundle in the folder path and checks that the folder holds exactly the
// files it lists, all of them ordinary and of the listed size. Contents are checked when they are read, or
// all at once by Verify.
func Open(path string) (*Bundle, error) {
	b, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("open bundle %s: %w", path, err)
	}
	return b, nil
}

func open(path string) (*Bundle, error) {
	// OpenRoot would wait on a FIFO.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errors.New("not a folder: name the folder of one bundle")
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	b := &Bundle{path: path, root: root, files: make(map[string]File)}
	for _, step := range []func() error{b.readManifest, b.indexFiles, b.checkFolder} {
		if err := step(); err != nil {
			_ = root.Close()
			return nil, err
		}
	}
	return b, nil
}

// Close ends the use of the bundle.
func (b *Bundle) Close() error { return b.root.Close() }

// Path is the folder it was opened by.
func (b *Bundle) Path() string { return b.path }

func damaged(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrDamaged)
}

func (b *Bundle) readManifest() error {
	info, err := b.root.Lstat(ManifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing: name the folder of one bundle", ManifestFile)
	}
	if err != nil {
		return err
	}
	if info.Size() > MaxManifest {
		return damaged("%s has %d bytes, more than %d", ManifestFile, info.Size(), MaxManifest)
	}
	data, err := b.read(File{Path: ManifestFile, Size: info.Size()})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	b.Hash = hex.EncodeToString(sum[:])
	// The version first: what else a newer manifest holds may not even decode.
	var version struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return damaged("%s: %v", ManifestFile, err)
	}
	switch {
	case version.Schema > Schema:
		return fmt.Errorf("%s has schema %d, this heisen reads up to %d: %w", ManifestFile, version.Schema, Schema, ErrNewer)
	case version.Schema < 1:
		return damaged("%s has no schema version", ManifestFile)
	}
	if err := json.Unmarshal(data, &b.Manifest); err != nil {
		return damaged("%s: %v", ManifestFile, err)
	}
	return nil
}

// indexFiles checks the manifest's list by itself.
func (b *Bundle) indexFiles() error {
	if n := len(b.Manifest.Files); n > maxFiles {
		return damaged("%s lists %d files, more than %d", ManifestFile, n, maxFiles)
	}
	var total int64
	for _, f := range b.Manifest.Files {
		if !SafePath(f.Path) {
			return damaged("%s lists the path %q", ManifestFile, f.Path)
		}
		if _, twice := b.files[f.Path]; twice {
			return damaged("%s lists %q twice", ManifestFile, f.Path)
		}
		if f.Size < 0 || f.Size > MaxBytes-total {
			return damaged("%s lists %q with %d bytes", ManifestFile, f.Path, f.Size)
		}
		if len(f.SHA256) != hex.EncodedLen(sha256.Size) {
			return damaged("%s has no hash for %q", ManifestFile, f.Path)
		}
		total += f.Size
		b.files[f.Path] = f
	}
	return nil
}

// SafePath accepts what Write can have written: below the folder, each part plain.
func SafePath(name string) bool {
	if !fs.ValidPath(name) || name == "." || name == ManifestFile || len(name) > longestPath {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if !plainName(part) {
			return false
		}
	}
	return true
}

// checkFolder compares the folder with the list.
func (b *Bundle) checkFolder() error {
	found := 0
	err := walk(b.root, bounds{2 * maxFiles, maxDepth + 1, longestPath}, func(name string, info fs.FileInfo, err error) error {
		if err != nil {
			return damaged("%q: %v", name, err)
		}
		if why := unusual(info); why != "" {
			return damaged("%q is %s", name, why)
		}
		if info.IsDir() || name == ManifestFile {
			return nil
		}
		f, listed := b.files[name]
		if !listed {
			return damaged("%q is not in %s", name, ManifestFile)
		}
		if info.Size() != f.Size {
			return damaged("%q has %d bytes, %s says %d", name, info.Size(), ManifestFile, f.Size)
		}
		found++
		return nil
	})
	if err != nil {
		return err
	}
	if found < len(b.files) {
		return b.nameMissing()
	}
	return nil
}

func (b *Bundle) nameMissing() error {
	for _, f := range b.Manifest.Files {
		if _, err := b.root.Lstat(f.Path); err != nil {
			return damaged("%q is in %s and not in the folder", f.Path, ManifestFile)
		}
	}
	return damaged("%s does not match the folder", ManifestFile)
}

// Verify reads every file and compares it with the manifest. The error names the first that differs.
func (b *Bundle) Verify() error {
	for _, f := range b.Manifest.Files {
		if err := b.stream(f, io.Discard); err != nil {
			return fmt.Errorf("verify bundle %s: %w", b.path, err)
		}
	}
	return nil
}

// stream copies a file to w and checks it on the way; w may have received wrong bytes when it fails.
func (b *Bundle) stream(f File, w io.Writer) error {
	info, err := b.root.Lstat(f.Path)
	if err != nil {
		return err
	}
	file, err := openRegular(b.root, f.Path, info)
	if err != nil {
		return fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	defer file.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, h), io.LimitReader(file, f.Size+1))
	if err != nil {
		return err
	}
	if n != f.Size {
		return damaged("%q has not the %d bytes it should have", f.Path, f.Size)
	}
	// The manifest alone is read without a hash: it cannot hold its own.
	if f.Path != ManifestFile && hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
		return damaged("%q was changed since it was written", f.Path)
	}
	return nil
}
