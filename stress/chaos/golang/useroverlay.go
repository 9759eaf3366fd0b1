package golang

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// readOverlay adds what a file for go's -overlay says, with absolute names.
func readOverlay(dir, name string, into map[string]string) error {
	absolute := func(p string) string {
		if p == "" || filepath.IsAbs(p) {
			return p
		}
		return filepath.Join(dir, p)
	}
	text, err := os.ReadFile(absolute(name))
	if err != nil {
		return err
	}
	var file struct{ Replace map[string]string }
	if err := json.Unmarshal(text, &file); err != nil {
		return err
	}
	for from, to := range file.Replace {
		into[absolute(from)] = absolute(to)
	}
	return nil
}
