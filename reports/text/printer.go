// Package text renders reports for people at a terminal or in a log.
package text

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Style is how to write.
type Style struct {
	// Color allows ANSI colours.
	Color bool
	// Width cuts long lines to so many columns; 0 cuts nothing. Commands to copy are never cut.
	Width int
	// Zone is the time zone of clock times; nil is UTC.
	Zone *time.Location
}

// Paint is an SGR parameter (ECMA-48, 8.3.117).
type Paint string

const (
	Plain  Paint = ""
	Strong Paint = "1"
	Faint  Paint = "2"
	Red    Paint = "31"
	Yellow Paint = "33"
)

// Paint colours escaped text, if the style allows it.
func (s Style) Paint(p Paint, escaped string) string {
	if !s.Color || p == Plain || escaped == "" {
		return escaped
	}
	return "\x1b[" + string(p) + "m" + escaped + "\x1b[0m"
}

// Time writes a moment to the second.
func (s Style) Time(t time.Time) string {
	zone := s.Zone
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("2006-01-02 15:04:05 MST")
}

// printer writes lines. Every line passes through Escape as a whole, so no caller can forget it; colours
// are put around it afterwards. It keeps the first error and writes nothing after it.
type printer struct {
	w     io.Writer
	style Style
	err   error
}

// line writes one line, cut to the style's width.
func (p *printer) line(paint Paint, format string, args ...any) {
	text := strings.TrimRight(Escape(fmt.Sprintf(format, args...)), " ")
	p.raw(p.style.Paint(paint, Cut(text, p.style.Width)))
}

// copyable writes one line that is never cut, because a user may want to copy it.
func (p *printer) copyable(format string, args ...any) {
	p.raw(Escape(fmt.Sprintf(format, args...)))
}

func (p *printer) blank() { p.raw("") }

func (p *printer) raw(escaped string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, escaped+"\n")
	}
}

// item writes one point of a list, over several lines where the style's width asks for it.
func (p *printer) item(paint Paint, text string) {
	line := "  -"
	for _, word := range strings.Fields(Escape(text)) {
		if p.style.Width > 0 && Width(line)+1+Width(word) > p.style.Width && strings.TrimSpace(line) != "-" {
			p.line(paint, "%s", line)
			line = "   "
		}
		line += " " + word
	}
	p.line(paint, "%s", line)
}
