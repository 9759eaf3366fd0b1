package golang

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

func TestArmCarriesAPlanThroughAnAttempt(t *testing.T) {
	dir := t.TempDir()
	plan := chaos.Plan{Version: chaos.PlanVersion, Strategy: string(Hold), Seed: 3, MaxHold: time.Millisecond, MaxStarve: time.Second,
		Budget: time.Second, MaxPoints: 20, MaxDecisions: 10}
	a := run.Attempt{Env: []string{"A=b"}}
	require.NoError(t, Arm{Hold}.Prepare(&a, &plan, dir))
	assert.True(t, WantsSecond(a.Env))
	assert.Equal(t, "A=b", a.Env[0])
	assert.Equal(t, "20", plan.Settings["trace"])
	assert.Equal(t, "10", plan.Settings["told"])
	require.NoError(t, os.WriteFile(filepath.Join(dir, eventsName), []byte("@2000:7: go.sum 4 3 1 0 7000 5000\n"), 0o600))
	report, err := Arm{Hold}.Collect(&plan, dir, 1000)
	require.NoError(t, err)
	assert.Equal(t, int64(3), report.Chaos.Made)
	assert.Equal(t, int64(1000), report.Began)
	require.NoError(t, os.Remove(filepath.Join(dir, eventsName)))
	_, err = Arm{Hold}.Collect(&plan, dir, 1000)
	assert.Error(t, err)
}

func TestArmWithoutHooks(t *testing.T) {
	var a run.Attempt
	plan := chaos.Plan{Version: chaos.PlanVersion, Seed: 1}
	require.NoError(t, Arm{Shuffle}.Prepare(&a, &plan, t.TempDir()))
	assert.True(t, WantsSecond(a.Env), strings.Join(a.Env, " "))
	report, err := Arm{Shuffle}.Collect(&plan, "", 0)
	require.NoError(t, err)
	assert.Empty(t, report.Unsupported)
	assert.Equal(t, int64(1), report.Chaos.Made, "the queues are shuffled: it did something")
}

func TestLevelsNameWhatTheyCarry(t *testing.T) {
	assert.Equal(t, []string{"go-hold", "go-starve", "go-yield"}, Hooks.Names())
	assert.Equal(t, []string{"go-queues"}, Queues.Names())
	assert.Empty(t, Knobs.Names(), "its environment is the strategy knobs' to vary")
}
