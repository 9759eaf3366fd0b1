package live

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"heisen/reports/text"
)

// screen writes lines that stay, and under them a block that the next write replaces. It uses cursor up
// (CUU) and erase below (ED) alone (ECMA-48, 8.3.22 and 8.3.39), so everything else on the terminal stays in
// its scrollback. After an error it writes nothing more.
type screen struct {
	w    io.Writer
	size func() (width, height int)
	// drawn holds the width in columns of each line of the block that is on the screen.
	drawn []int
	err   error
}

// bounds is the terminal's size, with a guess where it has none.
func (s *screen) bounds() (width, height int) {
	width, height = s.size()
	if width <= 0 {
		width = 80
	}
	if height <= 0 {
		height = 24
	}
	return width, height
}

// update erases the block, writes the lines that stay and then the new block, all in one write.
func (s *screen) update(stay, block []string) {
	if len(stay)+len(block)+len(s.drawn) == 0 || s.err != nil {
		return
	}
	var b strings.Builder
	if rows := s.rows(); rows > 0 {
		fmt.Fprintf(&b, "\r\x1b[%dA\x1b[J", rows)
	}
	s.drawn = s.drawn[:0]
	for _, line := range stay {
		b.WriteString(line + "\n")
	}
	for _, line := range block {
		b.WriteString(line + "\n")
		s.drawn = append(s.drawn, visibleWidth(line))
	}
	_, s.err = io.WriteString(s.w, b.String())
}

// forget leaves the block where it is: something else has written on the terminal since.
func (s *screen) forget() { s.drawn = nil }

// rows is how many rows the block takes now: a terminal that was made narrower has wrapped its lines.
func (s *screen) rows() int {
	width, _ := s.bounds()
	n := 0
	for _, w := range s.drawn {
		n += max(1, (w+width-1)/width)
	}
	return n
}

// visibleWidth is the width of a line without its colours, which are the only escape sequences in it.
func visibleWidth(line string) int {
	n := 0
	for len(line) > 0 {
		if strings.HasPrefix(line, "\x1b[") {
			_, line, _ = strings.Cut(line, "m")
			continue
		}
		_, size := utf8.DecodeRuneInString(line)
		n += text.Width(line[:size])
		line = line[size:]
	}
	return n
}
