package travel

import (
	"bytes"
	"cmp"
	"slices"
	"unicode/utf8"
)

// Finding is one kind of thing that an export masks in one file.
type Finding struct {
	// Rule names what found it, Why says in words what it is.
	Rule, Why string
	// File is the bundle's file, Count how often, Line the first line (from 1), 0 in the manifest.
	File  string
	Count int
	Line  int
}

// word stands in place of what was masked, filled up to the length of that: places in the output (its times,
// the gap, the dump) stay where they are.
const word = "[redacted]"

// mask overwrites what the rules find in one text. What two rules find is counted for the first.
func mask(name string, text []byte, rules []rule) ([]byte, []Finding) {
	masked := bytes.Clone(text)
	var found []Finding
	for _, r := range rules {
		spans := r.find(masked)
		spans = slices.DeleteFunc(spans, func(s [2]int) bool { return done(masked[s[0]:s[1]]) })
		if len(spans) == 0 {
			continue
		}
		slices.SortFunc(spans, func(a, b [2]int) int { return a[0] - b[0] })
		found = append(found, Finding{Rule: r.name, Why: r.why, File: name, Count: len(spans),
			Line: 1 + bytes.Count(masked[:spans[0][0]], []byte("\n"))})
		for _, s := range spans {
			overwrite(masked[s[0]:s[1]])
		}
	}
	return masked, found
}

// overwrite puts the word, or what of it there is room for, and stars after it. Line ends stay, so that lines do.
func overwrite(span []byte) {
	for i := range span {
		switch {
		case span[i] == '\n':
		case i < len(word) && len(span) >= len(word):
			span[i] = word[i]
		default:
			span[i] = '*'
		}
	}
}

// done tells whether a span was masked before.
func done(span []byte) bool {
	return len(bytes.Trim(bytes.TrimPrefix(span, []byte(word)), "*")) == 0
}

// textual tells whether a file's content is text that can be masked. Of anything else only the whole can be left
// out: bytes that change inside a core or a database make it useless and prove nothing.
func textual(data []byte) bool {
	head := data[:min(len(data), 8<<10)]
	for len(head) > 0 && len(head) < len(data) && !utf8.RuneStart(head[len(head)-1]) {
		head = head[:len(head)-1]
	}
	return !bytes.ContainsRune(head, 0)
}

// merge adds up findings of one rule in one file.
func merge(all []Finding) []Finding {
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Rule, b.Rule)) })
	var out []Finding
	for _, f := range all {
		if n := len(out); n > 0 && out[n-1].File == f.File && out[n-1].Rule == f.Rule {
			out[n-1].Count += f.Count
			continue
		}
		out = append(out, f)
	}
	return out
}
