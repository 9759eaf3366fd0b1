package python

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

func TestCollect(t *testing.T) {
	record := "begin\t3.8.18\t7\tgil\nthread\t1000\t0\t7\t7\nthread\t1500\t0.1\t7\t8\npoint\t3000\t0.1\tevent.set.exit\t/a.py:3\t1\n" +
		"point\t2000\t0\tthread.start.exit\t/a.py:9\t1\nmade\t3000\t0.1\tevent.set.exit\t/a.py:3\t1\t4000\tworker\nheld\t5000\t0.1\nskipped\t0\tlock\t/a.py:1\t2\n"
	r := Collect([]byte(record), chaos.Plan{Strategy: Strategy, MaxPoints: 10, MaxDecisions: 10, Settings: map[string]string{SetRate: "0.5"}}, 1000)
	require.Equal(t, run.Chaos{Strategy: Strategy, Planned: 2, Made: 1, Skipped: 1, Held: 5, Longest: 5}, r.Chaos)
	require.Equal(t, []run.Point{
		{At: 1000, Thread: 0, Source: run.FromRuntime, Name: "thread.start.exit", Fields: []string{"/a.py:9"}},
		{At: 2000, Thread: 1, Source: run.FromRuntime, Name: "event.set.exit", Fields: []string{"/a.py:3"}},
	}, r.Points)
	require.Equal(t, chaos.Address{Thread: "0.1", Kind: "event.set.exit", Site: "/a.py:3", N: 1}, r.Made[0].Address)
	require.Equal(t, 5*time.Microsecond, r.Made[0].Held)
	require.Equal(t, "worker", r.Threads[1].Name)
	require.Equal(t, 0, r.Threads[1].Parent)
	require.Zero(t, r.Dropped)
}

// What failed the test may be the hold that nobody saw the end of.
func TestCollectMarksAHoldThatDidNotEnd(t *testing.T) {
	r := Collect([]byte("begin\t3.8.18\t7\tgil\nthread\t1000\t0\t7\t7\nmade\t3000\t0\tqueue.get.entry\t/a.py:3\t1\t4000\tmain\nheld\t5000\t0\n"+
		"made\t9000\t0\tqueue.get.entry\t/a.py:3\t2\t7000\tmain\n"), chaos.Plan{Strategy: Starve, MaxPoints: 10, MaxDecisions: 10}, 1000)
	require.Len(t, r.Made, 2)
	require.False(t, r.Made[0].CutOff)
	require.True(t, r.Made[1].CutOff)
	require.Equal(t, 7*time.Microsecond, r.Made[1].Hold)
}

func TestCollectSaysWhyNothingWasDone(t *testing.T) {
	require.Contains(t, Collect(nil, chaos.Plan{}, 0).Unsupported, "-I, -E or -S")
	r := Collect([]byte("begin\t3.13.0\t1\tfree-threaded\nfault\tKeyError: 'x'\n"), chaos.Plan{Settings: map[string]string{SetSwitch: "1"}}, 0)
	require.Len(t, r.Notes, 2)
}

// A record is what a test's processes left there: nothing in it may do more than be counted.
func FuzzCollect(f *testing.F) {
	f.Add([]byte("begin\t3.8\t1\tgil\nmade\t1\t0\tk\ts\t1\t2\tn\nheld\t1\t0\nthread\tx\n\xff\t\x00"))
	f.Add([]byte("stack\t0\t0\t1\tmain\nframe\t0\tf\ta.py:1\nframe\t1\tf\ta.py:1\nstack\t0\t\t0\t\n"))
	f.Add(bytes.Repeat([]byte("x"), 2*maxLine))
	f.Fuzz(func(t *testing.T, data []byte) {
		half := len(data) / 2
		data = inOrder([][]byte{data[:half], data[half:]})
		r := Collect(data, chaos.Plan{MaxPoints: 3, MaxDecisions: 2}, 5)
		require.LessOrEqual(t, len(r.Made), 2)
		require.LessOrEqual(t, len(r.Points), 3)
		require.LessOrEqual(t, len(r.Stacks), chaos.MostStacks)
		require.LessOrEqual(t, len(r.Threads), maxThreads)
		require.GreaterOrEqual(t, r.Chaos.Planned, int64(len(r.Made)))
		for _, p := range r.Points {
			require.Less(t, p.Thread, len(r.Threads))
		}
	})
}
