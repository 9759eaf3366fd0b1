package doctor

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
)

// Text writes the report for people, one paragraph a check; the state comes first so that a column of
// "ok" can be skipped at a glance.
func (r Report) Text(w io.Writer) error {
	out := bufio.NewWriter(w)
	m := r.Machine
	fmt.Fprintf(out, "%s, %s, %s, %s of memory available\n", clean(m.System), clean(m.Arch), plural(m.CPUs, "CPU"), size(m.AvailableBytes))
	fmt.Fprintf(out, "default -j %d: %s\n\n", r.Width, r.Why)
	for _, c := range r.Checks {
		fmt.Fprintf(out, "%-8s %-18s %s\n", c.State, clean(c.Name), clean(c.Found))
		detail(out, "lost", c.Lost)
		detail(out, "to get it", c.Remedy)
	}
	fmt.Fprintf(out, "\n%s\n", r.verdict())
	return out.Flush()
}

// JSON writes the report for programs.
func (r Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

func detail(w io.Writer, label, text string) {
	if text != "" {
		fmt.Fprintf(w, "%-27s %-10s %s\n", "", label+":", clean(text))
	}
}

// verdict counts the states.
func (r Report) verdict() string {
	count := map[State]int{}
	for _, c := range r.Checks {
		count[c.State]++
	}
	if count[OK] == len(r.Checks) {
		return fmt.Sprintf("all %d checks ok", len(r.Checks))
	}
	return fmt.Sprintf("%d ok, %d lesser, %d missing; heisen works without what is missing",
		count[OK], count[Lesser], count[Missing])
}

// clean makes text from the machine safe for a terminal: it may hold a path or a setting that somebody
// else chose.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) {
			return '?'
		}
		return r
	}, s)
}

// size is a number of bytes in the binary unit people expect of memory.
func size(n uint64) string {
	switch {
	case n == math.MaxUint64:
		return "unlimited"
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// count is a limit as people read it.
func count(n uint64) string {
	if n == math.MaxUint64 {
		return "unlimited"
	}
	return fmt.Sprint(n)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func list(items []string) string { return strings.Join(items, "; ") }
