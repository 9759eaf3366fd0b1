package events

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

func readText(t *testing.T, text string) account {
	t.Helper()
	got, err := readAll(strings.NewReader(text), int64(len(text)))
	require.NoError(t, err)
	return got
}

func names(events []event) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.name)
	}
	return all
}

func TestReadCountsWhatItCannotUse(t *testing.T) {
	fits := "fits " + strings.Repeat("x", maxLine-len("fits \n"))
	cases := []struct {
		name, text string
		want       []string
		dropped    int64
	}{
		{"nothing", "", nil, 0},
		{"empty lines are nothing", "\n\n  \na\n\n", []string{"a"}, 0},
		{"half a line at the end", "a\nb", []string{"a"}, 1},
		{"half a line in the middle", "a\n@1:2@3:4:5 b\nc\n", []string{"a", "b", "c"}, 1},
		{"garbage between", "a\n\x00\xff\x07\nb\n", []string{"a", "b"}, 1},
		{"the longest line", fits + "\nb\n", []string{"fits", "b"}, 0},
		{"one byte too long", fits + "x\nb\n", []string{"b"}, 1},
		{"far too long", strings.Repeat("x", 1<<20) + "\nb\n", []string{"b"}, 1},
		{"far too long and no end", "a\n" + strings.Repeat("x", 1<<20), []string{"a"}, 1},
		{"a hole from truncating", strings.Repeat("\x00", 100) + "a\nb\n", []string{"b"}, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := readText(t, c.text)
			require.Equal(t, c.want, names(got.events))
			require.Equal(t, c.dropped, got.dropped)
		})
	}
}

func TestReadKeepsHeadAndTail(t *testing.T) {
	const n = 50_000
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "n%d\n", i)
	}
	got := readText(t, text.String())
	require.Len(t, got.events, maxEvents)
	require.EqualValues(t, n-maxEvents, got.dropped)
	require.Equal(t, "n0", got.events[0].name)
	require.Equal(t, fmt.Sprint("n", maxEvents/2-1), got.events[maxEvents/2-1].name)
	require.Equal(t, fmt.Sprint("n", n-maxEvents/2), got.events[maxEvents/2].name)
	require.Equal(t, fmt.Sprint("n", n-1), got.events[maxEvents-1].name)
}

func TestReadIsBoundedInMemory(t *testing.T) {
	line := "name" + strings.Repeat(" f", 2000) + "\n"
	got := readText(t, strings.Repeat(line, 1000))
	size := 0
	for _, e := range got.events {
		size += e.size()
	}
	require.LessOrEqual(t, size, maxMemory)
	require.Greater(t, size, maxMemory-2*got.events[0].size(), "the room is used")
	require.EqualValues(t, 1000-len(got.events), got.dropped)
}

// A file too large to read gives its two ends, and a count that is no more than what was there.
func TestReadLeavesOutTheMiddleOfAHugeFile(t *testing.T) {
	const lines = 3000
	text := []byte("first\n" + strings.Repeat("x "+strings.Repeat("y", maxLine-3)+"\n", lines) + "last\n")
	require.Greater(t, len(text), maxRead)
	got, err := readAll(bytes.NewReader(text), int64(len(text)))
	require.NoError(t, err)
	all := names(got.events)
	require.Equal(t, "first", all[0])
	require.Equal(t, "last", all[len(all)-1])
	missing := int64(lines + 2 - len(all))
	require.LessOrEqual(t, got.dropped, missing)
	require.GreaterOrEqual(t, got.dropped, missing-2, "all but the lines that the gap cut")
}

func TestTimesKeepTheOrderOfTheFile(t *testing.T) {
	began := time.Now()
	l := life{clock: clock{at: began, mono: 1000}, start: began.Add(500), end: began.Add(9000)}
	trace := traceOf([]event{
		{at: noTime, name: "before any time"}, {at: 2500, name: "first"}, {at: noTime, name: "shell"},
		{at: 2000, name: "read its clock early"}, {at: 99_000, name: "another clock"}, {at: 1499, name: "before the start"},
		{at: 3500, name: "last"},
	}, l)
	var got []time.Duration
	for _, p := range trace.Points {
		require.Equal(t, run.FromTest, p.Source)
		require.Equal(t, -1, p.Thread)
		got = append(got, p.At)
	}
	require.Equal(t, []time.Duration{0, 1000, 1000, 1000, 1000, 1000, 2000}, got)
}

func TestThreadsAreTheirWritersOwn(t *testing.T) {
	now := time.Now()
	l := life{clock: clock{at: now}, start: now, end: now.Add(time.Second)}
	trace := traceOf([]event{{at: 1, pid: 7, tid: 8, name: "a"}, {at: 5, pid: 9, tid: 9, name: "b"}, {at: 6, pid: 7, name: "c"}, {at: 7, pid: 9, tid: 9, name: "d"}}, l)
	require.Len(t, trace.Threads, 2)
	require.Equal(t, run.Thread{PID: 9, TID: 9, Parent: -1, Created: run.NotSeen, FirstRun: run.NotSeen, Exited: run.NotSeen}, trace.Threads[1])
	var who []int
	for _, p := range trace.Points {
		who = append(who, p.Thread)
	}
	require.Equal(t, []int{0, 1, -1, 1}, who)
}
