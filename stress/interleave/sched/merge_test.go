package sched

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestMergeOrdersRingsReadAtDifferentMoments plays a kernel and a reader: every ring is in order by
// itself, a record can be seen only some time after the time it bears, and a pass reads each ring at a
// moment of its own. Nothing may come out of order, or be missing after two more passes.
func TestMergeOrdersRingsReadAtDifferentMoments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const latency = 100 // of a record; less than two passes take, more than one may
		rings := make([][]int64, rapid.IntRange(1, 4).Draw(t, "CPUs"))
		total := 0
		for i := range rings {
			rings[i] = rapid.SliceOfN(rapid.Int64Range(1, 1000), 0, 50).Draw(t, "times")
			slices.Sort(rings[i])
			total += len(rings[i])
		}
		m := merger{feeds: make([]feed, len(rings))}
		var got []int64
		var mark, clock int64
		read := make([]int, len(rings))
		pass := func(lags func() int64) {
			start := clock
			for i, times := range rings {
				clock += lags()
				for ; read[i] < len(times) && times[read[i]]+latency <= clock; read[i]++ {
					m.feeds[i].buf = append(m.feeds[i].buf, bytesOf(wire{kind: typeSwitch, at: times[read[i]]})...)
				}
			}
			m.upTo(mark, func(_ int16, w *wire) { got = append(got, w.at) })
			mark = start
		}
		for clock < 1000+latency {
			pass(func() int64 { return rapid.Int64Range(60, 200).Draw(t, "lag") })
		}
		pass(func() int64 { return 0 })
		pass(func() int64 { return 0 })
		require.Len(t, got, total)
		require.True(t, slices.IsSorted(got))
		require.Zero(t, m.late)
		for _, f := range m.feeds {
			require.Empty(t, f.buf)
		}
	})
}

func TestMergeGoesOnAfterGarbage(t *testing.T) {
	m := merger{feeds: make([]feed, 2)}
	m.feeds[0].buf = append(bytesOf(wire{kind: typeSwitch, at: 1}), 0xff, 0xff, 0xff)
	m.feeds[1].buf = bytesOf(wire{kind: typeSwitch, at: 2})
	var got []int64
	m.upTo(10, func(_ int16, w *wire) { got = append(got, w.at) })
	require.Equal(t, []int64{1, 2}, got)
	require.Equal(t, uint64(1), m.malformed)
	m.feeds[0].buf = append(m.feeds[0].buf, bytesOf(wire{kind: typeSwitch, at: 3})...)
	m.upTo(10, func(_ int16, w *wire) { got = append(got, w.at) })
	require.Equal(t, []int64{1, 2, 3}, got)
}

func TestMergeCountsLateRecords(t *testing.T) {
	m := merger{feeds: make([]feed, 1)}
	for _, at := range []int64{5, 3} {
		m.feeds[0].buf = append(m.feeds[0].buf, bytesOf(wire{kind: typeSwitch, at: at})...)
		m.upTo(10, func(int16, *wire) {})
	}
	require.Equal(t, uint64(1), m.late)
}
