package travel

import (
	"archive/tar"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"heisen/repro/bundle"
	"heisen/stress/durable"
)

// Folder is where imported bundles lie, below the folder of campaigns: imported/HASH.
const Folder = "imported"

// Bounds of what an import takes, whatever the archive says of itself.
const (
	decoderMemory = 64 << 20
	maxEntries    = 20_001
	maxTotal      = 1 << 30
)

// ErrRefused is returned for an archive that no export wrote. Nothing of it is kept.
var ErrRefused = errors.New("nothing was taken from it: ask for a fresh export")

// Import unpacks an exported bundle below dir and gives the folder and the manifest's hash. The archive may come
// from a stranger: it is refused whole for a link, a device, a name that leads elsewhere or stands twice, a
// file the manifest does not list, a wrong hash, or more bytes than the bounds. Nothing in it is executed.
func Import(r io.Reader, dir string) (folder, hash string, err error) {
	base := filepath.Join(dir, Folder)
	if err := os.MkdirAll(base, durable.FolderMode); err != nil {
		return "", "", fmt.Errorf("import bundle: %w", err)
	}
	temp := filepath.Join(base, durable.TempPrefix+rand.Text())
	if err := os.Mkdir(temp, durable.FolderMode); err != nil {
		return "", "", fmt.Errorf("import bundle: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	if err := unpack(r, temp); err != nil {
		return "", "", fmt.Errorf("import bundle: %w", err)
	}
	if hash, err = verify(temp); err != nil {
		return "", "", fmt.Errorf("import bundle: %w: %w", err, ErrRefused)
	}
	folder = filepath.Join(base, hash[:16])
	if _, err := os.Lstat(folder); err == nil {
		if already, err := verify(folder); err != nil || already != hash {
			return "", "", fmt.Errorf("import bundle: %s holds something else: move it away", folder)
		}
		return folder, hash, nil
	}
	if err := durable.PublishDir(temp, folder, nil); err != nil {
		return "", "", fmt.Errorf("import bundle: %w", err)
	}
	return folder, hash, nil
}

// verify opens what was unpacked as any bundle of a stranger is, and reads all of it.
func verify(folder string) (string, error) {
	b, err := bundle.Open(folder)
	if err != nil {
		return "", err
	}
	defer b.Close()
	return b.Hash, b.Verify()
}

func unpack(r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	dec, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(decoderMemory), zstd.WithDecoderMaxMemory(decoderMemory))
	if err != nil {
		return refused("not a zstd stream: %v", err)
	}
	defer dec.Close()
	u := unpacker{root: root, archive: tar.NewReader(dec), left: maxTotal, seen: map[string]bool{}}
	return u.all()
}

type unpacker struct {
	root    *os.Root
	archive *tar.Reader
	left    int64
	seen    map[string]bool
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrRefused)
}

func (u *unpacker) all() error {
	for {
		h, err := u.archive.Next()
		switch {
		case err == io.EOF && len(u.seen) == 0:
			return refused("the archive is empty")
		case err == io.EOF:
			return nil
		case err != nil:
			return refused("damaged archive: %v", err)
		}
		if err := u.check(h); err != nil {
			return err
		}
		if err := u.extract(h); err != nil {
			return err
		}
	}
}

// check refuses what an export never writes, before a byte of it is on disk.
func (u *unpacker) check(h *tar.Header) error {
	switch {
	case h.Typeflag != tar.TypeReg:
		return refused("%q is a link, a folder or a device", h.Name)
	case h.Name != bundle.ManifestFile && !bundle.SafePath(h.Name):
		return refused("%q is no name of a bundle's file", h.Name)
	case u.seen[h.Name]:
		return refused("%q stands twice", h.Name)
	case len(u.seen) == 0 && h.Name != bundle.ManifestFile:
		return refused("it does not begin with %s", bundle.ManifestFile)
	case len(u.seen) >= maxEntries:
		return refused("more than %d files", maxEntries)
	case h.Size < 0 || h.Size > u.left:
		return refused("more than %d MiB unpacked", maxTotal>>20)
	}
	u.seen[h.Name] = true
	u.left -= h.Size
	return nil
}

func (u *unpacker) extract(h *tar.Header) error {
	if err := u.folders(path.Dir(h.Name)); err != nil {
		return err
	}
	f, err := u.root.OpenFile(h.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, durable.FileMode)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(f, u.archive)
	var onDisk *fs.PathError
	switch {
	case errors.As(err, &onDisk):
		return err
	case err != nil || n != h.Size:
		return refused("damaged archive: %q ends early: %v", h.Name, err)
	}
	return f.Sync()
}

func (u *unpacker) folders(dir string) error {
	if dir == "." {
		return nil
	}
	if err := u.folders(path.Dir(dir)); err != nil {
		return err
	}
	err := u.root.Mkdir(dir, durable.FolderMode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
