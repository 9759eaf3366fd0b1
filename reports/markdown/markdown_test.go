package markdown_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/reports/evidence"
	"heisen/reports/internal/golden"
	"heisen/reports/internal/recorded"
	"heisen/reports/markdown"
	"heisen/reports/text"
	"heisen/stress/run"
)

func render(t *testing.T, i markdown.Issue) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, markdown.Write(&b, i))
	return b.String()
}

func build(t *testing.T, events []run.Event) *reports.Report {
	r := reports.Build(recorded.Tally(t, events), reports.Facts{Dir: recorded.Dir})
	return &r
}

// stable takes the folder out that differs from run to run.
func stable(s string, a *evidence.Attempt) string { return strings.ReplaceAll(s, a.Dir, "/bundle") }

func TestReportsOfRecordedCampaigns(t *testing.T) {
	fail, _ := recorded.Attempts(t)
	rare, troubled, clean := build(t, recorded.Rare()), build(t, recorded.Troubled()), build(t, recorded.Clean())
	for name, i := range map[string]markdown.Issue{
		"rare":     {Report: rare, Signature: &rare.Signatures[0], Attempt: fail, Flavour: markdown.GitHub},
		"plain":    {Report: rare, Signature: &rare.Signatures[0], Attempt: fail, Flavour: markdown.Plain},
		"troubled": {Report: troubled, Signature: &troubled.Signatures[0], Flavour: markdown.GitHub},
		"clean":    {Report: clean, Flavour: markdown.GitHub},
		"alone":    {Attempt: fail, Flavour: markdown.GitHub},
	} {
		got := stable(render(t, i), fail)
		golden.Equal(t, name+".md", got)
		require.NotContains(t, got, recorded.Secret)
		for _, r := range got {
			require.True(t, r == '\n' || r == '\u200b' || unicode.IsPrint(r), "%s: %q", name, r)
		}
	}
}

// The figures are those of the summary, letter by letter.
func TestTheRateIsTheSummarys(t *testing.T) {
	r := build(t, recorded.Rare())
	var summary bytes.Buffer
	require.NoError(t, text.Summary(&summary, *r, text.Style{}))
	line := text.RateLine(r.Rate)
	require.Contains(t, summary.String(), line)
	require.Contains(t, render(t, markdown.Issue{Report: r, Flavour: markdown.GitHub}), line)
}

// Whatever is not in a fence or a code span is plain: no markup of the test's, no mention and no address.
func TestForeignTextIsInert(t *testing.T) {
	fail, _ := recorded.Attempts(t)
	r := build(t, recorded.Troubled())
	hostile := "@octocat see http://evil.example www.evil.example <img src=x> [a](b) **b** #12 GH-3 `x` ```"
	r.Doubts = append(r.Doubts, hostile)
	r.Signatures[0].Title = "`` " + hostile
	r.MachineFaults = map[string]int64{hostile: 1}
	for _, flavour := range []markdown.Flavour{markdown.GitHub, markdown.Plain} {
		outside := outsideCode(t, render(t, markdown.Issue{Report: r, Signature: &r.Signatures[0], Attempt: fail, Flavour: flavour}))
		require.NotRegexp(t, `(^|[^\\])(<img|\*\*b|\[a\])`, outside)
		require.NotRegexp(t, `@octocat|://evil|www\.|#12|GH-3`, outside)
	}
}

// outsideCode removes fences and code spans as CommonMark (0.31, 4.5 and 6.1) delimits them.
func outsideCode(t *testing.T, doc string) string {
	var out strings.Builder
	fence := ""
	for line := range strings.Lines(doc) {
		line = strings.TrimSuffix(line, "\n")
		ticks := regexp.MustCompile("^`{3,}").FindString(line)
		switch {
		case fence == "" && ticks != "" && !strings.Contains(line[len(ticks):], "`"):
			fence = ticks
		case fence != "":
			if len(ticks) >= len(fence) && strings.Trim(line, "`") == "" {
				fence = ""
			}
		default:
			out.WriteString(withoutSpans(line) + "\n")
		}
	}
	require.Empty(t, fence, "a fence that never ends")
	return out.String()
}

func withoutSpans(line string) string {
	var out strings.Builder
	for i := 0; i < len(line); {
		n := ticksAt(line, i)
		switch {
		case line[i] == '\\' && i+1 < len(line):
			out.WriteString(line[i : i+2])
			i += 2
		case n > 0:
			end := i + n
			for end < len(line) && ticksAt(line, end) != n {
				end += max(1, ticksAt(line, end))
			}
			if end >= len(line) { // no span
				out.WriteString(line[i : i+n])
				end = i
			}
			i = end + n
		default:
			out.WriteByte(line[i])
			i++
		}
	}
	return out.String()
}

// ticksAt is how many backticks stand at a place.
func ticksAt(line string, i int) int { return len(line[i:]) - len(strings.TrimLeft(line[i:], "`")) }

func TestNoReportIsTooLong(t *testing.T) {
	fail, _ := recorded.Attempts(t)
	r := build(t, recorded.Rare())
	long := strings.Repeat("`|<é@a ", 2_000)
	r.Command = []string{long}
	for range 500 {
		r.Doubts = append(r.Doubts, long)
		r.Signatures = append(r.Signatures, reports.Signature{Title: long})
	}
	fail.Manifest.Command.Given = fail.Manifest.Command.Given[:0]
	for range 200 {
		fail.Head = append(fail.Head, evidence.Line{Text: long})
		fail.Tail = append(fail.Tail, evidence.Line{Text: "the end " + long})
	}
	for _, flavour := range []markdown.Flavour{markdown.GitHub, markdown.Plain} {
		got := render(t, markdown.Issue{Report: r, Signature: &r.Signatures[0], Attempt: fail, Flavour: flavour})
		require.LessOrEqual(t, utf8.RuneCountInString(got), markdown.Most)
		require.Greater(t, utf8.RuneCountInString(got), markdown.Most/2, "the room is used")
		require.Contains(t, got, "the end")
		require.Contains(t, got, "left out here")
	}
}
