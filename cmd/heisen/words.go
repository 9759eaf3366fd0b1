package main

import "strings"

// splitWords takes a command line apart as a shell does words: blanks separate, quotes and backslashes keep together.
// Nothing is expanded and no shell is run, which would be one more process between heisen and the test.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	in, quote, escaped := false, rune(0), false
	for _, r := range line {
		switch {
		case escaped:
			if quote == '"' && !strings.ContainsRune("\"\\$`", r) {
				word.WriteRune('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			in, escaped = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			in, quote = true, r
		case strings.ContainsRune(" \t\n", r):
			if in {
				words = append(words, word.String())
				word.Reset()
			}
			in = false
		default:
			in = true
			word.WriteRune(r)
		}
	}
	if quote != 0 || escaped {
		return nil, usagef("--cmd %q: a quote is not closed, or a backslash stands last", line)
	}
	if in {
		words = append(words, word.String())
	}
	if len(words) == 0 {
		return nil, usagef("--cmd %q: give a command", line)
	}
	return words, nil
}
