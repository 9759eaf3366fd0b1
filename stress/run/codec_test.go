package run_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

func TestCodecRoundTrip(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	for _, e := range []run.Event{
		run.Began{At: at, Campaign: "c", Epoch: 2, Session: 3, Version: "v",
			Spec:     run.Spec{Command: run.Command{Args: []string{"a b", "\x00", "<&>"}, Path: "/bin/a", Env: []string{"X=1"}}, Seed: 1<<64 - 1, Width: 300},
			Identity: run.Identity{Hashes: map[string]string{"a": "00"}}, Tier: run.Tier{Name: "D", Lacks: []string{"x"}}},
		run.Finished{Seq: 1 << 40, Try: 3, Epoch: 1, Slot: 2, Running: 300, Seed: 1<<64 - 1, At: at, Wall: 5, User: 6, System: 7, MaxRSS: 8,
			Outcome: run.Crash, Cause: "SIGSEGV", Code: 9, Signal: "SIGSEGV", Leaked: true, Output: 10,
			Filed: &run.Filed{Signature: "s", Title: "t", Bundle: "b", Hash: "h", Tail: "line\n"}},
		run.Retried{Seq: 1, Try: 2, Outcome: run.Killed, Cause: "why"},
		run.TimeoutSet{Timeout: time.Minute, Passes: 50, P99: 12},
		run.MachineFault{Fault: "out of memory", Wait: time.Second},
		run.Ended{At: at, Reason: run.ReasonError, Detail: "disk", Cancelled: 4, Elapsed: time.Hour},
	} {
		line, err := run.Encode(e)
		require.NoError(t, err)
		require.NotContains(t, string(line), "\n", "one record is one line")
		back, err := run.Decode(line)
		require.NoError(t, err)
		require.Equal(t, e, back)
	}
}

func TestEventsOfTheLiveViewAreNotJournaled(t *testing.T) {
	for _, e := range []run.Event{run.Started{}, run.Slow{}, run.Paused{}, run.Resumed{}, run.Stopping{}} {
		_, err := run.Encode(e)
		require.ErrorContains(t, err, "not one that is journaled")
	}
}

func TestDecodeBadInput(t *testing.T) {
	_, err := run.Decode([]byte(`{"k":"telepathy","d":{}}`))
	require.ErrorIs(t, err, run.ErrUnknownEvent)
	require.ErrorContains(t, err, "telepathy")
	for name, line := range map[string]string{
		"empty": "", "not JSON": "{", "a list": "[]", "no data": `{"k":"finished"}`, "wrong type": `{"k":"finished","d":{"seq":"x"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run.Decode([]byte(line))
			require.Error(t, err)
			require.NotErrorIs(t, err, run.ErrUnknownEvent, "damage is not a newer version")
		})
	}
}

// A newer heisen adds fields; this one must read on.
func TestDecodeSkipsUnknownFields(t *testing.T) {
	e, err := run.Decode([]byte(`{"k":"retried","d":{"seq":5,"mood":"blue"},"x":1}`))
	require.NoError(t, err)
	require.Equal(t, run.Retried{Seq: 5}, e)
}
