package reports_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/stress/interleave"
	"heisen/stress/run"
	"heisen/stress/tally"
)

// TestInterleavingsOfACampaign: the common order, one that only failed, one that passed once, and attempts without a record.
func TestInterleavingsOfACampaign(t *testing.T) {
	figures := tally.New()
	figures.Add(run.Began{Campaign: "c", Session: 1, Epoch: 1})
	sample := &interleave.Sample{}
	for seq := range int64(40) {
		fin := run.Finished{Seq: seq + 1, Epoch: 1, Outcome: run.Pass, Variant: "00000000000000aa", At: time.Unix(seq, 0)}
		switch {
		case seq%10 == 3:
			fin.Outcome, fin.Variant, fin.Filed = run.Fail, "00000000000000bb", &run.Filed{Signature: "s", Bundle: "bundles/s/1"}
		case seq == 20:
			fin.Variant, fin.Filed = "00000000000000cc", &run.Filed{Bundle: "../../etc", Exemplar: true}
		case seq == 30:
			fin.Variant = ""
		}
		figures.Add(fin)
		sample.Add(&fin, interleave.Form{Variant: fin.Variant, Events: []interleave.Event{{Key: fin.Variant, Thread: -1, Starts: -1}}})
	}
	r := reports.Build(figures, reports.Facts{Dir: "/c", Compare: true, Interleavings: sample})
	require.Equal(t, []reports.Variant{
		{ID: "00000000000000aa", Count: 34, Pass: 34, First: 1},
		{ID: "00000000000000bb", Count: 4, Fail: 4, First: 4, Exemplar: "/c/bundles/s/1"},
		{ID: "00000000000000cc", Count: 1, Pass: 1, First: 21, NearMiss: true},
	}, r.Variants, "a record that points out of the campaign is not followed")
	require.Equal(t, int64(39), r.Interleavings.Attempts)
	require.Equal(t, int64(1), r.Interleavings.Without)
	require.True(t, r.Interleavings.Exact)
	require.InDelta(t, 1.0/39, r.Interleavings.Unseen, 1e-9)
	require.Equal(t, &reports.Lately{Attempts: 23, New: 1}, r.Interleavings.Lately)
	require.Equal(t, []reports.Grown{{1, 1}, {2, 1}, {4, 2}, {8, 2}, {16, 2}, {32, 3}, {39, 3}}, r.Interleavings.Growth)
	require.Equal(t, 4, r.Divergence.Failures)
	require.Equal(t, "00000000000000bb", r.Divergence.Failing)

	sample.Epoch = 2
	require.Nil(t, reports.Build(figures, reports.Facts{Dir: "/c", Compare: true, Interleavings: sample}).Divergence,
		"orders of another program are not compared")
	empty := reports.Build(tally.New(), reports.Facts{})
	require.Nil(t, empty.Interleavings, fmt.Sprint(empty.Variants))
}
