package signature

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first used: the program is started once more for every
// attempt that it disturbs, and does without them there.
type pattern struct{ compiled func() *regexp.Regexp }

func lazily(expression string) *pattern {
	return &pattern{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })}
}

func (p *pattern) FindStringSubmatch(s string) []string { return p.compiled().FindStringSubmatch(s) }
func (p *pattern) MatchString(s string) bool            { return p.compiled().MatchString(s) }

func (p *pattern) ReplaceAllString(s, with string) string {
	return p.compiled().ReplaceAllString(s, with)
}

func (p *pattern) ReplaceAllStringFunc(s string, with func(string) string) string {
	return p.compiled().ReplaceAllStringFunc(s, with)
}
