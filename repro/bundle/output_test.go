package bundle

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"heisen/stress/run"
)

func TestTimesShareARowWhereLinesCameTogether(t *testing.T) {
	out := &run.Output{Head: []run.Chunk{
		chunk(run.Stdout, 1, "a\nb\nc\n"), // one read: one row
		chunk(run.Stdout, 2, "hel"),
		chunk(run.Stdout, 5, "lo\nworld\n"), // goes on with a line, then begins one
		chunk(run.Stdout, 5, "same\n"),      // the same time: no row
		chunk(run.Stderr, 5, ""),
		chunk(run.Stderr, 5, "e\n"),
	}}
	rows, cut := timesOf(out)
	require.False(t, cut)
	require.Equal(t, timesHeader+"0\t1000\tstdout\n6\t2000\tstdout\n12\t5000\tstdout\n23\t5000\tstderr\n", string(formatTimes(rows)))
}

func TestTimesAreBounded(t *testing.T) {
	data := []byte("\n")
	head := make([]run.Chunk, maxRows+10)
	for i := range head {
		head[i] = run.Chunk{Stream: run.Stdout, At: time.Duration(i) * time.Microsecond, Data: data}
	}
	rows, cut := timesOf(&run.Output{Head: head})
	require.True(t, cut)
	require.Len(t, rows, maxRows)
}

// Every line has the time and the stream of the chunk its first byte came in, and all lines together are
// the output.
func TestLinesGiveBackWhatCame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		out := &run.Output{}
		var ms int
		draw := func(label string) (chunks []run.Chunk) {
			for range rapid.IntRange(0, 8).Draw(t, label) {
				ms += rapid.IntRange(0, 2).Draw(t, "ms")
				stream := rapid.SampledFrom([]run.Stream{run.Stdout, run.Stderr}).Draw(t, "stream")
				chunks = append(chunks, chunk(stream, ms, rapid.StringMatching("[ab\n]{0,6}").Draw(t, "text")))
			}
			return chunks
		}
		out.Head = draw("head")
		out.Omitted = int64(rapid.IntRange(0, 3).Draw(t, "omitted"))
		out.Tail = draw("tail")

		// The chunk of every byte, by hand.
		var from []run.Chunk
		for _, c := range append(slices.Clone(out.Head), out.Tail...) {
			for range c.Data {
				from = append(from, c)
			}
		}
		log := out.Bytes()
		rows, _ := timesOf(out)
		parsed, err := parseTimes(formatTimes(rows), int64(len(log)))
		require.NoError(t, err)
		o := account(out, -1)
		var joined []byte
		for line := range linesOf(log, parsed, o) {
			first := from[line.Offset]
			require.Equal(t, int64(len(joined)), line.Offset)
			require.Equal(t, first.At, line.At)
			require.Equal(t, first.Stream, line.Stream)
			require.Equal(t, out.Omitted > 0 && line.Offset == o.Gap, line.AfterGap)
			for i := range line.Text {
				require.Equal(t, line.Stream, from[line.Offset+int64(i)].Stream, "a line of two streams")
			}
			joined = append(joined, line.Text...)
		}
		require.Equal(t, string(log), string(joined))
	})
}

func TestAccount(t *testing.T) {
	out := &run.Output{
		Head: []run.Chunk{chunk(run.Stdout, 0, "0123456789")}, Tail: []run.Chunk{chunk(run.Stdout, 0, "abcde")},
		Total: 115, Omitted: 100,
	}
	for dumpAt, want := range map[int64]int64{-1: -1, 0: 0, 10: 10, 50: 10, 109: 10, 110: 10, 112: 12, 115: 15, math.MaxInt64: 15} {
		require.Equal(t, Output{Total: 115, Kept: 15, Omitted: 100, Gap: 10, Dump: want}, account(out, dumpAt), dumpAt)
	}
}

func TestParseTimesRefusesNonsense(t *testing.T) {
	for name, text := range map[string]string{
		"first byte has no row": "1\t0\tstdout\n",
		"nothing":               "",
		"backwards":             "0\t0\tstdout\n5\t0\tstdout\n4\t0\tstdout\n",
		"twice":                 "0\t0\tstdout\n0\t1\tstdout\n",
		"beyond the end":        "0\t0\tstdout\n10\t0\tstdout\n",
		"negative":              "-1\t0\tstdout\n",
		"no number":             "0\tx\tstdout\n",
		"stream":                "0\t0\tstdlog\n",
		"columns":               "0\t0\n",
		"too many":              "0\t0\tstdout\n" + strings.Repeat("x\t", 9) + "\n",
	} {
		_, err := parseTimes([]byte(text), 10)
		require.Error(t, err, name)
	}
}
