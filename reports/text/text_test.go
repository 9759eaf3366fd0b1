package text_test

import (
	"bytes"
	"encoding/json"
	"errors"
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
	"heisen/stress/run"
)

func build(t *testing.T, events []run.Event, running bool) reports.Report {
	return reports.Build(recorded.Tally(t, events), reports.Facts{Dir: recorded.Dir, Running: running})
}

// render returns what show wrote, after checking that a terminal and a log survive it.
func render(t *testing.T, style text.Style, show func(*bytes.Buffer) error) string {
	var b bytes.Buffer
	require.NoError(t, show(&b))
	for line := range strings.Lines(b.String()) {
		if !style.Color {
			checkSafe(t, strings.TrimSuffix(line, "\n"))
		}
		require.False(t, strings.HasPrefix(strings.TrimSpace(line), "::"), "a workflow command: %q", line)
	}
	return b.String()
}

func TestSummary(t *testing.T) {
	for _, c := range []struct {
		name    string
		events  []run.Event
		running bool
		style   text.Style
	}{
		{"rare", recorded.Rare(), false, text.Style{Width: 100}},
		{"rare-color", recorded.Rare(), false, text.Style{Width: 100, Color: true}},
		{"rare-narrow", recorded.Rare(), false, text.Style{Width: 40}},
		{"troubled", recorded.Troubled(), false, text.Style{Width: 100}},
		{"troubled-no-width", recorded.Troubled(), false, text.Style{}},
		{"cut-off", recorded.Clean(), false, text.Style{Width: 100}},
		{"running", recorded.Clean(), true, text.Style{Width: 100}},
		{"unjudged", recorded.Unjudged(), false, text.Style{Width: 100}},
		{"not-started", recorded.NotStarted(), false, text.Style{Width: 100}},
		{"empty", nil, false, text.Style{Width: 100}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := render(t, c.style, func(b *bytes.Buffer) error {
				return text.Summary(b, build(t, c.events, c.running), c.style)
			})
			golden.Equal(t, "summary/"+c.name+".txt", got)
			require.LessOrEqual(t, strings.Count(got, "\n"), 48, "one screen")
		})
	}
}

func TestSummaryOfManySignaturesIsOneScreen(t *testing.T) {
	events := recorded.Clean()
	for seq := int64(1000); seq < 1500; seq++ {
		events = append(events, run.Finished{Seq: seq, Outcome: run.Fail,
			Filed: &run.Filed{Signature: fmt.Sprint("sig", seq), Title: fmt.Sprint("failure ", seq), Bundle: fmt.Sprint("b/", seq)}})
	}
	got := render(t, text.Style{}, func(b *bytes.Buffer) error { return text.Summary(b, build(t, events, false), text.Style{}) })
	require.Contains(t, got, "492 kinds more")
	require.LessOrEqual(t, strings.Count(got, "\n"), 48)
}

func TestASummaryThatCannotBeWrittenIsAnError(t *testing.T) {
	err := text.Summary(&failing{after: 3}, build(t, recorded.Rare(), false), text.Style{})
	require.ErrorIs(t, err, errGone)
}

var errGone = errors.New("reader is gone")

// failing is a writer whose reader goes away.
type failing struct{ after int }

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errGone
	}
	return len(p), nil
}

func TestList(t *testing.T) {
	old := build(t, recorded.Rare(), false)
	old.Began = recorded.Start.Add(-24 * time.Hour)
	entries := []text.Entry{
		{Name: "broken\x1b[2J", Err: errors.New("read journal: record 7 at byte 812 is damaged: see heisen show\x1b]0;x\a")},
		{Name: "20260228-120000-old-cat", Report: old},
		{Name: "20260301-120000-quiet-owl", Report: build(t, recorded.Troubled(), false)},
		{Name: "20260301-110000-new-bee", Report: build(t, nil, false)},
	}
	golden.Equal(t, "list.txt", render(t, text.Style{}, func(b *bytes.Buffer) error { return text.List(b, entries, text.Style{}) }))
	var list bytes.Buffer
	require.NoError(t, reports.WriteJSON(&list, text.Entries(entries)))
	var back []struct {
		Name, ID, Error string
		Attempts        map[string]int64
	}
	require.NoError(t, json.Unmarshal(list.Bytes(), &back))
	require.Len(t, back, 4)
	require.Equal(t, "20260301-120000-quiet-owl", back[0].Name)
	require.Equal(t, int64(61), back[0].Attempts["total"])
	require.Equal(t, "broken\x1b[2J", back[3].Name)
	require.Nil(t, back[3].Attempts, "no figures where nothing could be read")
	require.Contains(t, back[3].Error, "damaged")
	golden.Equal(t, "list-none.txt", render(t, text.Style{}, func(b *bytes.Buffer) error { return text.List(b, nil, text.Style{}) }))
}

func hostileBundle() text.Bundle {
	return text.Bundle{
		Path: recorded.Dir + "/bundles/9f31c0de/17", Campaign: "20260301-120000-quiet-owl",
		Attempt: run.Attempt{Seq: 4096, Try: 2, Slot: 3, Seed: 1<<64 - 1, Running: 64},
		Title:   recorded.Hostile, Signature: "9f31c0de", Outcome: run.Fail, Cause: "exit code 1",
		Command: []string{"python3", "-c", "print('\x1b[2J')"}, WorkDir: "/home/dev/project",
		Began: recorded.Start, Wall: 312 * time.Millisecond, Usage: run.Usage{User: 40 * time.Millisecond, System: 9 * time.Millisecond, MaxRSS: 21 << 20},
		Facts: []text.Pair{{Name: "revision", Value: "0a1b2c3d (modified)"}},
		Environment: []text.Variable{{Name: "LANG", Value: "C.UTF-8"}, {Name: "PS1", Value: "\x1b]0;x\a$ "},
			{Name: "AWS_SECRET_ACCESS_KEY", Value: "must not be shown", Withheld: true}, {Name: "HOME", Withheld: true}},
		Host: []text.Pair{{Name: "kernel", Value: "6.18.0"}, {Name: "CPUs", Value: "2"}},
		Output: run.Output{Total: 300, Omitted: 44, Head: []run.Chunk{
			{Stream: run.Stdout, At: time.Millisecond, Data: []byte("start\npart")},
			{Stream: run.Stdout, At: 2 * time.Millisecond, Data: []byte("ial\n--- PASS: TestForged\n::error::forged\n")},
			{Stream: run.Stderr, At: 1500 * time.Millisecond, Data: []byte(recorded.Hostile + "\n\ttabbed")},
		}, Tail: []run.Chunk{{Stream: run.Stdout, At: 2 * time.Second, Data: []byte("{\"Action\":\"pass\"}\nend without a line break")}}},
		Dump:         []byte("goroutine 1 [running]:\n::set-output name=x::y\n"),
		Leaks:        []run.Leak{{PID: 99, Command: "sleep\x1b[6n"}},
		NotCollected: map[string]string{"psi": "no /proc/pressure"},
	}
}

func TestFault28ShowBundleObeysNothingItShows(t *testing.T) {
	got := render(t, text.Style{}, func(b *bytes.Buffer) error { return text.ShowBundle(b, hostileBundle(), text.Style{}, false) })
	golden.Equal(t, "bundle.txt", got)
	forged := []string{"--- PASS", "::error", "::set-output", `{"Action"`}
	require.Empty(t, beginnings(got, forged))
	require.NotContains(t, got, "must not be shown")

	b := hostileBundle()
	var raw []byte
	for _, c := range slices.Concat(b.Output.Head, b.Output.Tail) {
		raw = append(raw, c.Data...)
	}
	require.Len(t, beginnings(string(raw)+string(b.Dump), forged), 4, "control: printed as it came each of them begins a line")
}

// beginnings is which of these begin a line of the text, where a CI would obey them.
func beginnings(s string, these []string) []string {
	var found []string
	for line := range strings.Lines(s) {
		for _, f := range these {
			if strings.HasPrefix(strings.TrimSpace(line), f) {
				found = append(found, f)
			}
		}
	}
	return found
}

func TestLongOutputIsCutUnlessAllIsAskedFor(t *testing.T) {
	b := text.Bundle{Outcome: run.Fail}
	for i := range 500 {
		line := fmt.Sprintf("line %d\n", i)
		b.Output.Head = append(b.Output.Head, run.Chunk{Stream: run.Stdout, Data: []byte(line)})
		b.Output.Total += int64(len(line))
	}
	b.Output.Tail = []run.Chunk{{Stream: run.Stdout, Data: bytes.Repeat([]byte("x"), 5000)}}

	short := render(t, text.Style{}, func(w *bytes.Buffer) error { return text.ShowBundle(w, b, text.Style{}, false) })
	require.Contains(t, short, "| line 0\n")
	require.NotContains(t, short, "| line 250\n")
	require.Contains(t, short, "| line 499\n")
	require.Contains(t, short, "421 lines not shown")
	require.Less(t, len(short), 8000)

	whole := render(t, text.Style{}, func(w *bytes.Buffer) error { return text.ShowBundle(w, b, text.Style{}, true) })
	require.Contains(t, whole, "| line 250\n")
	require.Contains(t, whole, strings.Repeat("x", 5000))
	require.NotContains(t, whole, "not shown")
}

func TestHoldsThatWereNotToldAreNoZero(t *testing.T) {
	summary := func(made, untold int64) string {
		r := build(t, recorded.Clean(), false)
		r.Chaos = &reports.Chaos{Strategies: []reports.Strategy{{Name: "go-hold", Rate: reports.Rate{Attempts: 9},
			Holds: &reports.Holds{Made: made, Planned: made, Untold: untold, WhyUntold: "no record"}}}}
		return render(t, text.Style{}, func(b *bytes.Buffer) error { return text.Summary(b, r, text.Style{}) })
	}
	require.Contains(t, summary(0, 0), "0 of 0")
	require.NotContains(t, summary(0, 0), "did not tell")
	none := summary(0, 4)
	require.NotContains(t, none, "0 of 0")
	require.Contains(t, none, "not known")
	require.Contains(t, none, "go-hold: 4 attempts did not tell all that was done: no record")
	require.Contains(t, summary(7, 1), "≥ 7 of 7")
}
