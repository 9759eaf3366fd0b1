package python

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

func TestDrawStarveKeepsToItsBounds(t *testing.T) {
	for seed := range uint64(200) {
		s := DrawStarve(seed, 60*time.Millisecond)
		require.Equal(t, s, DrawStarve(seed, 60*time.Millisecond))
		longest, err := strconv.ParseFloat(s[SetLongest], 64)
		require.NoError(t, err)
		require.LessOrEqual(t, longest, 0.06)
		require.Equal(t, "0.004", s[SetShortest])
		require.Contains(t, []string{"0.25", "0.5", "0.75"}, s[SetVictims])
	}
	require.Equal(t, DrawStarve(1, time.Millisecond)[SetLongest], DrawStarve(1, time.Millisecond)[SetShortest])
}

const crowd = `import threading
done = threading.Semaphore(0)
def work():
    for _ in range(8):
        done.release()
threads = [threading.Thread(target=work) for _ in range(6)]
for t in threads: t.start()
for _ in range(48): done.acquire()
for t in threads: t.join()
print("right")
`

// Some threads are paused and others never, all pauses are as long as they should be, and the same place is paused at
// less and less often.
func TestStarvePausesSomeThreads(t *testing.T) {
	script := filepath.Join(t.TempDir(), "crowd.py")
	require.NoError(t, os.WriteFile(script, []byte(crowd), 0o600))
	first, later, paused, spared := 0, 0, 0, 0
	for seed := range uint64(8) {
		plan := always(map[string]string{SetVictims: "0.5", SetShortest: "0.0002", SetLongest: "0.0003"})
		plan.Seed = seed
		out, r, err := attempt{t: t, python: newest(t), plan: plan}.run(script)
		require.NoError(t, err, out)
		require.Equal(t, "right\n", out)
		require.Empty(t, r.Notes)
		for _, m := range r.Made {
			require.True(t, m.Decision.Hold >= 200*time.Microsecond && m.Decision.Hold <= 300*time.Microsecond, "%v", m.Decision.Hold)
			if m.N == 1 {
				first++
			} else if m.N > 4 {
				later++
			}
		}
		for _, path := range []string{"0.1", "0.2", "0.3", "0.4", "0.5", "0.6"} {
			if paths(r)[path] {
				paused++
			} else {
				spared++
			}
		}
	}
	require.Greater(t, paused, 8)
	require.Greater(t, spared, 8)
	require.Greater(t, first, later)
	require.Positive(t, later)
}

// The arm draws within the bound on starve intervals, not that on holds.
func TestStarveIsAnArm(t *testing.T) {
	arms, err := New(t.TempDir(), []string{Starve}, func(string) string { return "" })
	require.NoError(t, err)
	plan := chaos.Plan{Strategy: Starve, Seed: 3, MaxHold: time.Millisecond, MaxStarve: time.Second}
	require.NoError(t, arms[0].Prepare(&run.Attempt{}, &plan, t.TempDir()))
	require.Equal(t, DrawStarve(3, time.Second), plan.Settings)
}
