package campaign

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"heisen/stress/durable"
)

// Collected is what a crash had left and Collect removed.
type Collected struct {
	// Unfinished are the bundles, or parts of them, that never got their final name.
	Unfinished []string
	// TempRoot is the temporary root of a session that was killed, or "".
	TempRoot string
}

// Collect removes what a killed session left: its temporary root and unfinished bundles. The caller holds
// the campaign's lock and has made sure that no process of that session is left. It does all it can; the
// error joins what could not be removed.
func (f *Folder) Collect() (Collected, error) {
	var c Collected
	root := f.meta.TempRoot
	rootErr := f.removeRoot()
	if rootErr == nil {
		c.TempRoot = root
	}
	unfinished, err := f.unfinished()
	errs := []error{rootErr, err}
	for _, path := range unfinished {
		if err := removeTree(path); err != nil {
			errs = append(errs, err)
			continue
		}
		c.Unfinished = append(c.Unfinished, path)
	}
	if err := errors.Join(errs...); err != nil {
		return c, fmt.Errorf("collect what campaign %s left: %w", f.ID(), err)
	}
	return c, nil
}

// unfinished lists what has an unfinished name, in the folder of bundles and in each signature's.
func (f *Folder) unfinished() ([]string, error) {
	var found []string
	if err := f.ownBundles(); err != nil {
		return nil, err
	}
	signatures, err := folders(f.Bundles())
	if err != nil {
		return nil, err
	}
	for _, dir := range append(signatures, f.Bundles()) {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return found, err
		}
		for _, entry := range entries {
			if strings.HasPrefix(entry.Name(), durable.TempPrefix) {
				found = append(found, filepath.Join(dir, entry.Name()))
			}
		}
	}
	return found, nil
}

// DiscardUnknown removes the bundles that the journal does not know: their attempts were not finished and
// will be run again. Known holds paths relative to the campaign's folder, with slashes, as in run.Filed.
// It returns what it removed, in the same form.
func (f *Folder) DiscardUnknown(known map[string]bool) ([]string, error) {
	if err := f.ownBundles(); err != nil {
		return nil, fmt.Errorf("discard bundles without a record in campaign %s: %w", f.ID(), err)
	}
	var removed []string
	err := f.eachBundle(func(path string) error {
		relative, err := filepath.Rel(f.path, path)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		if known[relative] {
			return nil
		}
		if err := removeTree(path); err != nil {
			return err
		}
		removed = append(removed, relative)
		// The signature's folder goes with its last bundle; while it holds others this fails, as it should.
		_ = os.Remove(filepath.Dir(path))
		return nil
	})
	if err != nil {
		return removed, fmt.Errorf("discard bundles without a record in campaign %s: %w", f.ID(), err)
	}
	return removed, nil
}

// ownBundles refuses a link in place of the folder of bundles: through it, things that are no bundles would
// be removed.
func (f *Folder) ownBundles() error {
	info, err := os.Lstat(f.Bundles())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder: move it away", f.Bundles())
	}
	return err
}
