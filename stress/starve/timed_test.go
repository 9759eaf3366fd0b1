package starve

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

type canned run.Result

func (c canned) Run(run.Attempt, *run.Control) run.Result { return run.Result(c) }

func TestTimedPutsOutputTimesAmongTheSignals(t *testing.T) {
	ms := time.Millisecond
	res := run.Result{Ending: run.Ending{StopTook: 7 * ms}}
	res.Evidence.Output.Head = []run.Chunk{{Stream: run.Stdout, At: 3 * ms, Data: []byte("hello\n")}}
	res.Evidence.Trace = &run.Trace{Points: []run.Point{
		{At: 10 * ms, Source: run.FromOutput, Name: "ready"},
		{At: 11 * ms, Source: run.FromTest, Name: "not printed"},
		{At: 25 * ms, Source: run.FromOutput, Name: "done"},
		{At: 26 * ms, Source: run.FromOutput, Name: "done"},
		{At: 30 * ms, Source: run.FromOutput, Name: "ready"},
		{At: 90 * ms, Source: run.FromOutput, Name: "done"},
	}}
	want := run.Signals{run.SigFirstOutput: 3000, run.SigStop: 7000}
	require.Equal(t, want, Timed(canned(res), false).Run(run.Attempt{}, nil).Evidence.Signals, "lines nobody named have no gaps")
	res.Evidence.Signals = nil
	want[run.GapSignal(run.EventFirstOutput, "ready")] = 7000
	want[run.GapSignal("ready", "done")] = 15000
	want[run.GapSignal("done", "ready")] = 4000
	require.Equal(t, want, Timed(canned(res), true).Run(run.Attempt{}, nil).Evidence.Signals)

	silent := Timed(canned(run.Result{}), true).Run(run.Attempt{}, nil).Evidence.Signals
	require.Empty(t, silent, "what was not seen is absent, not zero")
}

func TestTimedIsBounded(t *testing.T) {
	var res run.Result
	res.Evidence.Output.Head = []run.Chunk{{Stream: run.Stdout, Data: []byte("x")}}
	res.Evidence.Trace = &run.Trace{}
	for i := range 100 {
		res.Evidence.Trace.Points = append(res.Evidence.Trace.Points, run.Point{Source: run.FromOutput, Name: string(rune('A' + i))})
	}
	require.Len(t, Timed(canned(res), true).Run(run.Attempt{}, nil).Evidence.Signals, maxGaps+1)
}

func TestRecordFinishedCountsGaps(t *testing.T) {
	timings := NewTimings()
	timings.RecordFinished(run.Finished{Outcome: run.Pass, Wall: 5000,
		Signals: run.Signals{run.GapSignal("ready", "done"): 15000, run.SigFirstOutput: 3000}})
	kinds := map[string]bool{}
	for _, k := range timings.Keys() {
		kinds[k.Kind] = true
	}
	require.Equal(t, map[string]bool{KindDuration: true, KindFirstOutput: true, GapKind("ready", "done"): true}, kinds)
}
