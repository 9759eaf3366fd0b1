package strain

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// mostHogs bounds the hogs of one kind: a mistyped number should not take the machine.
const mostHogs = 1024

// Load is what to load the machine with; a zero field is no load.
type Load struct {
	// CPU is how many threads compute.
	CPU int `json:"cpu,omitempty"`
	// Memory is how many bytes are held in memory, in all.
	Memory int64 `json:"memory,omitempty"`
	// IO is how many processes write to the disk, flush and read back.
	IO int `json:"io,omitempty"`
}

// Parse reads "cpu=4,mem=512M,io=2": each at most once, at least one of them. A size is digits and K, M, G
// or T for powers of 1024.
func Parse(text string) (Load, error) {
	var l Load
	seen := map[string]bool{}
	for _, part := range strings.Split(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		var err error
		switch name {
		case "cpu":
			l.CPU, err = parseCount(value)
		case "io":
			l.IO, err = parseCount(value)
		case "mem":
			l.Memory, err = parseSize(value)
		default:
			err = fmt.Errorf("there are cpu, mem and io")
		}
		if err == nil && seen[name] {
			err = fmt.Errorf("%s stands there twice", name)
		}
		if err != nil {
			return Load{}, fmt.Errorf("load %q: %w: write it like cpu=4,mem=512M,io=2", part, err)
		}
		seen[name] = true
	}
	return l, nil
}

func parseCount(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < 1 || n > mostHogs {
		return 0, fmt.Errorf("want a number from 1 to %d", mostHogs)
	}
	return int(n), nil
}

func parseSize(text string) (int64, error) {
	digits, shift := text, 0
	if i := len(text) - 1; i >= 0 {
		if power := strings.IndexByte("KMGT", strings.ToUpper(text)[i]); power >= 0 {
			digits, shift = text[:i], 10*(power+1)
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n < 1 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("want a size of at least one byte")
	}
	return int64(n) << shift, nil
}

// String is the load as Parse reads it; "" for none.
func (l Load) String() string {
	var parts []string
	if l.CPU > 0 {
		parts = append(parts, "cpu="+strconv.Itoa(l.CPU))
	}
	if l.Memory > 0 {
		parts = append(parts, "mem="+sizeText(l.Memory))
	}
	if l.IO > 0 {
		parts = append(parts, "io="+strconv.Itoa(l.IO))
	}
	return strings.Join(parts, ",")
}

// sizeText writes a size in the largest unit it is a whole number of.
func sizeText(n int64) string {
	unit := ""
	for _, larger := range []string{"K", "M", "G", "T"} {
		if n%1024 != 0 {
			break
		}
		n, unit = n/1024, larger
	}
	return strconv.FormatInt(n, 10) + unit
}
