package live

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// terminal is a terminal of a fixed width that knows what the view uses: line feed, carriage return, cursor
// up, erase below, and colours. Anything else is noted as strange. It has no bottom, so its text is the
// screen and the scrollback in one.
type terminal struct {
	mu      sync.Mutex
	width   int
	rows    [][]rune
	row     int
	col     int
	strange []string
	writes  int
	colors  int
}

func newTerminal(width int) *terminal { return &terminal{width: width, rows: [][]rune{{}}} }

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writes++
	for rest := string(p); rest != ""; {
		if strings.HasPrefix(rest, "\x1b[") {
			rest = t.sequence(rest[2:])
			continue
		}
		r := []rune(rest)[0]
		rest = rest[len(string(r)):]
		switch {
		case r == '\n':
			t.down()
			t.col = 0
		case r == '\r':
			t.col = 0
		case r < ' ':
			t.strange = append(t.strange, fmt.Sprintf("%q", r))
		default:
			t.put(r)
		}
	}
	return len(p), nil
}

func (t *terminal) down() {
	if t.row++; t.row == len(t.rows) {
		t.rows = append(t.rows, []rune{})
	}
}

func (t *terminal) put(r rune) {
	if t.col == t.width {
		t.down()
		t.col = 0
	}
	line := t.rows[t.row]
	for len(line) <= t.col {
		line = append(line, ' ')
	}
	line[t.col] = r
	t.rows[t.row] = line
	t.col++
}

// sequence obeys one control sequence and returns what follows it.
func (t *terminal) sequence(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool { return r >= '@' && r <= '~' })
	n, _ := strconv.Atoi(s[:end])
	switch s[end] {
	case 'A':
		if t.row -= n; t.row < 0 {
			t.strange = append(t.strange, "cursor above the start")
			t.row = 0
		}
	case 'J':
		t.rows = t.rows[:t.row+1]
		t.rows[t.row] = t.rows[t.row][:min(t.col, len(t.rows[t.row]))]
	case 'm':
		t.colors++
	default:
		t.strange = append(t.strange, s[:end+1])
	}
	return s[end+1:]
}

// text is everything that can be read, each line without its trailing spaces.
func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	for _, r := range t.rows {
		lines = append(lines, strings.TrimRight(string(r), " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func (t *terminal) written() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.writes
}
