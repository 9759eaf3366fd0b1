package evidence_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/reports/evidence"
	"heisen/reports/internal/recorded"
)

func TestHoldsAreOnTheTracesClock(t *testing.T) {
	fail, _ := recorded.Attempts(t)
	p := fail.Plan
	require.Equal(t, "hold", p.Strategy)
	require.Len(t, p.Holds, 2)
	require.True(t, p.Holds[0].Placed)
	require.Equal(t, 5*time.Millisecond, p.Holds[0].At, "where its point is")
	require.Equal(t, 1, p.Holds[0].Thread)
	require.Equal(t, 9*time.Millisecond, p.Holds[1].At, "by the same difference, though its point is not there")
	require.Equal(t, 0, p.Holds[1].Thread)
}

func TestTheNearestPassIsReadAndAFailureIsNone(t *testing.T) {
	fail, pass := recorded.Attempts(t)
	require.Equal(t, pass.Dir, evidence.Nearest(fail, []string{fail.Dir, "/absent", pass.Dir}).Dir)
	require.Nil(t, evidence.Nearest(fail, []string{fail.Dir}))
	require.Len(t, fail.Spans, 3)
	require.Equal(t, "read", fail.Divergence.Event[len(fail.Divergence.Event)-4:])
}
