package signature

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTitle is the longest title, in runes.
const maxTitle = 120

// title is the first failure of the set in one line, and how many more there are.
func title(failures []Failure) string {
	if len(failures) == 0 {
		return ""
	}
	more := ""
	if n := len(failures) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	return shorten(printable(headline(failures[0])), maxTitle-utf8.RuneCountInString(more)) + more
}

// headline gives the test's name at most two thirds of the line, so that a long name leaves room for
// what it said.
func headline(f Failure) string {
	line := f.Message
	if f.Test != "" && f.Message != "" {
		line = shorten(f.Test, 2*maxTitle/3) + ": " + f.Message
	} else if f.Test != "" {
		line = f.Test
	}
	if f.Where != "" {
		line += " (" + f.Where + ")"
	}
	return line
}

// printable keeps what a person can see. unicode.IsPrint refuses control and format characters, among
// them the ones that turn the direction of text around.
func printable(s string) string {
	return squeeze(strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' {
			return ' '
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s))
}

func shorten(s string, max int) string {
	runes := []rune(s)
	if len(runes) <= max {
		return s
	}
	return strings.TrimRight(string(runes[:max-1]), " ") + "…"
}
