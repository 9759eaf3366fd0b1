package travel

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"heisen/repro/provenance"
)

// shortestSecret is the length in bytes below which a value is too common to be looked for.
const shortestSecret = 6

// Facts are what an export must keep at home.
type Facts struct {
	// Environ is the exporter's environment, NAME=value: values under secret-looking names are looked for.
	Environ []string
	// Home is the exporter's home folder: its name names a person.
	Home string
	// Secrets are further values that must not leave.
	Secrets []string
}

// rule finds what must not leave, as spans [from, to) of bytes.
type rule struct {
	// Name and why are shown to the user.
	name, why string
	find      func(text []byte) [][2]int
}

// rules are what an export looks for, in the order in which the preview shows them.
func rules(f Facts) []rule {
	all := []rule{{"secret's shape", "it looks like a password, key or token", provenance.Secrets}}
	for _, s := range secretsOf(f) {
		all = append(all, rule{s.name, s.why, anyOf(s.value)})
	}
	if home := strings.TrimRight(f.Home, "/"); strings.Count(home, "/") > 1 {
		name := home[strings.LastIndexByte(home, '/')+1:]
		all = append(all, rule{"home folder", "it names the person whose home it is", within(home, name)})
	}
	return append(all, rule{randomRule, "it looks random, as keys do (entropy)", random})
}

// secret is a value that must not leave, with how the preview names it.
type secret struct{ name, why, value string }

func secretsOf(f Facts) []secret {
	var all []secret
	for _, entry := range f.Environ {
		name, value, _ := strings.Cut(entry, "=")
		if len(value) >= shortestSecret && provenance.SecretName(name) {
			all = append(all, secret{"value of " + name, "the variable's name says that it is secret", value})
		}
	}
	for _, value := range f.Secrets {
		if len(value) >= shortestSecret {
			all = append(all, secret{"--secret", "you said so", value})
		}
	}
	slices.SortFunc(all, func(a, b secret) int { return strings.Compare(a.name, b.name) })
	return all
}

// forms are the ways in which a value is written: as it is, in a URL, in JSON, in base64 at each of the three
// offsets, in hexadecimal.
func forms(value string) []string {
	all := []string{value, url.QueryEscape(value), url.PathEscape(value), hex.EncodeToString([]byte(value)), strings.ReplaceAll(value, `"`, `\"`)}
	for offset := range 3 {
		// The characters at both ends also depend on the neighbours: only those in between are the value's alone.
		padded := strings.Repeat("\x00", offset) + value
		first := (offset*8 + 5) / 6
		last := len(padded) * 8 / 6
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if text := enc.EncodeToString([]byte(padded)); last-first >= shortestSecret {
				all = append(all, text[first:last])
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// digits are what a signature's title folds into a mark such as <n>.
var digits = regexp.MustCompile(`[0-9]+`)

// anyOf finds a value in all its forms, also as a signature's title shows it.
func anyOf(value string) func([]byte) [][2]int {
	var patterns []string
	for _, form := range forms(value) {
		patterns = append(patterns, regexp.QuoteMeta(form))
	}
	if len(digits.ReplaceAllString(value, "")) >= shortestSecret {
		patterns = append(patterns, digits.ReplaceAllString(regexp.QuoteMeta(value), `(?:[0-9]+|<[a-z]+>)`))
	}
	slices.SortFunc(patterns, func(a, b string) int { return len(b) - len(a) })
	return matches(regexp.MustCompile(strings.Join(patterns, "|")))
}

func matches(re *regexp.Regexp) func([]byte) [][2]int {
	return func(text []byte) [][2]int {
		var spans [][2]int
		for _, m := range re.FindAllIndex(text, -1) {
			spans = append(spans, [2]int{m[0], m[1]})
		}
		return spans
	}
}

// within finds a path and gives the span of its last part alone: the rest says where, not who.
func within(path, last string) func([]byte) [][2]int {
	find := matches(regexp.MustCompile(regexp.QuoteMeta(path) + `\b`))
	return func(text []byte) [][2]int {
		spans := find(text)
		for i := range spans {
			spans[i][0] = spans[i][1] - len(last)
		}
		return spans
	}
}
