package replay

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/repro/bundle"
	"heisen/repro/minimize"
	"heisen/repro/provenance"
	"heisen/repro/signature"
	"heisen/stress/chaos"
	"heisen/stress/chaos/conductor"
	"heisen/stress/run"
)

// recorded writes the bundle of a failure and opens it.
func recorded(t *testing.T, m bundle.Manifest, plan []byte) *bundle.Bundle {
	t.Helper()
	dir := t.TempDir()
	ref, err := bundle.Write(dir, "sig/1", bundle.Contents{Manifest: m, Output: &run.Output{}, DumpAt: -1, Plan: plan})
	require.NoError(t, err)
	b, err := bundle.Open(dir + "/" + ref.Path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func failure() bundle.Manifest {
	return bundle.Manifest{
		Signature: &signature.Signature{ID: "abc", Title: "it failed"},
		Attempt:   bundle.Attempt{Seq: 3, Seed: 77, Temp: "/tmp/slot3", Timeout: 600e6, Running: 4, Ports: 2},
		Command:   bundle.Command{Given: []bundle.Text{"t", "{tmp}/x"}, Args: []bundle.Text{"t", "/tmp/slot3/x"}, Path: "/bin/t", Dir: "/tmp/slot3"},
		Environment: bundle.Environment{Values: map[string]bundle.Text{"CI": "1", "TMPDIR": "/tmp/slot3", "PWD": "/", "HEISEN_SEED": "77",
			"PYTHONPATH": "/tmp/slot3/lib"}},
		Conditions: &bundle.Conditions{Width: 8, Load: "cpu=2", Limits: run.Limits{CPU: 0.5}, Oracle: run.Oracle{FailOn: []string{"bad"}},
			Timeout: run.TimeoutPolicy{DumpSignal: "QUIT", Grace: time.Second}},
		Timing: bundle.Timing{Wall: 2e6},
		Ending: bundle.Ending{Outcome: run.Fail},
	}
}

func planText(t *testing.T, edit func(*conductor.Record)) []byte {
	t.Helper()
	r := conductor.Record{Plan: chaos.Plan{Version: chaos.PlanVersion, Strategy: "hold", Replay: true, Budget: time.Second,
		Decisions: []chaos.Decision{{Address: chaos.Address{Thread: "0.1", Kind: "clone.exit", N: 1}, Hold: 3 * time.Second}}}}
	edit(&r)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	return text
}

func TestARecipeHasTheCommandWithPlaceholdersAndTheConditions(t *testing.T) {
	m := failure()
	m.Chaos = &run.Chaos{Strategy: "hold"}
	r, err := Read(recorded(t, m, planText(t, func(*conductor.Record) {})))
	require.NoError(t, err)
	require.Equal(t, run.Command{Path: "/bin/t", Args: []string{"t", "{tmp}/x"}, Dir: "{tmp}", Env: []string{"CI=1", "PYTHONPATH={tmp}/lib"}}, r.Spec.Command)
	require.Equal(t, 8, r.Spec.Width)
	require.Equal(t, "cpu=2", r.Spec.Load)
	require.Equal(t, 0.5, r.Spec.Limits.CPU)
	require.Equal(t, []string{"bad"}, r.Spec.Oracle.FailOn)
	require.Equal(t, 30*time.Second, r.Spec.Timeout.Fixed, "six times its duration, and at least that")
	require.EqualValues(t, 77, r.Seed)
	require.Equal(t, "hold", r.Plan.Strategy)
	require.Greater(t, r.Plan.Budget, 3*time.Second, "there is room for what was really done")

	m.Timing.Wall = 10e6
	r, err = Read(recorded(t, m, planText(t, func(*conductor.Record) {})))
	require.NoError(t, err)
	require.Equal(t, time.Minute, r.Spec.Timeout.Fixed, "six times its duration")

	m.Ending.TimedOut = true
	m.Chaos = nil
	r, err = Read(recorded(t, m, nil))
	require.NoError(t, err)
	require.Equal(t, 10*time.Minute, r.Spec.Timeout.Fixed, "a hang is one by the recorded time-out")
	require.Nil(t, r.Plan)
}

func TestWhatCannotBeReplayedIsToldBeforeItRuns(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*bundle.Manifest)
		plan func(*conductor.Record)
		want string
	}{
		"a pass":        {edit: func(m *bundle.Manifest) { m.Signature = nil }, want: "name the bundle of a failure"},
		"no command":    {edit: func(m *bundle.Manifest) { m.Command.Given = nil }, want: "names no command"},
		"no plan":       {edit: func(m *bundle.Manifest) { m.Chaos = &run.Chaos{Strategy: "hold"} }, want: "what was done is not in it"},
		"a newer plan":  {plan: func(r *conductor.Record) { r.Version++ }, want: "use the heisen that recorded it"},
		"a drawn plan":  {plan: func(r *conductor.Record) { r.Replay = false }, want: "no heisen writes such a plan"},
		"an endless":    {plan: func(r *conductor.Record) { r.Decisions[0].Hold = 2 * time.Hour }, want: "impossible hold"},
		"a negative":    {plan: func(r *conductor.Record) { r.Decisions[0].Hold = -1 }, want: "impossible hold"},
		"no strategies": {plan: func(r *conductor.Record) { r.Strategy = "" }, want: "no heisen writes such a plan"},
	} {
		t.Run(name, func(t *testing.T) {
			m := failure()
			var text []byte
			if c.plan != nil {
				m.Chaos, text = &run.Chaos{Strategy: "hold"}, planText(t, c.plan)
			} else {
				c.edit(&m)
			}
			_, err := Read(recorded(t, m, text))
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestTheMachinesSideIsReplayedByItsName(t *testing.T) {
	m := failure()
	m.Chaos = &run.Chaos{Strategy: "pin"}
	r, err := Read(recorded(t, m, nil))
	require.NoError(t, err)
	require.Equal(t, "pin", r.Plan.Strategy)
}

// Row 47: what has code loaded is dropped, and so is whatever heisen itself never records.
func TestFault47VariablesThatLoadCodeAreDropped(t *testing.T) {
	kept, dropped := Safe([]string{"CI=1", "LANG=C", "LD_PRELOAD=/x.so", "LD_AUDIT=/x.so", "PATH=/evil", "GODEBUG=x=1", "BASH_ENV=/x",
		"ENV=/x", "GIT_SSH_COMMAND=x", "PYTHONPATH=/x", "NODE_OPTIONS=-r x", "GOMAXPROCS=2"})
	require.Equal(t, []string{"CI=1", "LANG=C", "GOMAXPROCS=2"}, kept)
	require.Equal(t, []string{"LD_PRELOAD", "LD_AUDIT", "PATH", "GODEBUG", "BASH_ENV", "ENV", "GIT_SSH_COMMAND", "PYTHONPATH", "NODE_OPTIONS"}, dropped)
}

func TestDifferencesNameTheProgramTheMachineAndHeisen(t *testing.T) {
	m := failure()
	m.Heisen = "1"
	m.Hashes = map[string]string{"/bin/t": "aaaa", "/bin/same": "cccc"}
	m.Host = provenance.Host{OS: "linux", Arch: "amd64", Kernel: "6.1", CPUs: 8}
	same := run.Identity{Hashes: map[string]string{"/bin/t": "aaaa", "/bin/same": "cccc"}}
	require.Empty(t, Differences(&m, m.Host, same, "1"))

	here := m.Host
	here.Kernel, here.CPUs = "6.2", 2
	other := run.Identity{Hashes: map[string]string{"/bin/t": "bbbb", "/bin/same": "cccc"}}
	require.Equal(t, []string{"program: /bin/t was aaaa, is bbbb", "kernel: was 6.1, is 6.2", "CPUs: was 8, is 2", "heisen: was 1, is 2"},
		Differences(&m, here, other, "2"))
}

// Of several things that failed one is enough to be the same failure, whichever side has the others.
func TestTheSameFailure(t *testing.T) {
	one := &Recipe{Signature: "a"}
	set := &Recipe{Signature: "a+b", Parts: []string{"a", "b"}}
	for _, c := range []struct {
		recipe *Recipe
		filed  *run.Filed
		want   minimize.Outcome
	}{
		{one, nil, minimize.Passed},
		{one, &run.Filed{Signature: "a"}, minimize.Reproduced},
		{one, &run.Filed{Signature: "b"}, minimize.OtherFailure},
		{one, &run.Filed{Signature: "a+c", Parts: []string{"a", "c"}}, minimize.Reproduced},
		{one, &run.Filed{Signature: "b+c", Parts: []string{"b", "c"}}, minimize.OtherFailure},
		{set, &run.Filed{Signature: "a+b", Parts: []string{"a", "b"}}, minimize.Reproduced},
		{set, &run.Filed{Signature: "b"}, minimize.Reproduced},
		{set, &run.Filed{Signature: "c"}, minimize.OtherFailure},
		{set, &run.Filed{Signature: "b+c", Parts: []string{"b", "c"}}, minimize.Reproduced},
	} {
		a := &Answer{Finished: run.Finished{Outcome: run.Pass, Filed: c.filed}}
		if c.filed != nil {
			a.Finished.Outcome = run.Fail
		}
		require.Equal(t, c.want, c.recipe.Outcome(a), "%v %v", c.recipe, c.filed)
	}
}
