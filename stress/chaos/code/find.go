package code

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Find reads the program that a command runs: its own file, or where that is a shell or another helper the first
// of its words, also of one that holds several, that names an executable with places in it. Relative words are
// below dir. The error is the first file's.
func Find(path string, args []string, dir string) (*Program, error) {
	p, first := Read(path)
	if first == nil {
		return p, nil
	}
	for _, arg := range args[min(1, len(args)):] {
		for _, word := range strings.Fields(arg) {
			word = strings.Trim(word, `"';()`)
			if !filepath.IsAbs(word) {
				word = filepath.Join(dir, word)
			}
			if !isELF(word) {
				continue
			}
			if p, err := Read(word); err == nil {
				return p, nil
			} else if errors.Is(err, errNoSymbols) {
				first = err
			}
		}
	}
	return nil, first
}

// isELF tells whether a word names an executable file of the system's own format.
func isELF(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	magic := make([]byte, 4)
	_, err = file.Read(magic)
	return err == nil && bytes.Equal(magic, []byte("\x7fELF"))
}
