package stress

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPaceFollowsEndsAndIdleCPUs(t *testing.T) {
	idle := 0.0
	p := newPace(2, func() float64 { return idle })
	require.Equal(t, 2, p.limit(16, 0))
	require.Equal(t, 2, p.limit(16, time.Minute), "the CPUs are busy, and nothing has ended")
	p.ended()
	require.Equal(t, 3, p.limit(16, time.Minute))
	idle = 0.5
	require.Equal(t, 3, p.limit(16, time.Minute+paceLook/2), "not asked again so soon")
	require.Equal(t, 4, p.limit(16, time.Minute+paceLook))
	require.Equal(t, 6, p.limit(16, time.Minute+2*paceLook))
	for range 10 {
		p.ended()
	}
	require.Equal(t, 16, p.limit(16, time.Minute+2*paceLook))
	require.Equal(t, 7, (*pace)(nil).limit(7, 0))
}
