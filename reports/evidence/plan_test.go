package evidence

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/repro/bundle"
	"heisen/stress/run"
)

// A hold at a place is found by its place: the first visit there is not the first of its kind. Where threads are not told apart, the
// second visit is the second of all.
func TestHoldsAreFoundByTheirPlace(t *testing.T) {
	at := func(when time.Duration, thread int, site string) run.Point {
		return run.Point{At: when, Thread: thread, Source: run.FromTracer, Name: run.AtInstruction, Fields: []string{site}}
	}
	trace := &bundle.Trace{Trace: run.Trace{Threads: []run.Thread{{TID: 7}, {TID: 8}},
		Points: []run.Point{at(11, 0, "a"), at(12, 1, "b"), at(13, 0, "b"), at(14, -1, "b")}}}
	for _, c := range []struct {
		hold Hold
		want time.Duration
	}{
		{Hold{Path: "0", TID: 7, Kind: run.AtInstruction, Site: "b", N: 1, At: 3}, 13},
		{Hold{Path: run.AnyThread, TID: 7, Kind: run.AtInstruction, Site: "b", N: 2, At: 3}, 13},
		{Hold{Path: run.AnyThread, TID: 8, Kind: run.AtInstruction, Site: "b", N: 1, At: 2}, 12},
	} {
		holds := []Hold{c.hold}
		place(holds, trace)
		require.True(t, holds[0].Placed)
		require.Equal(t, c.want, holds[0].At, "%+v", c.hold)
	}
	none := []Hold{{Path: "0", TID: 7, Kind: run.AtInstruction, Site: "b", N: 2, At: 3}}
	place(none, trace)
	require.False(t, none[0].Placed)
}
