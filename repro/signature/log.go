package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// log is cleaned output. Its lines are slices of its text, cut to maxLine bytes each.
type log struct {
	text  string
	lines []string
}

const (
	// maxLine leaves whole what `go test -json` writes for one line (4 KiB, escaped).
	maxLine = 32 << 10
	// maxLines bounds memory on an output of line feeds; of more lines both ends are kept.
	maxLines = 400_000
	// maxText bounds every single text of a failure, in runes.
	maxText = 300
)

func newLog(raw []byte) *log {
	text := expandGoJSON(clean(raw))
	l := &log{text: text}
	for len(text) > 0 {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		if len(line) > maxLine {
			line = line[:maxLine]
		}
		l.lines = append(l.lines, strings.TrimRight(line, " \t"))
		if len(l.lines) == 2*maxLines {
			l.lines = append(l.lines[:maxLines:maxLines], l.lines[3*maxLines/2:]...)
		}
	}
	return l
}

// at returns line i, empty outside the log.
func (l *log) at(i int) string {
	if i < 0 || i >= len(l.lines) {
		return ""
	}
	return l.lines[i]
}

// block returns the lines from i on until stop says so, at most max of them.
func (l *log) block(i, max int, stop func(line string) bool) []string {
	end := i
	for end < len(l.lines) && end-i < max && !stop(l.lines[end]) {
		end++
	}
	if i >= end {
		return nil
	}
	return l.lines[i:end]
}

// clip cuts a text to max runes. What is cut off leaves a short hash behind, so that two long texts
// which differ at their ends stay different.
func clip(s string, max int) string {
	if len(s) <= max {
		return s
	}
	runes := []rune(s)
	if len(runes) <= max {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return string(runes[:max-8]) + "…" + hex.EncodeToString(sum[:])[:7]
}

// base is the last element of a path, of either kind of slash.
func base(path string) string {
	if i := strings.LastIndexAny(path, `/\`); i >= 0 {
		return path[i+1:]
	}
	return path
}

// squeeze joins the words of a text by single spaces.
func squeeze(s string) string {
	return strings.Join(strings.Fields(s), " ")
}
