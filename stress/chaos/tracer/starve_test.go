package tracer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

// However many points a thread comes to, and whatever was drawn, it runs half of the time beside its long intervals; the
// other half of the attempts have none.
func TestStarvingThreadGetsToRun(t *testing.T) {
	const attempts, most = 400, 1500 * time.Millisecond
	worker := &task{path: "0.5", hash: uint64(source(0).of("0.5"))}
	brief, long := 0, 0
	for seed := range uint64(attempts) {
		now := time.Duration(0)
		s := newStarve(&chaos.Plan{Seed: seed, MaxStarve: most}, func() time.Duration { return now })
		switch s.longest {
		case briefStarve:
			brief++
		default:
			require.Equal(t, most, s.longest)
		}
		var before, lasted time.Duration // when its last long interval ended, and how long it was
		for n := int64(1); n < 200; n++ {
			a := s.at(worker, at(threadStart, entry), n)
			require.LessOrEqual(t, a.hold, most)
			if a.hold > 0 && lasted > 0 {
				require.GreaterOrEqual(t, now-before, lasted, "seed %d: no time to run after %v", seed, lasted)
			}
			if a.hold >= longStarve {
				long++
				lasted, before = a.hold, now+a.cpu+a.hold
			}
			now += a.cpu + a.hold + time.Millisecond
		}
	}
	require.InDelta(t, attempts/2, brief, 60)
	require.NotZero(t, long)
}
