package signature

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "a\tb\n", "a\tb\n"},
		{"colour", "\x1b[1;31mFAIL\x1b[0m", "FAIL"},
		{"cursor query", "a\x1b[6nb", "ab"},
		{"title, ended by BEL", "\x1b]0;title\x07a", "a"},
		{"link, ended by ST", "\x1b]8;;http://x\x1b\\a\x1b]8;;\x1b\\", "a"},
		{"clipboard", "\x1b]52;c;QQ==\x07a", "a"},
		{"OSC without an end stops at the line", "\x1b]2;swallow\nFAIL", "\nFAIL"},
		{"two-byte escape", "\x1bMa", "a"},
		{"escape at a line's end keeps the line", "a\x1b\nb", "a\nb"},
		{"escape at the end", "a\x1b", "a"},
		{"CSI at the end", "a\x1b[3", "a"},
		{"CSI broken off by a line", "a\x1b[3\nb", "a\nb"},
		{"DOS lines", "a\r\nb\r\n", "a\nb\n"},
		{"progress", "10%\r20%\rdone", "10%\n20%\ndone"},
		{"NUL and BEL", "a\x00\x07b", "ab"},
		{"backspace", "a\bb", "ab"},
		{"C1 control", "a\u0085b", "ab"},
		{"CSI in one character", "a\u009b31mb", "ab"},
		{"right to left override", "a\u202eb", "ab"},
		{"letters of others", "é√日本", "é√日本"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, clean([]byte(c.in))) })
	}
}

func TestCleanMakesValidText(t *testing.T) {
	got := clean([]byte("a\xffb\xc3(\xf0\x9f"))
	require.True(t, utf8.ValidString(got))
	require.Contains(t, got, "(")
}

func TestEscapeIsBounded(t *testing.T) {
	long := append([]byte("\x1b]2;"), bytes.Repeat([]byte("x"), 3*maxEscape)...)
	got := clean(append(long, "\nFAIL\n"...))
	require.Contains(t, got, "\nFAIL\n")
	require.Contains(t, got, "xxx", "an escape without an end does not swallow the log")
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		at           int
		output, dump string
	}{{-1, "abcd", ""}, {0, "", "abcd"}, {2, "ab", "cd"}, {4, "abcd", ""}, {5, "abcd", ""}, {-7, "abcd", ""}} {
		output, dump := split([]byte("abcd"), c.at)
		require.Equal(t, c.output, string(output), c.at)
		require.Equal(t, c.dump, string(dump), c.at)
	}
}

func TestBoundKeepsBothEnds(t *testing.T) {
	raw := append([]byte("head\n"), bytes.Repeat([]byte("x"), 2*maxOutput)...)
	got := bound(append(raw, "\ntail"...))
	require.LessOrEqual(t, len(got), maxOutput+1)
	require.True(t, bytes.HasPrefix(got, []byte("head\n")))
	require.True(t, bytes.HasSuffix(got, []byte("\ntail")))
}

func TestNewLogBoundsLines(t *testing.T) {
	l := newLog([]byte("first\n" + strings.Repeat("\n", 3*maxLines) + "last\n"))
	require.LessOrEqual(t, len(l.lines), 2*maxLines)
	require.Equal(t, "first", l.at(0))
	require.Equal(t, "last", l.at(len(l.lines)-1))
	require.Equal(t, "", l.at(-1))
	require.Equal(t, "", l.at(len(l.lines)))

	l = newLog([]byte(strings.Repeat("x", 3*maxLine) + "\nnext"))
	require.Len(t, l.lines[0], maxLine)
	require.Equal(t, "next", l.at(1))
}

func TestBlock(t *testing.T) {
	l := newLog([]byte("a\nb\n\nc\n"))
	empty := func(line string) bool { return line == "" }
	require.Equal(t, []string{"a", "b"}, l.block(0, 9, empty))
	require.Equal(t, []string{"a"}, l.block(0, 1, empty))
	require.Nil(t, l.block(9, 9, empty))
}

func TestBase(t *testing.T) {
	for in, want := range map[string]string{"/a/b.c": "b.c", `C:\x\y.go`: "y.go", "plain": "plain", "/": ""} {
		require.Equal(t, want, base(in))
	}
}

func TestEnvironment(t *testing.T) {
	for says, want := range map[string]string{
		"OSError: [Errno 24] Too many open files":                            "out of file descriptors",
		"Error: EMFILE: too many open files, open 'x'":                       "out of file descriptors",
		"write x: no space left on device":                                   "no space left on device",
		"bind: address already in use":                                       "address already in use",
		"Error: listen EADDRINUSE: :::80":                                    "address already in use",
		"fork: Cannot allocate memory":                                       "out of memory",
		"Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap": "out of memory",
		"RuntimeError: can't start new thread":                               "out of processes",
		"sh: 1: Cannot fork: Resource temporarily unavailable":               "out of processes",
		"all is well": "",
	} {
		s := Of(Input{Output: []byte(says), DumpAt: -1, Outcome: run.Fail, Code: 1})
		require.Equal(t, want, s.Environment, says)
	}
}
