package tracer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

// Half of the attempts have no long intervals, the others have some, and none is longer than allowed.
func TestHalfOfTheStarvingAttemptsAreBrief(t *testing.T) {
	const attempts, most = 400, 1500 * time.Millisecond
	worker := &task{path: "0.5", hash: uint64(source(0).of("0.5"))}
	brief, long := 0, 0
	for seed := range uint64(attempts) {
		s := newStarve(&chaos.Plan{Seed: seed, MaxStarve: most})
		if s.longest == briefStarve {
			brief++
		}
		for n := int64(1); n < 200; n++ {
			a := s.at(worker, at(threadStart, entry), n)
			require.LessOrEqual(t, a.hold, s.longest)
			if a.hold > briefStarve {
				long++
			}
		}
	}
	require.InDelta(t, attempts/2, brief, 60)
	require.NotZero(t, long)
}
