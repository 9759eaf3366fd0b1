package events

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"heisen/stress/run"
)

func chunk(s run.Stream, at time.Duration, text string) run.Chunk {
	return run.Chunk{Stream: s, At: at * time.Millisecond, Data: []byte(text)}
}

func marked(s run.Stream, at time.Duration, name string, fields ...string) run.Point {
	return run.Point{At: at * time.Millisecond, Thread: -1, Source: run.FromOutput, Stream: s, Name: name, Fields: fields}
}

func find(t *testing.T, o run.Output, markers ...string) []run.Point {
	t.Helper()
	m, err := CompileMarkers(markers)
	require.NoError(t, err)
	points, dropped := m.find(&o, -1)
	require.Zero(t, dropped)
	return points
}

func TestMarkersFindEventsWithTimesAndFields(t *testing.T) {
	o := run.Output{Head: []run.Chunk{
		chunk(run.Stderr, 1, "boot"), chunk(run.Stdout, 2, "work"), chunk(run.Stderr, 3, "ed\n"),
		chunk(run.Stdout, 5, "er 7 up on port 80\r\nlater"), chunk(run.Stdout, 9, " done"),
	}}
	require.Equal(t, []run.Point{
		marked(run.Stderr, 3, "booted", "booted"),
		marked(run.Stdout, 5, "up", "7", "80", ""),
		marked(run.Stdout, 9, "done", "later done"),
	}, find(t, o, `up=worker (?P<n>\d+) up on port (\d+)( again)?$`, `booted=^booted$`, `done=done`, `never=xyz`))
}

func TestMarkersDistrustLinesThatAreCut(t *testing.T) {
	o := run.Output{
		Head:    []run.Chunk{chunk(run.Stdout, 1, "a ready\nb rea")},
		Tail:    []run.Chunk{chunk(run.Stderr, 7, "x ready\n"), chunk(run.Stdout, 8, "ready\nc ready\n")},
		Omitted: 100,
	}
	points := find(t, o, "ready=ready$")
	require.Len(t, points, 2, "a and c: %v", points)
	require.Equal(t, 8*time.Millisecond, points[1].At)
	o.Omitted = 0
	require.Len(t, find(t, o, "ready=ready$"), 4, "nothing was left out: b and x count too")
}

func TestMarkersWithoutOutput(t *testing.T) {
	require.Empty(t, find(t, run.Output{}, "a=.*"))
	require.Empty(t, find(t, run.Output{Tail: []run.Chunk{chunk(run.Stdout, 4, "\n\n")}}, "a=.*"))
}

func TestMarkersAreBounded(t *testing.T) {
	m, err := CompileMarkers([]string{"a=x([0-9]+)"})
	require.NoError(t, err)
	var text bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintf(&text, "x%d\n", i)
	}
	points, dropped := m.find(&run.Output{Head: []run.Chunk{chunk(run.Stdout, 1, text.String())}}, -1)
	require.Len(t, points, maxPoints)
	require.EqualValues(t, 10_000-maxPoints, dropped)
	require.Equal(t, []string{"0"}, points[0].Fields)
	require.Equal(t, []string{"9999"}, points[maxPoints-1].Fields, "the end of a hang is what one looks for")

	long := find(t, run.Output{Head: []run.Chunk{chunk(run.Stdout, 1, strings.Repeat("y", 1<<20)+"x\n")}}, "a=x", "b=(y*)")
	require.Len(t, long, 1, "what is past 64 KiB of a line is not looked at")
	require.Len(t, long[0].Fields[0], maxFieldSize)
}

func TestMarkersBadInput(t *testing.T) {
	for _, bad := range []string{"", "name", "name=", "=x", "1a=x", "a b=x", "a=(", "first_output=x", strings.Repeat("n", 65) + "=x", "a/../b=x"} {
		_, err := CompileMarkers([]string{bad})
		require.Error(t, err, bad)
	}
}

// However the output was cut into chunks, the same events are found.
func TestMarkersDoNotDependOnChunks(t *testing.T) {
	m, err := CompileMarkers([]string{`n=item (\d+)`})
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		var text bytes.Buffer
		n := rapid.IntRange(0, 20).Draw(t, "lines")
		for i := range n {
			fmt.Fprintf(&text, "item %d\n", i)
		}
		var o run.Output
		for rest := text.Bytes(); len(rest) > 0; {
			size := rapid.IntRange(1, len(rest)).Draw(t, "size")
			o.Head = append(o.Head, run.Chunk{Stream: run.Stdout, At: time.Duration(len(o.Head)), Data: rest[:size]})
			rest = rest[size:]
		}
		points, _ := m.find(&o, -1)
		require.Len(t, points, n)
		for i, p := range points {
			require.Equal(t, []string{fmt.Sprint(i)}, p.Fields)
		}
	})
}
