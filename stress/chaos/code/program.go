package code

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

const (
	// mostFunctions is how many functions of its own a program may have: one of more is an interpreter or a server
	// rather than a test, and a place drawn from it is hardly ever one that the test comes by.
	mostFunctions = 4096
	// mostCode bounds the bytes of code that are read of them.
	mostCode = 8 << 20
)

// Program is an executable with the places found in it.
type Program struct {
	// Path is the file, without symbolic links.
	Path  string
	Sites []Site
	// IsGo tells that it has the Go runtime.
	IsGo bool

	lines sync.Once
	table *lineTable
}

// Site is one instruction.
type Site struct {
	// Symbol is the function it is in, Delta how many bytes from that one's start.
	Symbol string
	Delta  uint64
	// Offset is where it lies in the file.
	Offset uint64

	address uint64 // as the file has it, before it is loaded anywhere
}

// String is the site's name: SYMBOL+0xDELTA.
func (s Site) String() string { return s.Symbol + "+0x" + strconv.FormatUint(s.Delta, 16) }

// ParseSite reads a site's name; where it lies is not in that.
func ParseSite(name string) (Site, error) {
	at := strings.LastIndex(name, "+0x")
	if at < 1 {
		return Site{}, fmt.Errorf("read site %q: want SYMBOL+0xOFFSET", name)
	}
	delta, err := strconv.ParseUint(name[at+3:], 16, 64)
	if err != nil {
		return Site{}, fmt.Errorf("read site %q: %w", name, err)
	}
	return Site{Symbol: name[:at], Delta: delta}, nil
}

// Read finds the places of an executable. The error says why it has none: it is no ELF file of this architecture, it
// has no symbols, or no function of its own.
func Read(path string) (*Program, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("find program: %w", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("find program: %w", err)
	}
	file, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read program %s: %w", path, err)
	}
	defer file.Close()
	if file.Machine != elf.EM_X86_64 || file.Class != elf.ELFCLASS64 {
		return nil, fmt.Errorf("read program %s: instructions of %v are not understood", path, file.Machine)
	}
	from := goModule(path)
	functions, err := ownFunctions(file, from)
	if err != nil {
		return nil, fmt.Errorf("read program %s: %w", path, err)
	}
	p := &Program{Path: path, IsGo: from.isGo}
	for _, f := range functions {
		p.Sites = append(p.Sites, f.sites(file)...)
	}
	if len(p.Sites) == 0 {
		return nil, fmt.Errorf("read program %s: no function of its own shares memory or calls another", path)
	}
	return p, nil
}

// goModule is the path of the main module of a Go program; ok is false for any other program.
func goModule(path string) (m module) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return module{}
	}
	return module{isGo: true, path: info.Main.Path}
}

// module is what a Go program was built from.
type module struct {
	isGo bool
	path string
}

var errNoSymbols = errors.New("it has no symbol table (it was stripped), so its own code cannot be told from its libraries'")
