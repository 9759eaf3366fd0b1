package bundle

import (
	"bytes"
	"fmt"
	"iter"
)

// ReadFile returns a file's content, checked against the manifest; path is as in Manifest.Files.
func (b *Bundle) ReadFile(path string) ([]byte, error) {
	f, ok := b.files[path]
	if !ok {
		return nil, fmt.Errorf("read %q from bundle %s: it has no such file", path, b.path)
	}
	data, err := b.read(f)
	if err != nil {
		return nil, fmt.Errorf("read bundle %s: %w", b.path, err)
	}
	return data, nil
}

func (b *Bundle) read(f File) ([]byte, error) {
	if f.Size > MaxRead {
		return nil, fmt.Errorf("%q has %d bytes, more than %d: read it with another program", f.Path, f.Size, MaxRead)
	}
	var buf bytes.Buffer
	// Of the size in the folder, which the size in the manifest was compared with: no bytes are reserved
	// for a file that only claims to be large.
	buf.Grow(int(f.Size))
	if err := b.stream(f, &buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// Has tells whether the bundle has a file of that path.
func (b *Bundle) Has(path string) bool {
	_, ok := b.files[path]
	return ok
}

// Output returns the kept output: both streams, in the order of arrival.
func (b *Bundle) Output() ([]byte, error) { return b.ReadFile(OutputFile) }

// Dump returns the stack dump, or nothing where none came.
func (b *Bundle) Dump() ([]byte, error) {
	if !b.Has(DumpFile) {
		return nil, nil
	}
	return b.ReadFile(DumpFile)
}

// Lines returns the kept output by lines, with the time and the stream of each. They are made one by one:
// a stranger's output may be nothing but newlines.
func (b *Bundle) Lines() (iter.Seq[Line], error) {
	log, err := b.Output()
	if err != nil {
		return nil, err
	}
	times, err := b.ReadFile(TimesFile)
	if err != nil {
		return nil, err
	}
	rows, err := parseTimes(times, int64(len(log)))
	if err != nil {
		return nil, fmt.Errorf("read bundle %s: %w", b.path, damaged("%s: %v", TimesFile, err))
	}
	return linesOf(log, rows, b.Manifest.Output), nil
}
