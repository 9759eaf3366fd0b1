package proc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// TestACellIsSoundAfterItsTreeWasKilled runs attempt after attempt in the same cell. What had to be killed
// in one must not kill the next: Linux 6.14 and newer do that to a cgroup that was killed before.
func TestACellIsSoundAfterItsTreeWasKilled(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		s := open(t, sh(t, off, "sleep 3010 & echo hi; exit 7"))
		for seq := int64(1); seq <= 4; seq++ {
			r := s.Run(attempt(seq), nil)
			require.Equal(t, run.Ending{Code: 7}, r.Ending, "attempt %d", seq)
			require.Len(t, r.Evidence.Leaks, 1)
		}
		require.False(t, alive("sleep 3010", false))
	})
}
