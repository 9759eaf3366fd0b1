package csv_test

import (
	"bytes"
	stdcsv "encoding/csv"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/reports/csv"
	"heisen/reports/internal/recorded"
	"heisen/stress/run"
)

func TestALinePerAttemptWithWhatWasMeasured(t *testing.T) {
	var b bytes.Buffer
	w, err := csv.NewWriter(&b)
	require.NoError(t, err)
	events := append(recorded.Troubled(), run.Finished{Seq: 99, Outcome: run.Fail, Cause: "=HYPERLINK(\"http://evil\")\n", At: recorded.Start,
		Signals: run.Signals{run.SigRunDelay: 7}, Chaos: &run.Chaos{Strategy: "hold", Made: 3, Held: 12}})
	finished := 0
	for _, e := range events {
		require.NoError(t, w.Add(e))
		if _, ok := e.(run.Finished); ok {
			finished++
		}
	}
	require.NoError(t, w.Close())
	rows, err := stdcsv.NewReader(&b).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, finished+1)
	at := func(row int, name string) string { return rows[row][slices.Index(rows[0], name)] }
	last := len(rows) - 1
	require.Equal(t, "99", at(last, "attempt"))
	require.Equal(t, `'=HYPERLINK("http://evil")\n`, at(last, "cause"), "no formula")
	require.Equal(t, "7", at(last, run.SigRunDelay))
	require.Equal(t, "", at(last, run.SigSteal), "not collected is no zero")
	require.Equal(t, "hold 3 12", fmt.Sprint(at(last, "strategy"), " ", at(last, "holds"), " ", at(last, "held_us")))
	require.Equal(t, "0123abcd", at(41, "signature"))
}
