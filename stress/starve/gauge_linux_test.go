package starve

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSeriesOfAPreparedMachine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "series.json")
	b := newBench(t, nil, Config{SeriesFile: path})
	b.pass(0)
	require.Empty(t, b.m.Series().Points(), "a share needs two readings")
	b.pressure("cpu", 125_000, 0)
	b.pressure("io", 25_000, 12_500)
	b.stat(10, 5000)
	b.load(4)
	b.pass(slowEvery)
	points := b.m.Series().Points()
	require.Len(t, points, 1)
	for col, want := range map[int]float64{
		colCPUSome: 0.5, colIOSome: 0.1, colIOFull: 0.05, colMemorySome: 0, colSteal: 0.2, colSwitches: 20_000,
		colLoad: 1.5, colRunnable: 3, colMemory: 1000 << 10, colThrottled: 0, colFiles: 1070,
	} {
		require.EqualValues(t, 1, points[0].Stats[col].N, metrics[col].Name)
		require.InDelta(t, want, points[0].Stats[col].Mean, 1e-9, metrics[col].Name)
	}
	require.NoError(t, b.m.Close())
	kept, err := ReadSeries(path)
	require.NoError(t, err)
	require.Len(t, kept.Points(), 1)
}

func TestSeriesOfThisMachine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "series.json")
	m := openMeter(t, Config{SeriesFile: path, SeriesEvery: 50 * time.Millisecond})
	eventually(t, "a point on disk", func() bool {
		s, err := ReadSeries(path)
		return err == nil && len(s.Points()) > 0
	})
	p := m.Series().Points()[0]
	for _, col := range []int{colLoad, colRunnable, colSwitches, colMemory, colOwnFiles, colFiles} {
		require.EqualValues(t, 1, p.Stats[col].N, metrics[col].Name)
	}
	require.Positive(t, p.Stats[colMemory].Mean)
	require.Positive(t, p.Stats[colOwnFiles].Mean)
}
