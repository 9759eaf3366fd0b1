package sched

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRecordedRings reads what Linux 6.18 on amd64 wrote into the rings of two CPUs while a Python program
// with three threads ran, started from a followed thread.
func TestRecordedRings(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the bytes are of a little-endian machine")
	}
	m := merger{feeds: []feed{{cpu: 0}, {cpu: 1}}}
	for i, file := range []string{"testdata/cpu0.ring", "testdata/cpu1.ring"} {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		m.feeds[i].buf = data
	}
	l := newLineage(Config{}.withDefaults())
	m.upTo(1<<62, func(cpu int16, w *wire) {
		if w.kind == typeFork && len(l.lanes) == 0 {
			l.lanes[w.ptid] = true // the first fork is the followed thread's
		}
		l.take(cpu, w)
	})
	require.Zero(t, m.malformed)
	require.Zero(t, m.late)
	require.Len(t, l.roots, 1)
	r := l.roots[0].story.record(m.last)
	require.Len(t, r.Threads, 4)
	require.Zero(t, Sum(r).Gaps)
	for i, th := range r.Threads {
		require.Equal(t, r.Threads[0].PID, th.PID)
		require.Equal(t, "python3", th.Name)
		require.Less(t, th.Created, th.FirstRun, "thread %d", i)
		require.Less(t, th.FirstRun, th.Exited)
		require.Equal(t, min(i, 1)-1, th.Parent)
	}
}
