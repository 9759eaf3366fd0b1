package markdown

import (
	"regexp"
	"strings"

	"heisen/reports/evidence"
	"heisen/reports/text"
	"heisen/repro/provenance"
)

// code is foreign text on one line, as a code span (CommonMark 0.31, 6.1): in it nothing is markup, and GitHub links
// nothing. Longer text is cut to so many characters.
func code(s string, most int) string {
	s = clip(text.Escape(scrub(s, most)), most)
	if strings.TrimSpace(s) == "" {
		return "(empty)"
	}
	ticks := strings.Repeat("`", longestRun(s)+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " " // one blank on each side is not part of the span
	}
	return ticks + s + ticks
}

// cell is code for a table, where a bar ends the cell even inside a span.
func cell(s string, most int) string { return strings.ReplaceAll(code(s, most), "|", `\|`) }

// fence is foreign text of many lines; a fence ends only at a run of backticks at least as long (4.5). Lines are
// escaped one by one.
func fence(language string, lines []string) string {
	var b strings.Builder
	longest := 2
	for _, l := range lines {
		longest = max(longest, longestRun(l))
	}
	ticks := strings.Repeat("`", longest+1)
	b.WriteString(ticks + language + "\n")
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	b.WriteString(ticks + "\n")
	return b.String()
}

func longestRun(s string) int {
	longest, run := 0, 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// punctuation is what a backslash makes plain (2.4), but for what ordinary sentences are full of and cannot begin
// markup in their middle.
var punctuation = regexp.MustCompile("[\\\\`*_{}\\[\\]<>#|~!&$^]")

// linked is what GitHub makes links of by itself: mentions, addresses, numbers of issues.
var linked = regexp.MustCompile(`(?i)@|://|www\.|#\d|\bgh-\d|mailto:|xmpp:`)

// breaker is a zero-width space: it shows as nothing and belongs to no mention or address.
const breaker = "\u200b"

// prose is a sentence of heisen's that may quote foreign text. Everything in it is plain text to a renderer.
func prose(s string, most int) string {
	s = clip(text.Escape(scrub(s, most)), most)
	s = linked.ReplaceAllStringFunc(s, func(m string) string { return m[:1] + breaker + m[1:] })
	s = punctuation.ReplaceAllString(s, `\$0`)
	return s
}

// scrub takes secrets out of the beginning of a text, of which so many characters will be shown: however long it is,
// that takes no time, and a secret that begins in what is shown is seen whole.
func scrub(s string, most int) string {
	return provenance.Scrub(s[:min(len(s), 4*most+evidence.MostLine)])
}

// clip cuts text to so many characters.
func clip(s string, most int) string {
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
