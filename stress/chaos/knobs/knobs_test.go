package knobs

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

func unset(string) string { return "" }

func TestTableSaysWhatEachKnobIs(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Table() {
		require.False(t, seen[k.Name], k.Name)
		seen[k.Name] = true
		require.NotEmpty(t, k.Values, k.Name)
		require.NotEmpty(t, k.Moves, k.Name)
		require.NotEmpty(t, k.Source, k.Name)
		require.NotContains(t, k.Name, "HEISEN")
	}
}

func TestDrawnFromTheSeedAlone(t *testing.T) {
	arm := New(Any, nil, unset)
	drawn := map[string]int{}
	for seed := range uint64(2000) {
		plan := chaos.Plan{Seed: seed}
		a := run.Attempt{Env: []string{"X=1"}}
		require.NoError(t, arm.Prepare(&a, &plan, ""))
		require.Equal(t, "X=1", a.Env[0])
		require.Len(t, a.Env, 1+len(plan.Settings))
		require.True(t, len(plan.Settings) >= 1 && len(plan.Settings) <= mostTurned)
		again := chaos.Plan{Seed: seed}
		require.NoError(t, arm.Prepare(&run.Attempt{}, &again, ""))
		require.Equal(t, plan.Settings, again.Settings)
		for name, value := range plan.Settings {
			drawn[name+"="+value]++
		}
	}
	for _, k := range Table() {
		for _, v := range k.Values {
			require.Positive(t, drawn[k.Name+"="+v], "every value is met")
		}
	}
}

func TestAReplaySetsTheSame(t *testing.T) {
	plan := chaos.Plan{Seed: 1, Replay: true, Settings: map[string]string{"TZ": "UTC"}}
	var a run.Attempt
	require.NoError(t, New(Go, nil, unset).Prepare(&a, &plan, ""))
	require.Equal(t, []string{"TZ=UTC"}, a.Env)
	report, err := (*Arm)(nil).Collect(&plan, "", 5)
	require.NoError(t, err)
	require.Equal(t, run.Chaos{Strategy: Strategy, Planned: 1, Made: 1}, report.Chaos)
	require.Equal(t, "TZ=UTC", report.Drawn)
}

func TestWhatTheUserSetIsKeptUnlessNamed(t *testing.T) {
	set := func(name string) string { return map[string]string{"TZ": "Europe/Paris", "LANG": "C"}[name] }
	own, err := Parse("LANG=de_DE.UTF-8,C")
	require.NoError(t, err)
	arm := New(Any, []Knob{own}, set)
	names := make([]string, 0, len(arm.knobs))
	for _, k := range arm.knobs {
		names = append(names, k.Name)
	}
	require.NotContains(t, names, "TZ")
	require.Equal(t, 1, strings.Count(strings.Join(names, " "), "LANG"))
	require.Equal(t, own, arm.knobs[len(arm.knobs)-1])
}

func TestFamilies(t *testing.T) {
	for name, want := range map[string]Family{"/usr/bin/python3.11": Python, "java": JVM, "go": Go, "golint": Any, "/bin/sh": Any, "node": Node, "cargo": Rust, "nodemon": Any} {
		require.Equal(t, want, FamilyOf(name), name)
	}
	has := func(family Family, name string) bool {
		return slices.ContainsFunc(fitting(Table(), family), func(k Knob) bool { return k.Name == name })
	}
	require.True(t, has(Go, "GOGC") && has(Go, "TZ") && has(Any, "GOGC"))
	require.False(t, has(Go, "PYTHONHASHSEED"))
}

func TestBadKnobs(t *testing.T) {
	for _, text := range []string{"", "X", "X=", "=a", "HEISEN_SEED=1"} {
		_, err := Parse(text)
		require.ErrorContains(t, err, "write NAME=VALUE", text)
	}
}
