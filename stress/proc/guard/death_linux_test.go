package guard_test

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestFrontKilled(t *testing.T) {
	g := launch(t, "obey")
	g.await("ready", 1)
	g.signal(unix.SIGKILL)
	g.await("FrontGone", 1)
	g.code()
	g.until(func() bool { return len(g.alive()) == 0 }, "the supervisor to end")
	require.Zero(t, g.lines("Terminate"))
}

func TestStoppedFrontKilled(t *testing.T) {
	g := launch(t, "obey")
	g.await("ready", 1)
	g.signal(unix.SIGTSTP)
	g.until(func() bool { return stopped(g.pid("front")) }, "the front to stop")
	g.signal(unix.SIGKILL)
	g.await("FrontGone", 1)
	g.code()
	g.until(func() bool { return len(g.alive()) == 0 }, "the supervisor to end")
}

func TestSupervisorKilledTakesItsTreeAlong(t *testing.T) {
	g := launch(t, "tree")
	g.await("ready", 1)
	require.GreaterOrEqual(t, len(g.alive()), 6)
	require.NoError(t, unix.Kill(g.pid("supervisor"), unix.SIGKILL))
	require.Equal(t, 3, g.code())
	require.Empty(t, g.alive())
	found := regexp.MustCompile(`exit code=-1 signal=9 killed=(\d+) left=0`).FindStringSubmatch(g.text())
	require.NotNil(t, found, g.text())
	killed, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	require.GreaterOrEqual(t, killed, 5)
}

// The control: what the front does not adopt survives the supervisor.
func TestSupervisorKilledWithoutSubreaper(t *testing.T) {
	g := launch(t, "tree", noReaperVar+"=1")
	g.await("subreaper off err=<nil>", 1)
	require.NoError(t, unix.Kill(g.pid("supervisor"), unix.SIGKILL))
	require.Equal(t, 3, g.code())
	require.GreaterOrEqual(t, len(g.alive()), 4)
}

// A normal end does not excuse what is left either.
func TestSupervisorLeavesProcesses(t *testing.T) {
	g := launch(t, "tree")
	g.await("ready", 1)
	g.signal(unix.SIGTERM)
	require.Equal(t, 7, g.code())
	require.Empty(t, g.alive())
	require.Regexp(t, `exit code=7 signal=0 killed=[5-9] left=0`, g.text())
}
