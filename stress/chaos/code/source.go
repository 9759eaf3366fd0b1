package code

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"path/filepath"
	"strings"
)

// lineTable is a program's debug information.
type lineTable struct{ data *dwarf.Data }

// mostDebug bounds the debug information that is read: it is wanted for a handful of lines.
const mostDebug = 64 << 20

// Describe is a site's name and its place in the source, SYMBOL+0xDELTA (FILE:LINE); the name alone where the file does
// not tell the place. It is safe for concurrent use.
func (p *Program) Describe(s Site) string {
	p.lines.Do(func() { p.table = readLines(p.Path) })
	if p.table == nil {
		return s.String()
	}
	if source := p.table.at(s.address); source != "" {
		return s.String() + " (" + source + ")"
	}
	return s.String()
}

// Bare is the name alone of what Describe gave.
func Bare(described string) string {
	name, _, _ := strings.Cut(described, " (")
	return name
}

func readLines(path string) *lineTable {
	file, err := elf.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	if s := file.Section(".debug_info"); s == nil || s.Size > mostDebug {
		return nil
	}
	data, err := file.DWARF()
	if err != nil {
		return nil
	}
	return &lineTable{data: data}
}

func (t *lineTable) at(address uint64) string {
	unit, err := t.data.Reader().SeekPC(address)
	if err != nil {
		return ""
	}
	lines, err := t.data.LineReader(unit)
	if err != nil || lines == nil {
		return ""
	}
	var entry dwarf.LineEntry
	if lines.SeekPC(address, &entry) != nil || entry.File == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", filepath.Base(entry.File.Name), entry.Line)
}
