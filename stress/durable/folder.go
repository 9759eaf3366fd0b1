package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SyncDir makes the names in a folder durable (fsync(2) on a descriptor of the folder).
func SyncDir(dir string) error {
	return syncPath(dir)
}

// syncPath syncs a file or a folder by its name.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		_ = f.Close()
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return f.Close()
}

// Mkdir makes a folder with mode 0700 whatever the umask is, and makes its name durable. It fails with
// fs.ErrExist where something of that name is.
func Mkdir(path string) error {
	if err := os.Mkdir(path, FolderMode); err != nil {
		return err
	}
	if err := os.Chmod(path, FolderMode); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// MkdirAll makes a folder and the missing ones above it as Mkdir does. Folders that exist keep their
// mode: they may be the user's own.
func MkdirAll(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: path, Err: errors.New("a file is in the way: remove it or choose another folder")}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if parent := filepath.Dir(path); parent != path {
		if err := MkdirAll(parent); err != nil {
			return err
		}
	}
	// Another process may have made it since: that is as good.
	if err := Mkdir(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// SyncTree makes all files and folders below root, and root itself, durable: contents before the names
// that lead to them. Symbolic links are not followed, and special files have nothing to sync.
func SyncTree(root string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(root, entry.Name())
		switch {
		case entry.IsDir():
			err = SyncTree(path)
		case entry.Type().IsRegular():
			err = syncPath(path)
		}
		if err != nil {
			return err
		}
	}
	return SyncDir(root)
}

// PublishDir gives a finished folder its final name: everything in temp is synced, temp is renamed to
// final, and the folder around it is synced. Both must be in one file system and final must not exist;
// fs.ErrExist says that it does.
//
// Failpoints hit, in order: "sync", "rename", "syncdir" and "done", each before its step.
func PublishDir(temp, final string, fp Failpoints) error {
	if err := publishDir(temp, final, fp); err != nil {
		return fmt.Errorf("publish %s: %w", final, err)
	}
	return nil
}

func publishDir(temp, final string, fp Failpoints) error {
	// rename(2) replaces an empty folder silently, so its refusal alone would not do.
	if _, err := os.Lstat(final); err == nil {
		return fs.ErrExist
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := fp.Hit("sync"); err != nil {
		return err
	}
	if err := SyncTree(temp); err != nil {
		return err
	}
	if err := fp.Hit("rename"); err != nil {
		return err
	}
	if err := os.Rename(temp, final); err != nil {
		return err
	}
	if err := fp.Hit("syncdir"); err != nil {
		return err
	}
	if err := SyncDir(filepath.Dir(final)); err != nil {
		return err
	}
	return fp.Hit("done")
}
