package guard_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	ctrlC = "\x03"
	ctrlZ = "\x1a"
)

func TestJobControlOfAShell(t *testing.T) {
	g := prepare(t, "obey")
	c := bash(g)
	c.write("\"$PROG\" guarded\n")
	g.await("ready", 1)
	require.Contains(t, g.text(), "foreground=true")

	c.write(ctrlZ)
	g.await("Suspend", 1)
	c.await("PROMPT ", 2)
	c.write("jobs -s\n")
	c.await("Stopped", 2)
	require.False(t, stopped(g.pid("supervisor")))

	c.write("bg\n")
	g.await("resumed foreground=false", 1)
	c.write("fg\n")
	g.await("resumed foreground=true", 1)

	c.write(ctrlZ)
	g.await("Suspend", 2)
	c.await("Stopped", 3)
	seen := g.lines("resumed foreground=true")
	c.write("fg\n")
	g.await("resumed foreground=true", seen+1)

	c.write(ctrlC)
	g.await("Interrupt", 1)
	c.write(ctrlC)
	g.await("Interrupt", 2)
	c.write("echo code=$?\n")
	c.await("code=130", 1)
	require.Contains(t, g.text(), "exit code=130 signal=0")
}

func TestStartedInTheBackground(t *testing.T) {
	g := prepare(t, "obey")
	c := bash(g)
	c.write("\"$PROG\" guarded &\n")
	g.await("ready", 1)
	require.Regexp(t, `supervisor pid=\d+ foreground=false`, g.text())
	c.write("fg\n")
	g.await("resumed foreground=true", 1)
	c.write(ctrlC + ctrlC)
	g.await("Interrupt", 1)
}

// Ctrl-C goes to the whole job: tee dies of it, and the front must still tell the supervisor's exit code.
func TestFault19InterruptedPipeline(t *testing.T) {
	g := prepare(t, "flood")
	c := bash(g)
	c.write("\"$PROG\" guarded | tee /dev/null\n")
	g.await("ready", 1)
	c.await("a line of output", 1)
	c.write(ctrlC)
	c.await("PROMPT ", 2)
	c.write("echo codes=${PIPESTATUS[*]}\n")
	c.await("codes=9 130", 1)
	require.Contains(t, g.text(), "broken=true")
}
