package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"heisen/stress/run"
)

// What a page lists must be what there is.
func TestTopicsNameWhatThereIs(t *testing.T) {
	pages, err := topics()
	require.NoError(t, err)
	text := map[string]string{}
	for _, p := range pages {
		require.NotEmpty(t, p.text, p.name)
		require.NotContains(t, p.title, "\n", p.name)
		for line := range strings.Lines(p.text) {
			require.LessOrEqual(t, len([]rune(line)), 121, "%s: %s", p.name, line)
		}
		text[p.name] = p.text
	}
	for _, o := range run.Outcomes() {
		require.Contains(t, text["outcomes"], o.String())
	}
	for _, s := range strategies() {
		require.Contains(t, text["chaos"], s)
	}
}

// Every example of every help and topic is a command line that heisen takes.
func TestExamplesAreTaken(t *testing.T) {
	app := newApp(io.Discard, io.Discard)
	pages, err := topics()
	require.NoError(t, err)
	texts := []string{app.Description}
	for _, p := range pages {
		texts = append(texts, p.text)
	}
	for _, c := range app.Commands {
		require.Regexp(t, `(?s)EXAMPLES?:\n   .*heisen `+c.Name, c.Description)
		texts = append(texts, c.Description)
	}
	seen := map[string]bool{}
	for _, text := range texts {
		for line := range strings.Lines(text) {
			line, is := strings.CutPrefix(line, "   heisen ")
			if !is {
				continue
			}
			command, _, _ := strings.Cut(strings.TrimSpace(line), "  ") // what stands apart is a remark
			command, _, _ = strings.Cut(command, " > ")
			taken(t, "heisen "+command)
			seen[strings.Fields(command)[0]] = true
		}
	}
	require.GreaterOrEqual(t, len(seen), len(app.Commands))
}

// taken parses a command line with all actions left out.
func taken(t *testing.T, line string) {
	t.Helper()
	words, err := splitWords(line)
	require.NoError(t, err, line)
	app := newApp(io.Discard, io.Discard)
	ran := false
	for _, c := range app.Commands {
		c.Action = func(*cli.Context) error { ran = true; return nil }
	}
	require.NoError(t, app.Run(flagsFirst(app, words)), line)
	require.True(t, ran, line)
}
