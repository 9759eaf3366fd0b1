package signature

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxOutput bounds the work: of a longer output the two halves of the bound at its ends are read.
const maxOutput = 8 << 20

// split cuts raw at the dump and bounds both sides. An offset outside raw means no dump.
func split(raw []byte, dumpAt int) (output, dump []byte) {
	if dumpAt < 0 || dumpAt > len(raw) {
		return bound(raw), nil
	}
	return bound(raw[:dumpAt]), bound(raw[dumpAt:])
}

func bound(raw []byte) []byte {
	if len(raw) <= maxOutput {
		return raw
	}
	cut := make([]byte, 0, maxOutput+1)
	cut = append(cut, raw[:maxOutput/2]...)
	cut = append(cut, '\n')
	return append(cut, raw[len(raw)-maxOutput/2:]...)
}

// clean makes text of bytes: terminal escapes go, a carriage return ends a line (so every state of a
// progress display is a line of its own and hides nothing), invalid UTF-8 becomes U+FFFD, and all that
// is not printable goes, except tabs, which carry structure.
func clean(raw []byte) string {
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case c == 0x1b:
			i += escape(raw[i:])
		case c == '\r':
			i++
			if i >= len(raw) || raw[i] != '\n' {
				b.WriteByte('\n')
			}
		case c == '\n' || c == '\t' || (c >= ' ' && c < 0x7f):
			b.WriteByte(c)
			i++
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(raw[i:])
			if r == 0x9b { // the one-character form of ESC [
				i += size + sequence(raw[i+size:])
				continue
			}
			if unicode.IsPrint(r) {
				b.WriteRune(r)
			}
			i += size
		}
	}
	return b.String()
}

// maxEscape bounds a string sequence, so that an OSC without its end does not swallow the log.
const maxEscape = 4096

// escape returns the length of the terminal escape at the start of s (ECMA-48: CSI is ESC [, parameter
// bytes, one final byte in 0x40-0x7e; OSC, DCS, SOS, PM and APC run to BEL or ESC \).
func escape(s []byte) int {
	if len(s) < 2 {
		return len(s)
	}
	switch s[1] {
	case '[':
		return 2 + sequence(s[2:])
	case ']', 'P', 'X', '^', '_':
		for i := 2; i < len(s) && i < maxEscape; i++ {
			switch s[i] {
			case 0x07:
				return i + 1
			case 0x1b, '\n', '\r':
				// ESC \ ends it; any other escape or a new line means that its end was cut off.
				if s[i] == 0x1b && i+1 < len(s) && s[i+1] == '\\' {
					return i + 2
				}
				return i
			}
		}
	case '\n', '\r':
		return 1
	}
	return 2
}

// sequence returns the length of what follows a control sequence introducer, its final byte included.
func sequence(s []byte) int {
	for i := 0; i < len(s) && i < maxEscape; i++ {
		if s[i] < 0x20 || s[i] > 0x7e {
			return i
		}
		if s[i] >= 0x40 {
			return i + 1
		}
	}
	return min(len(s), maxEscape)
}
