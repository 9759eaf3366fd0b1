package sched

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzRings feeds bytes from a stranger as two rings' content, and checks that memory stays within the
// bounds, that figures are sane, and that nothing is left when the attempts are over.
func FuzzRings(f *testing.F) {
	var seed []byte
	for _, w := range []wire{
		{kind: typeFork, at: 1, pid: 5, tid: 5, ppid: 1, ptid: laneTID},
		{kind: typeSwitch, at: 2, pid: 5, tid: 5},
		{kind: typeComm, at: 3, pid: 5, tid: 5, name: "x", misc: miscCommExec},
		{kind: typeFork, at: 4, pid: 5, tid: 6, ppid: 5, ptid: 5},
		{kind: typeSwitch, at: 5, pid: 5, tid: 5, misc: miscSwitchOut | miscPreempt},
		{kind: typeLost, at: 6, lost: 3},
		{kind: typeExit, at: 7, pid: 5, tid: 5},
	} {
		seed = append(seed, bytesOf(w)...)
	}
	f.Add(seed, seed[24:], int64(100))
	f.Add(seed[:50], []byte{0xff, 0, 1}, int64(3))
	f.Fuzz(func(t *testing.T, one, two []byte, mark int64) {
		cfg := Config{MaxThreads: 4, MaxEvents: 8, TotalEvents: 10, MaxAttempts: 2}.withDefaults()
		l := newLineage(cfg)
		l.lanes[laneTID] = true
		attached := l.claim(1, 5, 0)
		m := merger{feeds: []feed{{cpu: 0, buf: one}, {cpu: 1, buf: two}}}
		m.upTo(mark, l.take)
		m.upTo(1<<62, l.take)
		require.LessOrEqual(t, m.records, uint64(len(one)+len(two))/(headerSize+sampleSize))
		require.LessOrEqual(t, len(l.live), 4)
		r := attached.record(mark)
		require.LessOrEqual(t, len(r.Threads), 4)
		require.LessOrEqual(t, len(r.Events), 8)
		for _, th := range r.Threads {
			require.Less(t, th.Parent, len(r.Threads))
			require.GreaterOrEqual(t, th.LongestStall, time.Duration(0))
		}
		for _, s := range Spans(r) {
			require.Less(t, s.Thread, len(r.Threads))
		}
		for s := range l.live {
			l.forget(s)
		}
		require.Empty(t, l.tasks)
		require.Empty(t, l.homes)
		require.Equal(t, cfg.TotalEvents, l.budget.left)
	})
}
