package bundle

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

func traced(seq int64, outcome run.Outcome, variant string) (run.Attempt, *run.Finished, *run.Result) {
	at, fin, res := attempt(seq, outcome, "s1 failed\n")
	fin.Variant = variant
	res.Evidence.Trace = &run.Trace{
		Threads: []run.Thread{{PID: 1, TID: 1, Parent: -1, Exited: run.NotSeen}, {PID: 1, TID: 2, Parent: 0, Created: 3}},
		Points:  []run.Point{{At: 5, Thread: 1, Source: run.FromTest, Name: "a", Fields: []string{"b"}}},
	}
	res.Evidence.Spans = func() []run.Span {
		return []run.Span{{Thread: 1, CPU: 1, From: time.Millisecond, To: 3 * time.Millisecond, Preempted: true}}
	}
	return at, fin, res
}

func TestTheFirstOfEachVariantIsKeptWithItsTrace(t *testing.T) {
	dir := t.TempDir()
	a := archiver(t, dir, run.Keep{Failures: 1, Variants: 2}, func(c *ArchiverConfig) { c.Met = []string{"known"} })
	file := func(seq int64, o run.Outcome, variant string) *run.Filed {
		filed, err := a.Archive(traced(seq, o, variant))
		require.NoError(t, err)
		return filed
	}
	require.Nil(t, file(1, run.Pass, "known"), "met before this session")
	require.Nil(t, file(2, run.Pass, ""), "not recorded")
	first := file(3, run.Pass, "aa")
	require.Equal(t, "bundles/variant/00000003", first.Bundle)
	require.True(t, first.Exemplar)
	require.Equal(t, first, file(3, run.Pass, "aa"), "again, for its journal record met a full disk")
	require.Nil(t, file(4, run.Pass, "aa"))
	require.NotEmpty(t, file(5, run.Fail, "bb").Bundle)
	require.Nil(t, file(6, run.Pass, "bb"), "a failure had it first")
	require.NotNil(t, file(7, run.Pass, "cc"))
	require.Nil(t, file(8, run.Pass, "dd"), "no more than asked for")

	b, err := Open(filepath.Join(dir, first.Bundle))
	require.NoError(t, err)
	defer b.Close()
	require.NoError(t, b.Verify())
	trace, err := b.ReadTrace()
	require.NoError(t, err)
	_, _, res := traced(3, run.Pass, "aa")
	require.Equal(t, &Trace{Schema: TraceSchema, Variant: "aa", Trace: *res.Evidence.Trace}, trace)
	back, err := b.ReadSpans(trace)
	require.NoError(t, err)
	require.Equal(t, res.Evidence.Spans(), back)
	spans, err := b.ReadFile(SpansFile)
	require.NoError(t, err)
	require.Contains(t, string(spans), "\n1\t1\t1000\t3000\tp\n")
}

func TestAnExemplarThatMetAFullDiskIsTriedAgain(t *testing.T) {
	dir := t.TempDir()
	a := archiver(t, dir, run.Keep{Variants: 1})
	require.NoError(t, os.WriteFile(filepath.Join(dir, Folder), nil, 0o600), "in the way of the folder")
	_, err := a.Archive(traced(1, run.Pass, "aa"))
	require.Error(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, Folder)))
	filed, err := a.Archive(traced(1, run.Pass, "aa"))
	require.NoError(t, err)
	require.True(t, filed.Exemplar)
}

func TestAStrangersTracePointsNowhere(t *testing.T) {
	dir := t.TempDir()
	at, fin, res := traced(1, run.Fail, "aa")
	res.Evidence.Trace.Points[0].Thread = 99
	res.Evidence.Trace.Threads[1].Parent = 1
	filed, err := archiver(t, dir, run.Keep{Failures: 1}).Archive(at, fin, res)
	require.NoError(t, err)
	b, err := Open(filepath.Join(dir, filed.Bundle))
	require.NoError(t, err)
	defer b.Close()
	trace, err := b.ReadTrace()
	require.NoError(t, err)
	require.Equal(t, -1, trace.Points[0].Thread)
	require.Equal(t, -1, trace.Threads[1].Parent)
}

func TestAStrangersSpansAreLeftOut(t *testing.T) {
	for line, ok := range map[string]bool{
		"1\t0\t10\t20\tp\n": true, "1\t0\t10\t10\ts\n": true, "1\t0\t20\t10\tp\n": false, "-1\t0\t1\t2\tp\n": false,
		"1\t0\t1\t9223372036854775807\tp\n": false, "1\t0\t1\n": false, "# 3 more were left out\n": false, "": false,
	} {
		_, got := parseSpan([]byte(line))
		require.Equal(t, ok, got, "%q", line)
	}
}
