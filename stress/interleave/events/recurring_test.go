package events

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// printing runs an attempt that prints text, and names the points its output gives.
func printing(t *testing.T, l *Lines, seq int64, text string) []string {
	t.Helper()
	res := run.Result{}
	res.Evidence.Output.Head = []run.Chunk{chunk(run.Stdout, 1, text)}
	trace := l.trace(run.Attempt{Seq: seq}, &res)
	if trace == nil {
		return nil
	}
	var names []string
	for _, p := range trace.Points {
		require.Equal(t, run.FromLine, p.Source)
		require.Equal(t, run.Stdout, p.Stream)
		names = append(names, p.Name)
	}
	return names
}

func unmarked() *Lines { return NewLines(&Markers{}) }

func TestLinesThatRecurAreTaken(t *testing.T) {
	l := unmarked()
	require.Equal(t, []string{"pid 17 up", "blue"}, printing(t, l, 1, "pid 17 up\nblue\n"), "nothing is known yet")
	require.Equal(t, []string{"pid 4 up"}, printing(t, l, 2, "red\npid 4 up\nred\n"), "red twice in one attempt does not recur")
	require.Equal(t, []string{"red", "at 0x7ffe"}, printing(t, l, 1, "red\nat 0x7ffe\n"))
	require.Equal(t, []string{"red", "at 0xbeef12"}, printing(t, l, 3, "green\nred\nat 0xbeef12\n"))
}

func TestLinesKnowNumbersFromNames(t *testing.T) {
	for _, same := range [][2]string{
		{"took 1.25 s", "took 0.7 s"}, {"at 0xc000123", "at 0xDEADBEEF1"}, {"id 4f3a9c", "id 77"}, {"Thread-8 up", "Thread-12 up"}, {"v1beta2", "v3beta4"},
	} {
		require.Equal(t, shape(same[0]), shape(same[1]), "%q", same)
	}
	for _, differ := range [][2]string{{"face", "bead"}, {"a b", "ab"}, {"worker 1", "worker"}, {"", "#"}, {"x1y", "x1z"}} {
		require.NotEqual(t, shape(differ[0]), shape(differ[1]), "%q", differ)
	}
}

func TestLinesTellNoTimes(t *testing.T) {
	for line, want := range map[string]string{
		"Ran 3 tests in 0.003s": "Ran 3 tests in #", "--- FAIL: TestX (0.00s)": "--- FAIL: TestX (#)",
		"took 12ms, 3 s": "took #, 3 s", "12:34:56 up": "# up", "12:34:56,789 up": "# up", "worker 7 up": "worker 7 up",
		"Thread-8": "Thread-8", "127.0.0.1 is up": "127.0.0.1 is up", "127.0.0.1:43211 is up": "127.0.0.1:43211 is up", "v1.2": "v1.2", "": "",
	} {
		require.Equal(t, want, timeless(line))
	}
}

func TestNewLinesDoNotPushOutThoseThatRecur(t *testing.T) {
	s := newShapes(100)
	point := func(text string) []run.Point { return []run.Point{{Name: text}} }
	for seq := int64(1); seq <= 2; seq++ {
		s.known(seq, point("steady"))
	}
	for i := range 1000 {
		s.known(int64(3+i), point("noise "+strings.Repeat("n", i)))
		require.LessOrEqual(t, len(s.seen), 100)
		require.LessOrEqual(t, len(s.once), 200)
	}
	require.Len(t, s.known(2000, point("steady")), 1)
	require.Empty(t, s.known(2001, point("noise ")), "forgotten")
	for i := range 300 {
		for seq := int64(3000); seq < 3002; seq++ {
			s.known(seq, point("also steady "+strings.Repeat("s", i)))
		}
	}
	require.Equal(t, 100, s.recurs)
	require.Len(t, s.seen, 100)
	require.Empty(t, s.known(4000, point("another")), "no room")
	require.Empty(t, s.known(4001, point("another")), "no room")
}

func TestLinesOfAHugeOutputAreBounded(t *testing.T) {
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "line %d of many\n", i)
	}
	res := run.Result{}
	res.Evidence.Output.Head = []run.Chunk{chunk(run.Stdout, 1, text.String())}
	trace := unmarked().trace(run.Attempt{Seq: 1}, &res)
	points := trace.Points
	require.Len(t, points, maxPoints)
	require.Equal(t, "line 0 of many", points[0].Name)
	require.Equal(t, "line 19999 of many", points[maxPoints-1].Name)
	require.Equal(t, map[run.Source]int64{run.FromLine: 20_000 - maxPoints}, trace.Dropped)
}

// What comes after the dump signal is the stack dump heisen asked for.
func TestADumpIsNoEventOfTheTest(t *testing.T) {
	m, err := CompileMarkers([]string{"go=goroutine|going"})
	require.NoError(t, err)
	for _, lines := range []*Lines{unmarked(), NewLines(m)} {
		res := run.Result{Ending: run.Ending{TimedOut: true}}
		res.Evidence.Output.Head = []run.Chunk{chunk(run.Stdout, 1, "going\n"), chunk(run.Stderr, 9, "goroutine 7\n")}
		res.Evidence.DumpAt = 6
		points := lines.trace(run.Attempt{Seq: 1}, &res).Points
		require.Len(t, points, 1)
		require.Equal(t, time.Millisecond, points[0].At)
	}
}
