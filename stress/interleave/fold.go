package interleave

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// identities matches what names a thing for one attempt only: addresses, UUIDs, long numbers, and what
// stands after pid, tid, id or port. The last alternative is a port behind a host. A short plain number
// stays: it is more often a value than a name.
var identities = regexp.MustCompile(`0[xX][0-9a-fA-F]{5,}` +
	`|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b` +
	`|\b[0-9a-fA-F]{8,}\b` +
	`|\b[0-9]{5,}\b` +
	`|(?i:\b(?:pid|tid|id|port)[ =:#]{1,3})([0-9]+)\b` +
	`|[\w\])]:([0-9]{4,5})\b`)

// slot stands for an identity in folded text.
const slot = "\x00"

// folder folds texts, each distinct one once.
type folder struct {
	known map[string]folded
}

// folded is text with slots for the identities in it.
type folded struct {
	text string
	ids  []string
}

// maxFolded bounds how many different texts are remembered.
const maxFolded = 1 << 14

func (f *folder) fold(text string) folded {
	if done, ok := f.known[text]; ok {
		return done
	}
	done := fold(text)
	if len(f.known) < maxFolded {
		f.known[text] = done
	}
	return done
}

func fold(text string) folded {
	text = printable(text)
	if !strings.ContainsAny(text, "0123456789") {
		return folded{text: text}
	}
	var b strings.Builder
	var ids []string
	from := 0
	for _, m := range identities.FindAllStringSubmatchIndex(text, -1) {
		start, end := m[0], m[1]
		for group := 2; group < len(m); group += 2 {
			if m[group] >= 0 {
				start, end = m[group], m[group+1]
			}
		}
		id := text[start:end]
		if !isIdentity(id) {
			continue
		}
		b.WriteString(text[from:start])
		b.WriteString(slot)
		ids = append(ids, strings.ToLower(id))
		from = end
	}
	b.WriteString(text[from:])
	return folded{b.String(), ids}
}

// isIdentity tells a word of letters that happen to be hexadecimal (defaced, feedface) from an identity.
func isIdentity(id string) bool { return strings.ContainsAny(id, "0123456789") }

// fill puts names into the slots.
func (f folded) fill(names []string) string {
	text := f.text
	for _, name := range names {
		text = strings.Replace(text, slot, name, 1)
	}
	return text
}

// printable replaces control characters and bytes that are no UTF-8: what the test wrote becomes part of keys
// and of JSON.
func printable(text string) string {
	plain := func(r rune) bool { return r >= ' ' && r != 0x7f && r != utf8.RuneError }
	if !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if plain(r) {
			return r
		}
		return utf8.RuneError
	}, text)
}
