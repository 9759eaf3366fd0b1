package reports_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/reports/internal/golden"
	"heisen/reports/internal/recorded"
	"heisen/stress/run"
	"heisen/stress/tally"
)

func build(t *testing.T, events []run.Event) reports.Report {
	return reports.Build(recorded.Tally(t, events), reports.Facts{Dir: recorded.Dir})
}

func TestReportAsJSON(t *testing.T) {
	for name, events := range map[string][]run.Event{
		"rare": recorded.Rare(), "troubled": recorded.Troubled(), "unjudged": recorded.Unjudged(), "empty": nil,
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, reports.WriteJSON(&b, build(t, events)))
			golden.Equal(t, name+".json", b.String())
			for _, r := range b.String() {
				require.True(t, r == '\n' || unicode.IsPrint(r), "%q on a terminal", r)
			}
			var back reports.Report
			require.NoError(t, json.Unmarshal(b.Bytes(), &back))
			var again bytes.Buffer
			require.NoError(t, reports.WriteJSON(&again, back))
			require.Equal(t, b.String(), again.String())
		})
	}
}

// The fields that scripts were promised, by their names and types.
func TestContractForScripts(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, reports.WriteJSON(&b, build(t, recorded.Troubled())))
	var doc struct {
		ID, Dir  *string
		Command  []string
		Attempts map[string]int64
		Rate     struct {
			Failures, Attempts    *int64
			Low, High, Confidence *float64
		}
		Signatures []struct {
			ID, Title *string
			Count     *int64
			Bundles   []string
		}
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &doc))
	require.NotNil(t, doc.ID)
	require.Equal(t, recorded.Dir, *doc.Dir)
	require.Equal(t, []string{"./queue test", "--new"}, doc.Command)
	require.NotNil(t, doc.Rate.Failures)
	require.NotNil(t, doc.Rate.Attempts)
	require.NotNil(t, doc.Rate.Low)
	require.NotNil(t, doc.Rate.High)
	require.InDelta(t, 0.95, *doc.Rate.Confidence, 0)

	sum := int64(0)
	for _, o := range run.Outcomes() {
		n, ok := doc.Attempts[string(o)]
		require.True(t, ok, "%s is there even when it never happened", o)
		sum += n
	}
	require.Equal(t, doc.Attempts["total"], sum, "the books balance")
	require.Contains(t, doc.Attempts, "leaked")
	require.Len(t, doc.Attempts, len(run.Outcomes())+2)
	require.Len(t, doc.Signatures, 2)
	for _, s := range doc.Signatures {
		require.NotNil(t, s.ID)
		require.NotNil(t, s.Title)
		require.NotNil(t, s.Count)
		require.NotNil(t, s.Bundles, "a list, never null")
		for _, path := range s.Bundles {
			require.True(t, strings.HasPrefix(path, recorded.Dir+"/"), path)
		}
	}
}

func TestRateIsOfTheLatestEpochAlone(t *testing.T) {
	r := build(t, recorded.Troubled())
	require.Equal(t, int64(1), r.Rate.Failures)
	require.Equal(t, int64(3), r.Rate.Attempts, "two passes and a time-out; nothing else says anything about the test")
	require.Len(t, r.Epochs, 2)
	require.Equal(t, int64(41), r.Epochs[0].Rate.Attempts)
	require.Contains(t, strings.Join(r.Doubts, "\n"), "2 epochs")
}

func TestCancelledAttemptsAreInTheBooksUntilAResume(t *testing.T) {
	events := recorded.Troubled()
	r := build(t, events)
	require.Equal(t, int64(12), r.Attempts.ByOutcome[run.Cancelled])
	require.Equal(t, int64(41+8+12), r.Attempts.Total)

	folded := recorded.Tally(t, events)
	_, latest := folded.Began()
	latest.Session++
	folded.Add(latest)
	r = reports.Build(folded, reports.Facts{Dir: recorded.Dir, Running: true})
	require.Zero(t, r.Attempts.ByOutcome[run.Cancelled])
	require.Equal(t, int64(41+8), r.Attempts.Total)
}

func TestStraysAreTold(t *testing.T) {
	require.NotContains(t, strings.Join(build(t, recorded.Rare()).Doubts, "\n"), "nobody can tell which")
	events := recorded.Rare()
	end, ok := events[len(events)-1].(run.Ended)
	require.True(t, ok)
	end.Strays = &run.Strays{Count: 3, Last: run.Leak{PID: 7, Command: "sleep 9"}}
	r := build(t, append(events[:len(events)-1:len(events)-1], end))
	require.Equal(t, end.Strays, r.Strays)
	require.Contains(t, r.Doubts, `processes that some attempt left behind and nobody can tell which, killed: 3, the last was "sleep 9"; such attempts are not counted as leaked`)
}

func TestStates(t *testing.T) {
	cases := []struct {
		name    string
		events  []run.Event
		running bool
		want    reports.State
	}{
		{"nothing on record", nil, false, reports.Empty},
		{"open in some heisen", recorded.Clean(), true, reports.Running},
		{"no end on record and nobody has it open", recorded.Clean(), false, reports.CutOff},
		{"ended by its rule", recorded.Rare(), false, reports.Finished},
		{"ended by the user", recorded.Troubled(), false, reports.Interrupted},
		{"could not go on", recorded.NotStarted(), false, reports.Stopped},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := reports.Build(recorded.Tally(t, c.events), reports.Facts{Dir: recorded.Dir, Running: c.running})
			require.Equal(t, c.want, r.State)
		})
	}
}

func TestNothingMeasuredIsAbsentAndNotZero(t *testing.T) {
	r := build(t, recorded.Unjudged())
	require.Nil(t, r.Rate.Share)
	require.Equal(t, [2]float64{0, 1}, [2]float64{r.Rate.Low, r.Rate.High})
	require.Nil(t, r.Durations.Pass)
	require.Nil(t, r.Durations.Fail)
	require.Contains(t, r.Doubts[0], "no attempt could be judged")

	empty := build(t, nil)
	require.Nil(t, empty.PerSecond)
	require.Nil(t, empty.Timeout)
	require.Nil(t, empty.Tier)
}

// The engine's live figures and a finished folder's go through the same function: given the same elapsed
// time they are the same report, apart from the state.
func TestLiveAndFinishedAgree(t *testing.T) {
	events := recorded.Rare()
	live := reports.Build(recorded.Tally(t, events[:len(events)-1]), reports.Facts{Dir: recorded.Dir, Running: true, Elapsed: 151 * time.Second})
	done := build(t, events)
	live.State, live.StopReason, live.LastSeen = done.State, done.StopReason, done.LastSeen
	require.Equal(t, done, live)
}

func TestBundlesOutsideTheCampaignAreNotFollowed(t *testing.T) {
	folded := tally.New()
	for i, path := range []string{"../../etc", "/etc/passwd", "bundles/x/1"} {
		folded.Add(run.Finished{Seq: int64(i + 1), Outcome: run.Fail, Filed: &run.Filed{Signature: "s", Bundle: path}})
	}
	r := reports.Build(folded, reports.Facts{Dir: recorded.Dir})
	require.Equal(t, []string{recorded.Dir + "/bundles/x/1"}, r.Signatures[0].Bundles)
}

func TestTimeoutInForce(t *testing.T) {
	require.Equal(t, &reports.Timeout{Limit: reports.Seconds(30 * time.Second), Auto: true, Settled: true, Passes: 50}, build(t, recorded.Rare()).Timeout)
	require.Equal(t, &reports.Timeout{Limit: reports.Seconds(10 * time.Minute), Auto: true}, build(t, recorded.Clean()).Timeout)
	require.Equal(t, &reports.Timeout{Limit: reports.Seconds(5 * time.Second), Settled: true}, build(t, recorded.Troubled()).Timeout)
}
