package text_test

import (
	"os/exec"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"heisen/reports/internal/recorded"
	"heisen/reports/text"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, naïve 日本 🙂":    "plain text, naïve 日本 🙂",
		"":                          "",
		"\x1b[31mred\x1b[0m":        `\x1b[31mred\x1b[0m`,
		"a\nb\r\tc":                 `a\nb\r\tc`,
		"\x00\x7f":                  `\x00\x7f`,
		"\u009b31m":                 `\u009b31m`,
		"\u202egnp.exe":             `\u202egnp.exe`,
		"zero\u200bwidth":           `zero\u200bwidth`,
		"\xff\xfe":                  `\xff\xfe`,
		"\U000e0041":                `\U000e0041`,
		"##[error]x ##vso[a]":       `#\x23[error]x #\x23vso[a]`,
		"### heading, C# and ##doc": "### heading, C# and ##doc",
		"back\\slash":               `back\slash`,
		"cut in a letter \xe6\x97":  `cut in a letter \xe6\x97`,
	} {
		require.Equal(t, want, text.Escape(in), "%q", in)
	}
	require.Equal(t, "    x", text.EscapeLine("\tx"))
}

func checkSafe(t require.TestingT, s string) {
	require.True(t, utf8.ValidString(s))
	for _, r := range s {
		require.True(t, unicode.IsPrint(r), "%q in %q", r, s)
	}
	require.NotContains(t, s, "##[")
	require.NotContains(t, s, "##vso[")
}

func TestFault27NothingHostileIsLeft(t *testing.T) {
	checkSafe(t, text.Escape(recorded.Hostile))
	control := &verdict{}
	checkSafe(control, recorded.Hostile)
	require.True(t, control.failed, "control: as it came it is not safe")
}

// verdict notes that a check failed, for a control that must.
type verdict struct{ failed bool }

func (v *verdict) Errorf(string, ...any) { v.failed = true }
func (v *verdict) FailNow()              { v.failed = true }

func FuzzEscape(f *testing.F) {
	f.Add(recorded.Hostile)
	f.Add("#####[x]")
	f.Fuzz(func(t *testing.T, s string) {
		once := text.Escape(s)
		checkSafe(t, once)
		require.Equal(t, once, text.Escape(once), "escaping twice changes nothing")
		if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == '#' }) {
			require.Equal(t, s, once, "harmless text is untouched")
		}
	})
}

// A shell must read back what Quote wrote.
func TestQuoteForAShell(t *testing.T) {
	require.Equal(t, "./a/b-c_d.go", text.Quote("./a/b-c_d.go"))
	require.Equal(t, "''", text.Quote(""))
	args := []string{"a b", "it's", "$HOME", "`id`", "*", "~", "a\\b", "!x", "x;y", "\"q\"", "#c", "{a,b}", "日本"}
	out, err := exec.Command("sh", "-c", "printf '%s\\n' "+text.QuoteAll(args)).Output()
	require.NoError(t, err)
	require.Equal(t, strings.Join(args, "\n")+"\n", string(out))
}

func TestWidthAndCut(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "日本": 4, "e\u0301": 1, "🙂": 2, "–": 1} {
		require.Equal(t, want, text.Width(s), "%q", s)
	}
	require.Equal(t, "abcdef", text.Cut("abcdef", 6))
	require.Equal(t, "abcd…", text.Cut("abcdef", 5))
	require.Equal(t, "日…", text.Cut("日本語", 4))
	require.Equal(t, "abcdef", text.Cut("abcdef", 0), "no width, no cut")
	rapid.Check(t, func(t *rapid.T) {
		s := text.Escape(rapid.String().Draw(t, "s"))
		width := rapid.IntRange(1, 40).Draw(t, "width")
		require.LessOrEqual(t, text.Width(text.Cut(s, width)), width)
	})
}
