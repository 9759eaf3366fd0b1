package python

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

// The switch interval alone: drawn from the seed, short, and carried out by an arm of its own that is counted as one
// decision where a Python took it.
func TestSwitchSetsTheIntervalAlone(t *testing.T) {
	for seed := range uint64(200) {
		s := DrawSwitch(seed)
		require.Equal(t, s, DrawSwitch(seed))
		require.Len(t, s, 1)
		interval, err := strconv.ParseFloat(s[SetSwitch], 64)
		require.NoError(t, err)
		require.True(t, interval >= 1e-6 && interval <= 1e-4, "%v", interval)
	}
	arms, err := New(t.TempDir(), Strategies(), func(string) string { return "" })
	require.NoError(t, err)
	require.Equal(t, []string{Strategy, Switch, Starve}, []string{arms[0].Name(), arms[1].Name(), arms[2].Name()})

	dir := t.TempDir()
	plan := chaos.Plan{Strategy: Switch, Seed: 3, MaxHold: time.Millisecond}
	require.NoError(t, arms[1].Prepare(&run.Attempt{}, &plan, dir))
	require.Equal(t, DrawSwitch(3), plan.Settings)
	report, err := arms[1].Collect(&plan, dir, 0)
	require.NoError(t, err)
	require.NotEmpty(t, report.Unsupported)
	require.Zero(t, report.Chaos.Made)
	require.NoError(t, os.WriteFile(filepath.Join(dir, recordName), []byte("begin\t1\t3.12\tgil\n"), 0o600))
	report, err = arms[1].Collect(&plan, dir, 0)
	require.NoError(t, err)
	require.Equal(t, run.Chaos{Strategy: Switch, Planned: 1, Made: 1}, report.Chaos)
}
