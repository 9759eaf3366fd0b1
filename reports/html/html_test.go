package html

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/reports/history"
	"heisen/reports/internal/golden"
	"heisen/reports/internal/recorded"
	"heisen/reports/text"
	"heisen/stress/run"
)

// hostile is a page whose every text is a stranger's.
func hostile(t *testing.T) (Page, string) {
	fail, pass := recorded.Attempts(t)
	r := reports.Build(recorded.Tally(t, recorded.Rare()), reports.Facts{Dir: recorded.Dir})
	h := &history.History{}
	for _, e := range recorded.Rare() {
		h.Add(e)
	}
	r.Signatures[0].Title, r.Command = recorded.Markup, append(r.Command, recorded.Markup, recorded.Hostile)
	r.Doubts = []string{recorded.Markup}
	r.Variants = []reports.Variant{{ID: recorded.Markup, Count: 1}}
	r.Interleavings = &reports.Interleavings{Variants: 1, Attempts: 1}
	p := Page{Report: r, History: h, NoMachine: recorded.Markup, Fail: fail, Pass: pass, Made: recorded.Start}
	var b bytes.Buffer
	require.NoError(t, Write(&b, p))
	return p, b.String()
}

func TestThePageOfARecordedCampaign(t *testing.T) {
	p, page := hostile(t)
	golden.Equal(t, "page.html", page)
	require.Contains(t, page, text.OwnRateLine(p.Report), "the figure of the summary")
	require.NotContains(t, page, recorded.Secret)
	require.NotContains(t, page, "<img")
	require.NotContains(t, page, "<b>")
	require.Equal(t, 3, strings.Count(page, "</script>"), "those of the page")
	require.NotRegexp(t, `(src|href)\s*=\s*["']?(https?:)?//`, regexp.MustCompile(`&[a-z#0-9]+;`).ReplaceAllString(page, ""))
	require.Contains(t, page, `data-event="`+p.Fail.Divergence.Event)
}

func TestHundredThousandSpansStaySmall(t *testing.T) {
	fail, pass := recorded.Attempts(t)
	for i := range 100_000 {
		at := time.Duration(i) * 100 * time.Microsecond
		fail.Spans = append(fail.Spans, run.Span{Thread: i % 2, From: at, To: at + 50*time.Microsecond})
		fail.Trace.Points = append(fail.Trace.Points, run.Point{At: at, Thread: 0, Source: run.FromTracer, Name: "futex.exit"})
	}
	fail.Manifest.Timing.Wall = 10_000_000
	tl := newTimeline(fail, pass)
	data, err := json.Marshal(tl.Tracks)
	require.NoError(t, err)
	require.Less(t, len(data), 1<<20)
	first := tl.Tracks[0]
	require.LessOrEqual(t, len(first.Spans), mostSpans)
	require.LessOrEqual(t, len(first.Points), mostPoints)
	require.Contains(t, first.Left, "drawn as one")
	require.Equal(t, "test", first.Points[0].Source, "what the test marked stays")
}
