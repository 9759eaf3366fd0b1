package markdown_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"heisen/reports"
	"heisen/reports/internal/recorded"
	"heisen/reports/markdown"
	words "heisen/reports/text"
)

// rendered is a report as GitHub's flavour of CommonMark reads it.
type rendered struct {
	headings []string
	tables   [][2]int // rows and columns
	fences   []string
	html     string
	prose    string // all text outside of code
	links    int
}

func parse(doc string, gfm bool) rendered {
	md := goldmark.New()
	if gfm {
		md = goldmark.New(goldmark.WithExtensions(extension.GFM))
	}
	source := []byte(doc)
	var r rendered
	_ = ast.Walk(md.Parser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			r.headings = append(r.headings, strings.Repeat("#", n.Level)+" "+plain(n, source))
		case *extast.Table:
			r.tables = append(r.tables, [2]int{n.ChildCount(), n.FirstChild().ChildCount()})
		case *ast.FencedCodeBlock:
			r.fences = append(r.fences, string(n.Language(source))+"\n"+string(n.Lines().Value(source)))
			return ast.WalkSkipChildren, nil
		case *ast.CodeBlock:
			r.fences = append(r.fences, "indented\n"+string(n.Lines().Value(source)))
			return ast.WalkSkipChildren, nil
		case *ast.HTMLBlock:
			r.html += string(n.Lines().Value(source))
		case *ast.RawHTML:
			r.html += string(n.Segments.Value(source))
		case *ast.Link, *ast.Image, *ast.AutoLink:
			r.links++
		case *ast.CodeSpan:
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			r.prose += string(n.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return r
}

// plain is a node's text, code spans included.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, is := c.(*ast.Text); is {
			b.Write(t.Value(source))
		} else {
			b.WriteString(plain(c, source))
		}
	}
	return b.String()
}

// full is an issue in which every section has something to say.
func full(t *testing.T, flavour markdown.Flavour) markdown.Issue {
	fail, _ := recorded.Attempts(t)
	r := build(t, recorded.Rare())
	r.Doubts = append(r.Doubts, recorded.Markup, recorded.Hostile)
	r.Signatures[1].Title = recorded.Markup
	r.Starvation = &reports.Starvation{}
	r.Starvation.Sentence = "cannot tell yet: 3 failures " + recorded.Markup
	r.Chaos = &reports.Chaos{Strategies: []reports.Strategy{{Name: "hold | " + recorded.Markup, Rate: r.Rate}}}
	return markdown.Issue{Report: r, Signature: &r.Signatures[0], Attempt: fail, Flavour: flavour, Repro: replayed(), Revisions: []reports.Revision{
		{Epoch: 1, ID: "aaaa", Rate: reports.Rate{Attempts: 700, High: 0.0053}}, {Epoch: 2, ID: "bbbb", Dirty: true, Rate: r.Rate}}}
}

func replayed() *reports.Repro {
	plain := reports.CountReplays(0, 0, 6)
	return &reports.Repro{Replays: reports.CountReplays(12, 1, 14), Plain: &plain, Differences: []string{"kernel " + recorded.Markup},
		Minimized: &reports.Minimized{Verdict: "minimal", Of: 31, Spent: 410, Conditions: []string{"width", recorded.Markup}, Dropped: []string{"seed"},
			Whole: reports.CountReplays(18, 0, 20), NoHolds: reports.CountReplays(0, 0, 20), Replays: reports.CountReplays(39, 0, 40),
			Holds: []reports.MinimalHold{{Thread: "0.1", Kind: "futex.exit", Site: recorded.Markup, N: 3, Hold: reports.Seconds(20 * time.Millisecond), FailsFrom: reports.Seconds(7 * time.Millisecond)}}},
		Explanation: "it fails where A comes before B " + recorded.Hostile}
}

// The report is what it looks like in a renderer: its own headings, tables and fences, and of the test's texts nothing
// but text.
func TestTheReportAsARendererReadsIt(t *testing.T) {
	for _, flavour := range []markdown.Flavour{markdown.GitHub, markdown.Plain} {
		doc := render(t, full(t, flavour))
		r := parse(doc, flavour == markdown.GitHub)
		require.Equal(t, []string{"# Flaky: QueueTest.test_shrinking: AssertionError: 3 != 4", "## Reproduce", "## Where failing and passing attempts part",
			"## Was it the CPU?", "## Schedules disturbed on purpose", "## What was done to this attempt's schedule", "## Does it come back?",
			"## Kinds of failure in this campaign", "## Environment", "## Mind", "## Output"}, r.headings, flavour)
		require.Zero(t, r.links, "%s: no link, no picture, no address made one", flavour)
		require.Contains(t, r.prose, "octocat", "foreign text is in sentences, too")
		require.NotRegexp(t, `@octocat|://|www\.`, r.prose, "a mark that is not seen breaks every mention and address")
		if flavour == markdown.GitHub {
			require.Equal(t, [][2]int{{2, 5}, {3, 4}, {2, 5}}, r.tables[:3], "strategies, holds, what is left of the plan")
			require.Len(t, r.tables, 4, "and the environment")
			require.Equal(t, "<details><summary>6 lines of standard output and error</summary>\n</details>", strings.TrimSpace(r.html), "a fold and no other HTML")
		} else {
			require.Empty(t, r.tables)
			require.Empty(t, r.html)
		}
		var languages []string
		for _, f := range r.fences {
			language, body, _ := strings.Cut(f, "\n")
			languages = append(languages, language)
			require.NotContains(t, body, recorded.Secret)
		}
		require.Equal(t, "sh sh sh diff text", strings.Join(languages, " "), flavour)
		output := r.fences[len(r.fences)-1]
		require.Contains(t, output, "</script><img src=x onerror=alert(1)>```\n````@octocat", "hostile output is in its fence, as it was")
		require.Contains(t, output, "::error::forged")
	}
}

// What was found out by replays and over revisions is told with its figures.
func TestReplaysAndRevisionsAreTold(t *testing.T) {
	doc := render(t, full(t, markdown.GitHub))
	re := replayed()
	for _, told := range []string{
		"it came back in " + words.Share(re.Replays) + ".", "Left alone beside that: 0 of 6 (0–46 %).",
		"minimal: 1 of 31 holds left, which reproduce " + words.Share(re.Minimized.Replays) + " afresh", "The whole plan reproduced 18 of 20",
		"| 20ms | 7ms | - |", "Does without: `seed`.", "**What decides:** it fails where A comes before B",
		"First seen at revision `bbbb` with uncommitted changes: failed 3 of 5,000", "before, at revision `aaaa`, none of 700 attempts (95 % confidence: at most 0.53 %)",
	} {
		require.Contains(t, doc, told)
	}
	require.NotContains(t, doc, "was not tested here", "it was")

	i := full(t, markdown.GitHub)
	i.Repro, i.Revisions = nil, i.Revisions[1:]
	doc = render(t, i)
	require.Contains(t, doc, "Which of them the failure needs was not tested here.")
	require.NotContains(t, doc, "First seen at", "with one revision nothing is known of when it began")
}
