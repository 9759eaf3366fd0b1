package provenance

import "regexp"

// Redacted stands where Scrub took something out.
const Redacted = "[redacted]"

var secretName = regexp.MustCompile(`(?i)token|secret|passw|credential|api_?key|private|auth`)

// secrets lists the shapes that Scrub knows; what the groups of a pattern matched stays.
var secrets = []*regexp.Regexp{
	regexp.MustCompile(`(?s)()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)`),
	// scheme://user:password@host
	regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(@)`),
	regexp.MustCompile(`(?i)(authorization:\s*basic |\bbearer )[a-z0-9+/=_.~-]{8,}`),
	regexp.MustCompile(`(?i)([a-z0-9_-]*(?:token|secret|passwd|password|api[_-]?key|access[_-]?key)["']?\s*[=:]\s*["']?)[^\s"',;&]{6,}`),
	// Keys with a prefix of their maker's: AWS, GitHub, GitLab, Slack, and JSON web tokens.
	regexp.MustCompile(`()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`),
	regexp.MustCompile(`()\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-)[A-Za-z0-9_-]{10,}`),
	regexp.MustCompile(`()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`),
}

// SecretName tells whether a variable's name says that its value is secret.
func SecretName(name string) bool { return secretName.MatchString(name) }

// Secrets finds what Scrub would take out, as spans [from, to) of bytes.
func Secrets(text []byte) (spans [][2]int) {
	for _, pattern := range secrets {
		for _, m := range pattern.FindAllSubmatchIndex(text, -1) {
			span := [2]int{m[0], m[1]}
			if m[2] >= 0 {
				span[0] = m[3] // what the first group matched stays
			}
			if len(m) > 4 && m[4] >= 0 {
				span[1] = m[4]
			}
			spans = append(spans, span)
		}
	}
	return spans
}

// Scrub takes what looks like a secret out of text. It is best effort: it knows common shapes, and a secret
// of another shape stays.
func Scrub(text string) string {
	for _, pattern := range secrets {
		text = pattern.ReplaceAllString(text, "${1}"+Redacted+"${2}")
	}
	return text
}
