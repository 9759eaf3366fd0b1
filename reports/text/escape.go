package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes text from a test, a journal or a command line safe to print on one line of a terminal or a
// log. It is the only place that decides what is safe, and everything that did not come from heisen's own
// source passes through it.
//
// Printable text and spaces stay. Control characters (C0, DEL and C1, so every terminal escape sequence
// loses its start), line breaks, invisible and direction-turning marks and bytes that are no UTF-8 become
// \n, \t, \x1b, \u202e or \xff. The marks by which some CI systems find commands anywhere in a line, ##[ and
// ##name[, are broken up as well.
func Escape(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case startsLogCommand(s[i:]):
			b.WriteString(`#\x23`)
			size = 2
		default:
			b.WriteString(escapeRune(r))
		}
		i += size
	}
	return b.String()
}

// EscapeLine is Escape for a line of a test's output, where tabs are worth keeping: each becomes four
// spaces.
func EscapeLine(s string) string {
	return Escape(strings.ReplaceAll(s, "\t", "    "))
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f || s[i] == '#' {
			return false
		}
	}
	return true
}

func escapeRune(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case unicode.IsPrint(r):
		return string(r)
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// startsLogCommand recognises ##[error], ##vso[...] and ##teamcity[...], which the agents of GitHub, Azure
// and TeamCity obey wherever in a line they stand.
func startsLogCommand(s string) bool {
	rest, found := strings.CutPrefix(s, "##")
	if !found {
		return false
	}
	return strings.HasPrefix(strings.TrimLeftFunc(rest, unicode.IsLetter), "[")
}

// Quote writes an argument so that a shell reads it back as one word with the same characters: bare where
// that is safe, else in single quotes. It does not escape; print the result through Escape.
func Quote(arg string) string {
	special := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("%+,-./:=@_", r))
	}
	if arg != "" && !strings.ContainsFunc(arg, special) {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// QuoteAll writes a command line.
func QuoteAll(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = Quote(a)
	}
	return strings.Join(quoted, " ")
}
