package golang

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

// TestDecisionsComeBackFromTheirAddresses reads a line that a runtime wrote and computes its key again from
// the decision's text alone.
func TestDecisionsComeBackFromTheirAddresses(t *testing.T) {
	for _, line := range []string{
		"@1566150995967:7262: go.held 1 381009524567532149 chan.recv.done 7 stopdrain/main.go:33 15385636962301446329 1 1 0",
		"@1566149794843:7262: go.held 1 381009524567532149 chan.send 4 stopdrain/main.go:29 3808784482970348216 1 2 48533",
		"@1566149794843:7262: go.held 2 9213630079100626251 select.done 11 stopdrain/main.go:16 8552071378202471187 4 3 46547",
	} {
		told, err := Read(strings.NewReader(line+"\n"), Hold, 0)
		require.NoError(t, err)
		require.Len(t, told.Made, 1)
		pin, err := pinOf(told.Made[0].Decision)
		require.NoError(t, err)
		assert.Equal(t, told.Pins[0], pin)
	}
}

func TestPinsRefuseWhatIsNoDecisionOfTheirs(t *testing.T) {
	good := chaos.Decision{Address: chaos.Address{Thread: "1f", Kind: "go.chan.send", Site: "a/b.go:3", N: 1}}
	_, err := pinsOf([]chaos.Decision{good})
	require.NoError(t, err)
	for name, change := range map[string]func(*chaos.Decision){
		"a tracer's thread": func(d *chaos.Decision) { d.Thread = "0.2" },
		"another kind":      func(d *chaos.Decision) { d.Kind = "futex.wake.exit" },
		"no site":           func(d *chaos.Decision) { d.Site = "" },
		"no line":           func(d *chaos.Decision) { d.Site = "a/b.go:x" },
	} {
		bad := good
		change(&bad)
		_, err := pinsOf([]chaos.Decision{bad})
		assert.Error(t, err, name)
	}
}

func TestEnvironSaysWhatWasDrawn(t *testing.T) {
	for _, s := range append(Strategies, Calm) {
		env, err := Environ(PlanFor(s, 42, bounds), "")
		require.NoError(t, err)
		assert.Equal(t, Draw(s, 42, bounds).Environ(), env)
	}
}

func TestEnvironOfAReplay(t *testing.T) {
	p := PlanFor(Hold, 42, bounds)
	p.Replay, p.Decisions = true, []chaos.Decision{{
		Address: chaos.Address{Thread: "1f", Kind: "go.chan.send.done", Site: "a/b.go:3", N: 2}, Hold: time.Millisecond}}
	file := filepath.Join(t.TempDir(), "pins")
	env, err := Environ(p, file)
	require.NoError(t, err)
	assert.Equal(t, "HEISEN_GO_REPLAY="+file, env[1])
	pins, err := pinsOf(p.Decisions)
	require.NoError(t, err)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, EncodePins(pins), text)
	p.Version++
	_, err = Environ(p, file)
	assert.ErrorContains(t, err, "version")
}

func TestCollectSaysWhenNothingWasTold(t *testing.T) {
	r, err := Collect(strings.NewReader("phase_begins\n"), PlanFor(Hold, 1, bounds), 0)
	require.NoError(t, err)
	assert.NotEmpty(t, r.Unsupported)
	r, err = Collect(strings.NewReader("@2000:7: go.sum 4 3 1 10 7000000 5000\n"), PlanFor(Hold, 1, bounds), 0)
	require.NoError(t, err)
	assert.Empty(t, r.Unsupported)
	assert.Equal(t, int64(10), r.Dropped)
	assert.Equal(t, 7*time.Millisecond, r.Lengthened)
	assert.Equal(t, int64(3), r.Chaos.Made)
}

// A test that runs itself again has several runtimes, each of which tells as much as a plan allows one.
func TestCollectBoundsWhatSeveralProcessesTell(t *testing.T) {
	p := PlanFor(Hold, 1, bounds)
	p.MaxDecisions, p.MaxPoints = 3, 2
	var lines strings.Builder
	for pid := range 2 {
		for i := range 3 {
			fmt.Fprintf(&lines, "@%d:%d: go.held 1 7 mutex.lock 12 a/a.go:5 9 %d 2 1000\n", 2000+i, 7+pid, i+1)
		}
		for i := range 2 {
			fmt.Fprintf(&lines, "@%d:%d: go.op 1 mutex.lock a/a.go:5 %d\n", 3000+i, 7+pid, i+1)
		}
		fmt.Fprintf(&lines, "@9000:%d: go.sum 3 3 0 0 3000 1000\n", 7+pid)
	}
	r, err := Collect(strings.NewReader(lines.String()), p, 0)
	require.NoError(t, err)
	assert.Empty(t, r.Unsupported)
	assert.Len(t, r.Made, 3)
	assert.Len(t, r.Points, 2)
	assert.Equal(t, int64(5), r.Dropped)
	assert.Equal(t, int64(6), r.Chaos.Made)
}
