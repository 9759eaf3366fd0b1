package history_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/reports/history"
	"heisen/reports/internal/recorded"
	"heisen/stress/run"
	"heisen/stress/tally"
)

func fold(events []run.Event) *history.History {
	h := &history.History{}
	for _, e := range events {
		h.Add(e)
	}
	return h
}

// What is drawn adds up to the figures that are printed.
func TestTheBinsAddUpToTheReport(t *testing.T) {
	for name, events := range map[string][]run.Event{"rare": recorded.Rare(), "troubled": recorded.Troubled(), "clean": recorded.Clean(),
		"twice": append(recorded.Rare(), recorded.Rare()[1:]...), "unjudged": recorded.Unjudged()} {
		h := fold(events)
		r := reports.Build(recorded.Tally(t, events), reports.Facts{})
		windows, width := h.Windows(48)
		require.LessOrEqual(t, len(windows), 48)
		require.Positive(t, width)
		for _, bins := range [][]history.Bin{h.Bins, windows} {
			var plain, failed, finished int64
			var rate tally.Counts
			rate.ByOutcome = map[run.Outcome]int64{}
			for _, b := range bins {
				failed, finished, plain = failed+b.Failed, finished+b.Finished, plain+b.Plain.Total()
				for o, n := range b.Plain.ByOutcome {
					rate.ByOutcome[o] += n
				}
			}
			require.Equal(t, r.Rate, reports.RateOf(rate), name)
			require.Equal(t, r.Attempts.Failures(), failed, name)
			require.Equal(t, r.Attempts.Total-r.Attempts.ByOutcome[run.Cancelled], finished, name)
		}
		sum := func(bins [history.DurationBins]int64) (n int64) {
			for _, k := range bins {
				n += k
			}
			return n
		}
		for _, side := range []struct {
			q    *reports.Quantiles
			bins [history.DurationBins]int64
		}{{r.Durations.Pass, h.Pass}, {r.Durations.Fail, h.Fail}} {
			want := int64(0)
			if side.q != nil {
				want = side.q.Count
			}
			require.Equal(t, want, sum(side.bins), name)
		}
	}
}

func TestAWeekFitsTheSameRoom(t *testing.T) {
	h := &history.History{}
	for seq := int64(1); seq <= 5000; seq++ {
		h.Add(run.Finished{Seq: seq, Outcome: run.Pass, At: recorded.Start.Add(time.Duration(seq) * 2 * time.Minute), Wall: 1000})
	}
	require.LessOrEqual(t, len(h.Bins), 512)
	require.Greater(t, len(h.Bins), 200)
	h.Add(run.Finished{Seq: 5001, Outcome: run.Fail, At: recorded.Start.Add(-time.Hour), Wall: 1000})
	require.EqualValues(t, 1, h.Bins[0].Failed, "a clock that was set back")
}

func TestDurationClasses(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	for range 10_000 {
		us := r.Int64N(1<<uint(1+r.IntN(43))) + 1
		bin := history.DurationBin(us)
		d := time.Duration(us) * time.Microsecond
		require.LessOrEqual(t, history.DurationFrom(bin), d, "seed %d", seed)
		if us >= 8 {
			require.Less(t, d, history.DurationFrom(bin+1), "seed %d", seed)
		}
	}
	require.Zero(t, history.DurationBin(-5))
}
