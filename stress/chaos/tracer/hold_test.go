package tracer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

// A thread that begins two fifths of the longest hold late is no rarity among the attempts of hold, however many other
// points there are; and where starts are late nothing else is held.
func TestHoldDrawsLateStarts(t *testing.T) {
	const attempts, most = 2000, 50 * time.Millisecond
	worker := &task{path: "0.5", hash: uint64(source(0).of("0.5"))}
	caught, alone := 0, 0
	for seed := range uint64(attempts) {
		h := newHold(&chaos.Plan{Seed: seed, MaxHold: most})
		long := h.at(worker, at(threadStart, entry), 1).hold
		require.LessOrEqual(t, long, most)
		if long >= most*2/5 {
			caught++
		}
		if !h.late {
			continue
		}
		alone++
		for k := range kinds {
			for _, e := range []edge{entry, leave} {
				if k != threadStart {
					require.Zero(t, h.at(worker, at(k, e), 1).hold, "seed %d", seed)
				}
			}
		}
		require.Contains(t, h.drawn(), "late starts")
	}
	require.InDelta(t, lateShare*attempts, alone, 100)
	require.Greater(t, caught, attempts*8/100)
}
