package live

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/reports/internal/golden"
	"heisen/reports/internal/recorded"
	"heisen/reports/text"
	"heisen/stress"
	"heisen/stress/run"
)

// progressOf is what the engine would say after these events.
func progressOf(t testing.TB, events []run.Event) stress.Progress {
	folded := recorded.Tally(t, events)
	_, began := folded.Began()
	p := stress.Progress{Spec: began.Spec, Tally: folded, Elapsed: 150 * time.Second, Session: 100 * time.Second,
		SessionDone: folded.Counts().Total() / 2, Timeout: 30 * time.Second}
	for i := range 3 {
		p.Running = append(p.Running, stress.Running{Attempt: run.Attempt{Seq: int64(900 + i), Slot: i},
			For: time.Duration(12-i) * time.Second, Slow: i == 0})
	}
	return p
}

func reportOf(p stress.Progress) reports.Report {
	return reports.Build(p.Tally, reports.Facts{Dir: recorded.Dir, Running: true, Elapsed: p.Elapsed})
}

func TestFrames(t *testing.T) {
	rare := recorded.Rare()[:816]
	with := func(p stress.Progress, change func(*stress.Progress)) stress.Progress { change(&p); return p }
	plain := progressOf(t, rare)
	cases := []struct {
		name          string
		progress      stress.Progress
		width, height int
		color         bool
	}{
		{"usual", plain, 100, 24, false},
		{"color", plain, 100, 24, true},
		{"narrow", plain, 40, 24, false},
		{"six-lines", plain, 100, 6, false},
		{"four-lines", plain, 100, 4, false},
		{"one-line", plain, 30, 1, false},
		{"nothing-yet", progressOf(t, recorded.Clean()[:1]), 100, 24, false},
		{"troubled", progressOf(t, recorded.Troubled()[:52]), 100, 24, false},
		{"all-rules", with(plain, func(p *stress.Progress) { p.Spec.Stop.For, p.Spec.Stop.Failures = 10*time.Minute, 5 }), 100, 24, false},
		{"no-rule", with(plain, func(p *stress.Progress) { p.Spec.Stop = run.Stop{} }), 100, 24, false},
		{"stopping", with(plain, func(p *stress.Progress) { p.Stopping = run.ReasonInterrupted }), 100, 24, false},
		{"paused", with(plain, func(p *stress.Progress) { p.Paused = true }), 100, 24, false},
		{"waiting", with(plain, func(p *stress.Progress) { p.Waiting = "out of memory: use a smaller -j" }), 100, 24, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			lines := frame(c.progress, reportOf(c.progress), "load 63.1 on 2 CPUs, CPU pressure 92 %", c.width, c.height, text.Style{Color: c.color})
			require.LessOrEqual(t, len(lines), max(1, c.height-1))
			for _, l := range lines {
				require.Less(t, visibleWidth(l), c.width, "%q", l)
			}
			golden.Equal(t, "frame/"+c.name+".txt", strings.Join(lines, "\n")+"\n")
		})
	}
}

func TestFault27FrameShowsTestOutputEscaped(t *testing.T) {
	p := progressOf(t, recorded.Troubled()[:52])
	for _, l := range frame(p, reportOf(p), "load \x1b[2J", 500, 24, text.Style{}) {
		require.NotContains(t, l, "\x1b")
		require.NotContains(t, l, "\a")
		require.NotContains(t, l, "\n")
	}
	hostile := func(s reports.Signature) bool { return strings.Contains(s.Title, "\x1b") }
	require.True(t, slices.ContainsFunc(reportOf(p).Signatures, hostile), "control: what is shown has escapes in it")
}

func TestFrameFitsEverySize(t *testing.T) {
	p := progressOf(t, recorded.Rare()[:816])
	report := reportOf(p)
	for width := range 130 {
		for height := range 14 {
			lines := frame(p, report, "load 1", width, height, text.Style{})
			require.NotEmpty(t, lines)
			require.LessOrEqual(t, len(lines), max(1, height-1))
		}
	}
}

func TestPlainLine(t *testing.T) {
	p := progressOf(t, recorded.Rare()[:816])
	require.Equal(t, "2m30s: 814 attempts, 1 failed (0.12 %; 0.0031–0.68 %), 4.1/s, 3 running", Line(p, reportOf(p)))
	p.Stopping = run.ReasonTime
	require.True(t, strings.HasSuffix(Line(p, reportOf(p)), ", stopping: time is up"))
	p = progressOf(t, recorded.Unjudged()[:3])
	require.Contains(t, Line(p, reportOf(p)), "2 attempts, none judged,")
}

func TestScreenCountsRowsOfANarrowedTerminal(t *testing.T) {
	width := 80
	var b strings.Builder
	s := screen{w: &b, size: func() (int, int) { return width, 24 }}
	s.update(nil, []string{strings.Repeat("x", 70), "\x1b[31m" + strings.Repeat("日", 10) + "\x1b[0m", ""})
	width = 30 // the terminal wraps 70 columns into 3 rows
	b.Reset()
	s.update(nil, nil)
	require.Equal(t, fmt.Sprintf("\r\x1b[%dA\x1b[J", 3+1+1), b.String())
}
