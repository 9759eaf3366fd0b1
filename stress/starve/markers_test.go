package starve

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

func find(t *testing.T, o run.Output, markers ...string) []MarkedEvent {
	t.Helper()
	m, err := CompileMarkers(markers)
	require.NoError(t, err)
	events, dropped := m.Find(&o)
	require.Zero(t, dropped)
	return events
}

func TestMarkersFindEventsWithTimesAndFields(t *testing.T) {
	o := run.Output{Head: []run.Chunk{
		chunk(run.Stderr, 1, "boot"), chunk(run.Stdout, 2, "work"), chunk(run.Stderr, 3, "ed\n"),
		chunk(run.Stdout, 5, "er 7 up on port 80\r\nlater"), chunk(run.Stdout, 9, " done"),
	}}
	events := find(t, o, `up=worker (?P<n>\d+) up on port (\d+)$`, `booted=^booted$`, `done=done`, `never=xyz`)
	require.Equal(t, []MarkedEvent{
		{Name: EventFirstOutput, Stream: run.Stderr, At: time.Millisecond},
		{Name: "booted", Stream: run.Stderr, At: 3 * time.Millisecond},
		{Name: "up", Stream: run.Stdout, At: 5 * time.Millisecond, Fields: map[string]string{"n": "7", "2": "80"}},
		{Name: "done", Stream: run.Stdout, At: 9 * time.Millisecond},
	}, events)
	gap, ok := Gap(events, "booted", "done")
	require.True(t, ok)
	require.Equal(t, 6*time.Millisecond, gap)
	_, ok = Gap(events, "done", "booted")
	require.False(t, ok, "only what comes after")
	_, ok = Gap(events, "never", "done")
	require.False(t, ok)
}

func TestMarkersDistrustLinesThatAreCut(t *testing.T) {
	o := run.Output{
		Head:    []run.Chunk{chunk(run.Stdout, 1, "a ready\nb rea")},
		Tail:    []run.Chunk{chunk(run.Stderr, 7, "x ready\n"), chunk(run.Stdout, 8, "ready\nc ready\n")},
		Omitted: 100,
	}
	events := find(t, o, "ready=ready$")
	require.Len(t, events, 3, "first output, a and c: %v", events)
	require.Equal(t, 8*time.Millisecond, events[2].At)
	o.Omitted = 0
	require.Len(t, find(t, o, "ready=ready$"), 5, "nothing was left out: b and x count too")
}

func TestMarkersWithoutOutput(t *testing.T) {
	require.Empty(t, find(t, run.Output{}, "a=.*"))
	require.Len(t, find(t, run.Output{Tail: []run.Chunk{chunk(run.Stdout, 4, "\n\n")}}, "a=.*"), 1)
}

func TestMarkersAreBounded(t *testing.T) {
	m, err := CompileMarkers([]string{"a=x"})
	require.NoError(t, err)
	events, dropped := m.Find(&run.Output{Head: []run.Chunk{chunk(run.Stdout, 1, strings.Repeat("x\n", 10_000))}})
	require.Len(t, events, maxEvents)
	require.Equal(t, 10_001-maxEvents, dropped)
	long := find(t, run.Output{Head: []run.Chunk{chunk(run.Stdout, 1, strings.Repeat("y", 1<<20)+"x\n")}}, "a=x", "b=(y*)")
	require.Len(t, long, 2, "what is past 64 KiB of a line is not looked at")
	require.Len(t, long[1].Fields["1"], maxFieldSize)
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
		events, _ := m.Find(&o)
		if n == 0 {
			require.Empty(t, events)
			return
		}
		require.Len(t, events, n+1)
		for i, e := range events[1:] {
			require.Equal(t, fmt.Sprint(i), e.Fields["1"])
		}
	})
}
