package python

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

func TestDrawIsASwarmWithinItsBounds(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(400) {
		s := Draw(seed, 50*time.Millisecond)
		require.Equal(t, s, Draw(seed, 50*time.Millisecond))
		for name, value := range s {
			seen[name]++
			require.NotEmpty(t, value)
		}
		rate, err := strconv.ParseFloat(s[SetRate], 64)
		require.NoError(t, err)
		require.True(t, rate >= 0.02 && rate <= 0.5, rate)
		longest, err := strconv.ParseFloat(s[SetLongest], 64)
		require.NoError(t, err)
		require.LessOrEqual(t, longest, 0.05)
		if text, ok := s[SetKinds]; ok {
			require.NotEmpty(t, strings.Split(text, ",")[0])
		}
	}
	for _, name := range []string{SetKinds, SetGC, SetHashSeed, SetAsyncDebug} {
		require.Greater(t, seen[name], 10, "%s is drawn for some", name)
		require.Less(t, seen[name], 390, "%s is not drawn for others", name)
	}
	require.Zero(t, seen[SetSwitch], "an arm of its own has it")
}

func TestEnvironKeepsWhatTheUserSet(t *testing.T) {
	h := &Hooks{dir: "/hooks"}
	plan := chaos.Plan{Seed: 7, Budget: time.Second, Burst: 500 * time.Millisecond, Settings: map[string]string{SetHashSeed: "5", SetAsyncDebug: "1", SetRate: "0.5"}}
	user := map[string]string{"PYTHONPATH": "/own", "PYTHONHASHSEED": "0"}
	env := h.Environ(plan, Files{Record: "/r"}, func(name string) string { return user[name] })
	require.Contains(t, env, "PYTHONPATH=/hooks:/own")
	require.Contains(t, env, "PYTHONASYNCIODEBUG=1")
	require.NotContains(t, strings.Join(env, " "), "PYTHONHASHSEED")
	require.Contains(t, env, "HEISEN_PYTHON=version=1;seed=7;record=/r;budget=1;points=0;burst=0.5;factor=3;decisions=0;callback_max=0.005;rate=0.5")
	require.Contains(t, h.environ("x", ""), "PYTHONPATH=/hooks", "an empty entry would put the working folder into the path")
}

func TestDescribe(t *testing.T) {
	require.Equal(t, "switch interval 1e-06 s, pauses with probability 0.1", Describe(map[string]string{SetSwitch: "1e-06", SetRate: "0.1"}))
}
