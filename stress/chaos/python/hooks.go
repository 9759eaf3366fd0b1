package python

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed hooks/*.py
var modules embed.FS

// Hooks are the modules on disk, for all attempts of a session.
type Hooks struct{ dir string }

// Install writes the modules into a new folder below dir. Python caches their compiled form there when the
// first attempt loads them.
func Install(dir string) (*Hooks, error) {
	h := &Hooks{dir: filepath.Join(dir, "python")}
	if err := h.write(); err != nil {
		return nil, fmt.Errorf("write the hooks for Python: %w: hunt with --chaos off, or free some space", err)
	}
	return h, nil
}

func (h *Hooks) write() error {
	// Attempts may run as another user than heisen, and read them.
	if err := os.Mkdir(h.dir, 0o755); err != nil {
		return err
	}
	names, err := fs.Glob(modules, "hooks/*.py")
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := modules.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(h.dir, filepath.Base(name)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// environ is what an attempt needs beside what it inherits to load the hooks with these settings. path is the
// PYTHONPATH it would have without them.
func (h *Hooks) environ(settings string, path string) []string {
	return []string{
		"PYTHONPATH=" + strings.TrimSuffix(h.dir+string(filepath.ListSeparator)+path, string(filepath.ListSeparator)),
		"HEISEN_PYTHON=" + settings,
	}
}
