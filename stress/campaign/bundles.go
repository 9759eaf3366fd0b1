package campaign

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"heisen/stress/durable"
)

// ManifestName is the file that makes a folder a bundle.
const ManifestName = "manifest.json"

// Bundle is a bundle's folder.
type Bundle struct {
	// Path is absolute.
	Path string
	// Modified is when its manifest was written.
	Modified time.Time
}

// ListBundles returns the campaign's finished bundles, newest first. What is not a bundle is left out.
func (f *Folder) ListBundles() ([]Bundle, error) {
	var all []Bundle
	err := f.eachBundle(func(path string) error {
		info, err := os.Lstat(filepath.Join(path, ManifestName))
		if err == nil && info.Mode().IsRegular() {
			all = append(all, Bundle{Path: path, Modified: info.ModTime()})
		}
		return nil
	})
	slices.SortFunc(all, newestFirst)
	return all, err
}

// newestFirst orders by time, and by name where a coarse clock gave two the same.
func newestFirst(a, b Bundle) int {
	return cmp.Or(b.Modified.Compare(a.Modified), cmp.Compare(b.Path, a.Path))
}

// Where, among the bundles, the kept passes lie, which are there to compare failures with: a sample of them,
// and the first of each interleaving.
const (
	PassFolder    = "pass"
	VariantFolder = "variant"
)

// ReplayFile makes a campaign one that runs a recorded failure again.
const ReplayFile = "repro.json"

// Replays tells whether the campaign runs a recorded failure again.
func (f *Folder) Replays() bool {
	_, err := os.Lstat(filepath.Join(f.path, ReplayFile))
	return err == nil
}

// ResolveBundle finds a bundle: by its path, or "last" for the newest failure of all campaigns that are no replays,
// so that replaying it again is not replaying a replay. Errors
// wrap ErrBadReference or ErrNotFound, or are of the file system.
func (s Store) ResolveBundle(ref string) (string, error) {
	switch {
	case ref == "" || strings.ContainsRune(ref, 0):
		return "", fmt.Errorf("open bundle %q: %w: give its folder or %q", ref, ErrBadReference, Last)
	case ref == Last:
		return s.lastBundle()
	}
	path, err := filepath.Abs(ref)
	if err != nil {
		return "", fmt.Errorf("open bundle %q: %w", ref, err)
	}
	info, err := os.Lstat(filepath.Join(path, ManifestName))
	if err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("open bundle %q: %w: no %s in it", ref, ErrNotFound, ManifestName)
	}
	return path, nil
}

func (s Store) lastBundle() (string, error) {
	campaigns, err := s.List()
	if err != nil {
		return "", err
	}
	var all []Bundle
	for _, one := range campaigns {
		if one.Err != nil || one.Folder.Replays() {
			continue
		}
		// A campaign whose bundles cannot be listed hides only its own.
		bundles, err := one.Folder.ListBundles()
		if err != nil {
			continue
		}
		failed := func(b Bundle) bool {
			of := filepath.Base(filepath.Dir(b.Path))
			return of != PassFolder && of != VariantFolder
		}
		if i := slices.IndexFunc(bundles, failed); i >= 0 {
			all = append(all, bundles[i])
		}
	}
	if len(all) == 0 {
		return "", fmt.Errorf("open bundle %q: %w: no campaign in %s has one", Last, ErrNotFound, s.dir)
	}
	return slices.MinFunc(all, newestFirst).Path, nil
}

// eachBundle calls visit for every folder where a bundle may be. Symbolic links and unfinished folders are
// passed over.
func (f *Folder) eachBundle(visit func(path string) error) error {
	signatures, err := folders(f.Bundles())
	if err != nil {
		return err
	}
	for _, signature := range signatures {
		attempts, err := folders(signature)
		if err != nil {
			return err
		}
		for _, attempt := range attempts {
			if err := visit(attempt); err != nil {
				return err
			}
		}
	}
	return nil
}

// folders lists the finished folders in dir; none where dir does not exist.
func folders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list bundles: %w", err)
	}
	var paths []string
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), durable.TempPrefix) {
			paths = append(paths, filepath.Join(dir, entry.Name()))
		}
	}
	return paths, nil
}
