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
	markers, err := CompileMarkers([]string{"ready=^ready$", "done=^done"})
	require.NoError(t, err)
	ms := time.Millisecond
	res := run.Result{Ending: run.Ending{StopTook: 7 * ms}}
	res.Evidence.Output.Head = []run.Chunk{
		{Stream: run.Stdout, At: 3 * ms, Data: []byte("hello\n")},
		{Stream: run.Stdout, At: 10 * ms, Data: []byte("ready\n")},
		{Stream: run.Stdout, At: 25 * ms, Data: []byte("done\n")},
	}
	got := Timed(canned(res), markers).Run(run.Attempt{}, nil).Evidence.Signals
	require.EqualValues(t, 3000, got[run.SigFirstOutput])
	require.EqualValues(t, 7000, got[run.SigStop])
	require.EqualValues(t, 15000, got[run.GapSignal("ready", "done")])

	silent := Timed(canned(run.Result{}), nil).Run(run.Attempt{}, nil).Evidence.Signals
	require.Empty(t, silent, "what was not seen is absent, not zero")
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
