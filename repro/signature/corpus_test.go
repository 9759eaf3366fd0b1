package signature

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

var update = flag.Bool("update", false, "rewrite the expected part of the corpus from what the code says")

// rule divides a case's head from its output, which follows byte for byte.
const rule = "---- output ----\n"

// corpusCase is one file of testdata/corpus. Its head has one "key: value" a line. What is given:
//
//	outcome, code, signal   how the attempt ended
//	dump                    the first line of the stack dump, where there is one
//	group                   files of one group share an ID; without it a file is a group of its own
//
// and what is expected, which -update rewrites: title, failure (one a line), hang, environment.
type corpusCase struct {
	name   string
	given  []string
	expect []string
	group  string
	in     Input
}

func readCase(t testing.TB, path string) corpusCase {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	head, output, ok := bytes.Cut(raw, []byte(rule))
	require.True(t, ok, "%s has no rule", path)
	name := strings.TrimSuffix(filepath.Base(path), ".txt")
	c := corpusCase{name: name, group: name, in: Input{Output: output, DumpAt: -1}}
	for line := range strings.Lines(string(head)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		given := true
		switch key {
		case "outcome":
			c.in.Outcome = run.Outcome(value)
			require.True(t, c.in.Outcome.Valid(), path)
		case "code":
			c.in.Code, err = strconv.Atoi(value)
			require.NoError(t, err)
		case "signal":
			c.in.Signal = value
		case "dump":
			c.in.DumpAt = bytes.Index(output, []byte(value))
			require.GreaterOrEqual(t, c.in.DumpAt, 0, path)
		case "group":
			c.group = value
		default:
			given = false
		}
		if given {
			c.given = append(c.given, line)
		} else {
			c.expect = append(c.expect, line)
		}
	}
	return c
}

func readCorpus(t *testing.T) []corpusCase { return readCorpusFiles(t) }

func readCorpusFiles(t testing.TB) []corpusCase {
	t.Helper()
	paths, err := filepath.Glob("testdata/corpus/*.txt")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(paths), 60)
	var cases []corpusCase
	for _, path := range paths {
		cases = append(cases, readCase(t, path))
	}
	return cases
}

// expectation writes a signature down as a case's head does.
func expectation(s Signature) string {
	var b strings.Builder
	fmt.Fprintf(&b, "title: %s\n", s.Title)
	for _, f := range s.Failures {
		fmt.Fprintf(&b, "failure: %s | %s | %s", f.Kind, f.Test, f.Message)
		if f.Where != "" {
			fmt.Fprintf(&b, " | %s", f.Where)
		}
		b.WriteString("\n")
	}
	if s.Hang {
		b.WriteString("hang: true\n")
	}
	if s.Environment != "" {
		fmt.Fprintf(&b, "environment: %s\n", s.Environment)
	}
	return b.String()
}

func TestCorpus(t *testing.T) {
	for _, c := range readCorpus(t) {
		t.Run(c.name, func(t *testing.T) {
			got := expectation(Of(c.in))
			if *update {
				text := strings.Join(c.given, "") + got + rule + string(c.in.Output)
				require.NoError(t, os.WriteFile("testdata/corpus/"+c.name+".txt", []byte(text), 0o644))
				return
			}
			require.Equal(t, strings.Join(c.expect, ""), got)
		})
	}
}

// TestCorpusGroups holds the identities of all files against each other: one ID within a group, another
// one for every other group.
func TestCorpusGroups(t *testing.T) {
	ids := map[string]corpusCase{}
	groups := map[string]string{}
	shared := 0
	for _, c := range readCorpus(t) {
		s := Of(c.in)
		require.Regexp(t, `^[0-9a-f]{12}$`, s.ID, c.name)
		if id, ok := groups[c.group]; ok {
			require.Equal(t, id, s.ID, "%s is not like the rest of its group %s: %s", c.name, c.group, expectation(s))
			shared++
		}
		groups[c.group] = s.ID
		other, ok := ids[s.ID]
		require.False(t, ok && other.group != c.group, "%s and %s share an ID", c.name, other.name)
		ids[s.ID] = c
	}
	require.Greater(t, shared, 10)
}
