package proc

import (
	"syscall"
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

// TestACellIsSoundAfterAPauseAtTheVeryEnd pauses attempts that are about to end, again and again: whatever
// the pause hits, the next attempt in that cell must start.
func TestACellIsSoundAfterAPauseAtTheVeryEnd(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		s := open(t, sh(t, off, "exit 0"))
		ctl := run.NewControl(run.Orders{Timeout: patience, Paused: true})
		for seq := int64(1); seq <= 20; seq++ {
			c, err := s.start(attempt(seq))
			require.NoError(t, err)
			<-c.exit // so that the pause comes after the end
			tr := trial{Supervisor: s, child: c, dumpAt: -1}
			orders, _ := ctl.Watch()
			act, _ := tr.stopper.next(orders, 0)
			require.Equal(t, doSuspend, act)
			tr.carryOut(act)
			require.Equal(t, run.Ending{}, withoutPause(tr.finish().Ending))
		}
	})
}

func withoutPause(e run.Ending) run.Ending {
	e.Suspended = 0
	return e
}

// TestIdleCellsGiveTheirDescriptorsBack starves heisen of descriptors after many attempts ran at once: the
// cells they left must not keep the next attempt from starting for ever. A few are kept open, and every fork copies
// their descriptors; the others are opened again when they are needed.
func TestIdleCellsGiveTheirDescriptorsBack(t *testing.T) {
	s := open(t, sh(t, switches{}, "exit 0"))
	var idle []*cell
	none := descriptors(t)
	for range 20 {
		c, err := s.cells.take()
		require.NoError(t, err)
		idle = append(idle, c)
	}
	for _, c := range idle {
		require.NoError(t, s.cells.give(c))
	}
	if s.layout.base != "" {
		require.Equal(t, none+2*warm, descriptors(t))
	}
	for i := range 20 {
		c, err := s.cells.take()
		require.NoError(t, err)
		require.Same(t, idle[19-i], c)
		if c.group != nil {
			populated, err := c.group.populated()
			require.NoError(t, err)
			require.False(t, populated)
		}
	}
	for _, c := range idle {
		require.NoError(t, s.cells.give(c))
	}
	s.spawn.fork = func(string, []string, *syscall.ProcAttr) (int, error) { return 0, syscall.EMFILE }
	require.NotEmpty(t, s.Run(attempt(1), nil).Ending.Machine)
	if s.layout.base != "" {
		require.LessOrEqual(t, descriptors(t), none)
	}
	s.spawn.fork = syscall.ForkExec
	require.Equal(t, run.Ending{}, s.Run(attempt(2), nil).Ending)
}
