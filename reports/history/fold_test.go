package history_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/reports/history"
	"heisen/reports/internal/recorded"
	"heisen/stress/run"
	"heisen/stress/tally"
)

func payloads(t *testing.T, events []run.Event) [][]byte {
	t.Helper()
	var all [][]byte
	for _, e := range events {
		p, err := run.Encode(e)
		require.NoError(t, err)
		all = append(all, p)
	}
	return all
}

func apply(t *testing.T, f *history.Fold, payloads [][]byte) {
	t.Helper()
	for _, p := range payloads {
		require.NoError(t, f.Apply(p))
	}
}

// A fold that was put down and taken up anywhere is the one of all records at once: also of attempts recorded twice
// and of those that end in another order than they began.
func TestSnapshotsGoOn(t *testing.T) {
	events := append(recorded.Troubled(), recorded.Rare()[1:]...)
	records := payloads(t, append(events, recorded.Rare()[1:]...))
	whole, err := history.LoadFold(nil)
	require.NoError(t, err)
	apply(t, whole, records)
	want, err := whole.Snapshot()
	require.NoError(t, err)
	for cut := 0; cut <= len(records); cut += 1 + len(records)/10 {
		first, err := history.LoadFold(nil)
		require.NoError(t, err)
		apply(t, first, records[:cut])
		snap, err := first.Snapshot()
		require.NoError(t, err)
		second, err := history.LoadFold(snap)
		require.NoError(t, err)
		apply(t, second, records[cut:])
		require.Equal(t, whole.History.Bins, second.History.Bins, "cut at %d", cut)
		require.Equal(t, whole.History.Failures, second.History.Failures, "cut at %d", cut)
		got, err := second.Snapshot()
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(got), "cut at %d", cut)
	}
}

// What is no snapshot of this heisen's is refused, and the journal then folds all its records.
func TestOtherSnapshotsAreRefused(t *testing.T) {
	whole, err := history.LoadFold(nil)
	require.NoError(t, err)
	apply(t, whole, payloads(t, recorded.Rare()))
	sound, err := whole.Snapshot()
	require.NoError(t, err)
	before, err := tally.New().Snapshot()
	require.NoError(t, err)
	for name, snap := range map[string]string{
		"of the figures alone": string(before),
		"no JSON":              "{",
		"newer":                strings.Replace(string(sound), `"history":{"version":1`, `"history":{"version":2`, 1),
		"a kind there is not":  strings.Replace(string(sound), `"Kinds":[`, `"Kinds":null,"Gone":[`, 1),
	} {
		require.NotEqual(t, string(sound), snap, name)
		_, err := history.LoadFold([]byte(snap))
		require.Error(t, err, name)
	}
}
