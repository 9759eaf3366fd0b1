package starve

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func pointAt(i int, v float64) Point {
	at := time.Unix(1000, 0).Add(time.Duration(i) * slowEvery)
	stats := make([]Stat, columns)
	stats[colRunnable] = reading(v)
	return Point{Start: at, Last: at, Stats: stats}
}

func TestLongSeriesIsBoundedAndKeepsASpike(t *testing.T) {
	var s Series
	const day = 24 * 3600 * 4
	for i := range day {
		v := 1.0
		if i == 1000 {
			v = 99
		}
		s.Add(pointAt(i, v))
	}
	points := s.Points()
	require.LessOrEqual(t, len(points), 13*perLevel)
	total, spikes := int64(0), 0
	for i, p := range points {
		st := p.Stats[colRunnable]
		total += st.N
		if st.Max == 99 {
			spikes++
			require.Equal(t, 1.0, st.Min)
			require.Less(t, st.Mean, 2.0)
		}
		if i > 0 {
			require.True(t, p.Start.After(points[i-1].Last), "points overlap or are out of order")
		}
	}
	require.EqualValues(t, day, total, "a reading is missing or counted twice")
	require.Equal(t, 1, spikes)
	require.EqualValues(t, 1, points[len(points)-1].Stats[colRunnable].N, "the youngest is as it was read")
	data, err := json.Marshal(&s)
	require.NoError(t, err)
	require.Less(t, len(data), 1<<20)
}

func TestSeriesThinsWithAge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Series
		values := rapid.SliceOfN(rapid.Float64Range(0, 1000), 1, 2000).Draw(t, "values")
		sum, least, most := 0.0, math.Inf(1), math.Inf(-1)
		for i, v := range values {
			s.Add(pointAt(i, v))
			sum, least, most = sum+v, min(least, v), max(most, v)
		}
		var all Stat
		last := int64(math.MaxInt64)
		for _, p := range s.Points() {
			st := p.Stats[colRunnable]
			if st.N > last {
				t.Fatalf("an older point of %d readings before a younger of %d", last, st.N)
			}
			last = st.N
			all = all.merge(st)
		}
		if all.N != int64(len(values)) || all.Min != least || all.Max != most || math.Abs(all.Mean-sum/float64(all.N)) > 1e-6*most {
			t.Fatalf("%+v of %d values, mean %v", all, len(values), sum/float64(len(values)))
		}
	})
}

func TestSeriesIsGoneOnWith(t *testing.T) {
	path := filepath.Join(t.TempDir(), "series.json")
	var whole, before Series
	for i := range 1500 {
		whole.Add(pointAt(i, float64(i%7)))
		if i < 700 {
			before.Add(pointAt(i, float64(i%7)))
		}
	}
	require.NoError(t, before.WriteFile(path))
	again, err := ReadSeries(path)
	require.NoError(t, err)
	for i := 700; i < 1500; i++ {
		again.Add(pointAt(i, float64(i%7)))
	}
	want, got := whole.Points(), again.Points()
	require.Len(t, got, len(want))
	for i := range want {
		require.True(t, want[i].Start.Equal(got[i].Start) && want[i].Last.Equal(got[i].Last))
		require.InDelta(t, want[i].Stats[colRunnable].Mean, got[i].Stats[colRunnable].Mean, 1e-3)
		require.Equal(t, want[i].Stats[colRunnable].N, got[i].Stats[colRunnable].N)
		require.Zero(t, got[i].Stats[colSteal].N, "no reading stays none")
	}
}

func TestSeriesColumnsAreFoundByName(t *testing.T) {
	text := `{"version":1,"metrics":[{"name":"new"},{"name":"load1"}],"levels":[[{"start_us":1,"last_us":2,"stats":[[9],[3,1,5,2]]}]]}`
	var s Series
	require.NoError(t, json.Unmarshal([]byte(text), &s))
	p := s.Points()
	require.Equal(t, Stat{N: 2, Mean: 3, Min: 1, Max: 5}, p[0].Stats[colLoad])
	require.Zero(t, p[0].Stats[colCPUSome].N)
}

func TestDamagedSeries(t *testing.T) {
	for name, text := range map[string]string{
		"newer":     `{"version":2}`,
		"no JSON":   `{"version":`,
		"a stat":    `{"version":1,"metrics":[],"levels":[[{"stats":[[1,2]]}]]}`,
		"too long":  `{"version":1,"levels":[[` + strings.Repeat(`{},`, perLevel) + `{}]]}`,
		"bad count": `{"version":1,"levels":[[{"stats":[[1,1,1,-4]]}]]}`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "series.json")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			_, err := ReadSeries(path)
			require.ErrorContains(t, err, path)
			_, err = OpenMeter(Config{SeriesFile: path})
			require.Error(t, err, "a file that is not understood must not be overwritten")
		})
	}
}

func TestSeriesCSV(t *testing.T) {
	var s Series
	s.Add(pointAt(0, 2))
	s.Add(pointAt(1, 4))
	var text strings.Builder
	require.NoError(t, s.WriteCSV(&text))
	rows, err := csv.NewReader(strings.NewReader(text.String())).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.Len(t, rows[0], 2+3*len(Metrics()))
	require.Equal(t, "1970-01-01T00:16:40Z", rows[1][0])
	require.Equal(t, []string{"4", "4", "4"}, rows[2][2+3*colRunnable:5+3*colRunnable])
	require.Equal(t, "", rows[2][2], "no reading")
}
