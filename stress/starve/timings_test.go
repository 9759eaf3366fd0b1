package starve

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

func someTimings() *Timings {
	t := NewTimings()
	for i := range 1000 {
		t.Record(KindDuration, run.Pass, "", time.Duration(i+1)*time.Millisecond)
	}
	t.Record(KindDuration, run.Fail, "ab12", 3*time.Second)
	t.Record(GapKind("first_output", "worker up"), run.Fail, "ab12", 40*time.Microsecond)
	return t
}

func TestTimingsByOutcomeAndSignature(t *testing.T) {
	tm := someTimings()
	require.Equal(t, []TimingKey{
		{KindDuration, "outcome=fail"}, {KindDuration, "outcome=pass"}, {KindDuration, "signature=ab12"},
		{"gap:first_output..worker up", "outcome=fail"}, {"gap:first_output..worker up", "signature=ab12"},
	}, tm.Keys())
	h := tm.Histogram(TimingKey{KindDuration, OutcomeGroup(run.Pass)})
	require.EqualValues(t, 1000, h.TotalCount())
	require.InEpsilon(t, float64(500*time.Millisecond), float64(h.ValueAtQuantile(50)), 0.01)
	require.InEpsilon(t, float64(990*time.Millisecond), float64(h.ValueAtQuantile(99)), 0.01)
	require.Nil(t, tm.Histogram(TimingKey{"none", "none"}))
}

func TestTimingsLoseNoCount(t *testing.T) {
	tm := NewTimings()
	for _, d := range []time.Duration{-time.Hour, 0, 1, time.Nanosecond, 400 * 24 * time.Hour} {
		tm.Record(KindStop, run.Timeout, "", d)
	}
	require.EqualValues(t, 5, tm.Histogram(TimingKey{KindStop, OutcomeGroup(run.Timeout)}).TotalCount())
}

func TestTimingsAreBounded(t *testing.T) {
	tm := NewTimings()
	for i := range 5000 {
		tm.Record(KindDuration, run.Fail, fmt.Sprint("s", i), time.Second)
		tm.Record(GapKind("a", fmt.Sprint(i)), run.Fail, "", time.Second)
	}
	keys := tm.Keys()
	require.LessOrEqual(t, len(keys), 2*maxTimings+1)
	total := int64(0)
	for _, k := range keys {
		total += tm.Histogram(k).TotalCount()
	}
	require.EqualValues(t, 15_000, total)
	require.Contains(t, keys, TimingKey{KindDuration, otherGroup})
	require.EqualValues(t, 5000, tm.Histogram(TimingKey{KindDuration, "outcome=fail"}).TotalCount())
}

func TestTimingsFromARecord(t *testing.T) {
	tm := NewTimings()
	tm.RecordFinished(run.Finished{Wall: 2_000_000, Outcome: run.Fail, Filed: &run.Filed{Signature: "s"},
		Signals: run.Signals{run.SigLongestStall: 7000}})
	require.Len(t, tm.Keys(), 4)
	h := tm.Histogram(TimingKey{KindLongestStall, SignatureGroup("s")})
	require.InEpsilon(t, float64(7*time.Millisecond), float64(h.Max()), 0.01)
}

func TestTimingsMergeAndSnapshot(t *testing.T) {
	a, b := someTimings(), someTimings()
	data, err := a.Snapshot()
	require.NoError(t, err)
	again, err := RestoreTimings(data)
	require.NoError(t, err)
	require.Equal(t, a.Keys(), again.Keys())
	again.Merge(b)
	for _, k := range a.Keys() {
		require.Equal(t, 2*a.Histogram(k).TotalCount(), again.Histogram(k).TotalCount())
		require.Equal(t, a.Histogram(k).ValueAtQuantile(50), again.Histogram(k).ValueAtQuantile(50))
	}
	empty, err := RestoreTimings(nil)
	require.NoError(t, err)
	require.Empty(t, empty.Keys())
	for _, bad := range []string{"{", `{"version":2}`, `{"version":1,"timings":[{"histogram":"AAAA"}]}`} {
		_, err := RestoreTimings([]byte(bad))
		require.Error(t, err, bad)
	}
}

func TestTimingsFromManyGoroutines(t *testing.T) {
	tm := NewTimings()
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 200 {
				tm.Record(KindDuration, run.Pass, fmt.Sprint(g), time.Duration(i))
				if i%50 == 0 {
					tm.Merge(NewTimings())
					_, _ = tm.Snapshot()
				}
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1600, tm.Histogram(TimingKey{KindDuration, OutcomeGroup(run.Pass)}).TotalCount())
}

// interval is a line of a histogram log as the Java HistogramLogScanner takes it apart: tokens end at a
// blank, a comma or an end of line; an optional token Tag=..., three numbers, and the histogram.
var interval13 = regexp.MustCompile(`^(?:Tag=([^ ,\r\n]+),)?(\d+\.\d+),(\d+\.\d+),(\d+\.\d+),([A-Za-z0-9+/]+=*)$`)

func TestHistogramLog(t *testing.T) {
	tm := someTimings()
	start := time.Unix(1_700_000_000, 250e6)
	var log bytes.Buffer
	require.NoError(t, WriteLogHeader(&log, start))
	require.NoError(t, tm.AppendLog(&log, start, start.Add(30*time.Second)))
	require.NoError(t, tm.AppendLog(&log, start.Add(30*time.Second), start.Add(60*time.Second)))
	if path := os.Getenv("HEISEN_KEEP_HLOG"); path != "" {
		require.NoError(t, os.WriteFile(path, log.Bytes(), 0o600)) // for a look with another reader
	}
	text := log.String()
	require.Regexp(t, `(?m)^#\[Histogram log format version 1\.3\]$`, text)
	require.Regexp(t, `(?m)^#\[StartTime: 1700000000 \(seconds since epoch\)`, text)
	require.Regexp(t, `(?m)^"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"$`, text)
	lines := 0
	for scan := bufio.NewScanner(strings.NewReader(text)); scan.Scan(); {
		line := scan.Text()
		if line[0] == '#' || line[0] == '"' {
			continue
		}
		part := interval13.FindStringSubmatch(line)
		require.NotNil(t, part, line)
		k := tm.Keys()[lines%5]
		require.Equal(t, k.String(), part[1])
		require.NotContains(t, part[1], " ")
		from, err := strconv.ParseFloat(part[2], 64)
		require.NoError(t, err)
		require.InDelta(t, 1_700_000_000.25+30*float64(lines/5), from, 1e-3)
		require.Equal(t, "30.000000", part[3])
		h, err := hdr.Decode([]byte(part[5]))
		require.NoError(t, err)
		require.True(t, h.Equals(tm.Histogram(k)))
		lines++
	}
	require.Equal(t, 10, lines)

	r := hdr.NewHistogramLogReader(bytes.NewReader(log.Bytes()))
	for i := range 10 {
		h, err := r.NextIntervalHistogram()
		require.NoError(t, err)
		require.Equal(t, tm.Keys()[i%5].String(), h.Tag())
		require.Equal(t, tm.Histogram(tm.Keys()[i%5]).TotalCount(), h.TotalCount())
		require.Equal(t, start.UnixMilli()+int64(i/5)*30_000, h.StartTimeMs())
	}
}

func TestPercentileText(t *testing.T) {
	var text strings.Builder
	tm := someTimings()
	require.NoError(t, tm.WritePercentiles(&text, TimingKey{KindDuration, OutcomeGroup(run.Pass)}))
	require.Regexp(t, `(?m)^ *50[0-9]\.\d+ +0\.5\d* +50\d `, text.String())
	require.Regexp(t, `#\[Max +=  +100\d\.\d+, Total count +=  +1000\]`, text.String())
	require.Error(t, tm.WritePercentiles(&text, TimingKey{"none", "none"}))
}
