//go:build linux

package conductor

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

// runtimeArm is a strategy inside a runtime whose record is known beforehand.
type runtimeArm struct {
	report  chaos.Report
	err     error
	dirs    []string
	prepare error
}

func (r *runtimeArm) Name() string { return "inner" }

func (r *runtimeArm) Prepare(a *run.Attempt, plan *chaos.Plan, dir string) error {
	plan.Settings = map[string]string{"switch": "1e-06"}
	a.Env = append(a.Env, "INNER="+dir)
	r.dirs = append(r.dirs, dir)
	return r.prepare
}

func (r *runtimeArm) Collect(*chaos.Plan, string, int64) (*chaos.Report, error) {
	report := r.report
	report.Version = chaos.PlanVersion
	return &report, r.err
}

// alone always draws one strategy.
type alone struct{ dropped []string }

func (*alone) Choose(run.Attempt) string            { return "inner" }
func (*alone) PlainDuration() (time.Duration, bool) { return time.Second, true }
func (d *alone) Drop(s string)                      { d.dropped = append(d.dropped, s) }

// told is a runner that ends as it is told, and keeps what it was given.
type told struct {
	res  run.Result
	seen []run.Attempt
}

func (r *told) Run(a run.Attempt, _ *run.Control) run.Result {
	r.seen = append(r.seen, a)
	res := r.res
	res.Started = time.Now()
	return res
}

func innerRig(t *testing.T, arm *runtimeArm, res run.Result) (*Conductor, *alone, *told) {
	t.Helper()
	mixer, runner := &alone{}, &told{res: res}
	return New(runner, Config{Mixer: mixer, Dir: t.TempDir(), Inside: []Inside{arm},
		Policy: run.ChaosPolicy{Budget: time.Second, MaxHold: time.Millisecond}}), mixer, runner
}

func TestInsideIsCountedAndCanBeReplayed(t *testing.T) {
	made := chaos.Made{Decision: chaos.Decision{Address: chaos.Address{Thread: "0.1", Kind: "event.set.exit", Site: "a.py:3", N: 1}, Hold: time.Millisecond}, Held: 2 * time.Millisecond}
	arm := &runtimeArm{report: chaos.Report{Chaos: run.Chaos{Planned: 2, Made: 1, Skipped: 1, Held: 2000}, Made: []chaos.Made{made}}}
	c, mixer, runner := innerRig(t, arm, run.Result{Ending: run.Ending{Code: 1}})
	res := c.Run(run.Attempt{Seq: 1, Slot: 3, Timeout: time.Minute}, nil)
	require.Equal(t, &run.Chaos{Strategy: "inner", Planned: 2, Made: 1, Skipped: 1, Held: 2000}, res.Evidence.Chaos)
	require.Equal(t, []string{"INNER=" + arm.dirs[0]}, runner.seen[0].Env)
	require.Equal(t, time.Minute+time.Second, runner.seen[0].Timeout, "holds may lengthen it")
	require.Contains(t, string(res.Evidence.Plan), `"switch": "1e-06"`)
	require.Contains(t, string(res.Evidence.Plan), `"replay": true`)
	require.Contains(t, string(res.Evidence.Plan), `"hold_ns": 2000000`, "what was really done")
	require.Empty(t, mixer.dropped)
}

// A thread that is held until the test has given up on it is held as long as was drawn when that is repeated.
func TestInsideRepeatsAHoldThatWasCutOffInFull(t *testing.T) {
	made := chaos.Made{Decision: chaos.Decision{Address: chaos.Address{Thread: "0.1", Kind: "queue.get.entry", Site: "a.py:3", N: 1}, Hold: 90 * time.Millisecond},
		At: 10 * time.Millisecond, CutOff: true}
	arm := &runtimeArm{report: chaos.Report{Chaos: run.Chaos{Planned: 1, Made: 1}, Made: []chaos.Made{made}}}
	c, _, _ := innerRig(t, arm, run.Result{Wall: 30 * time.Millisecond, Ending: run.Ending{Code: 1}})
	res := c.Run(run.Attempt{Seq: 1, Slot: 3, Timeout: time.Minute}, nil)
	require.Equal(t, int64(20000), res.Evidence.Chaos.Held, "to the attempt's end")
	require.Contains(t, string(res.Evidence.Plan), `"hold_ns": 90000000`)
	require.Contains(t, string(res.Evidence.Plan), `"held_ns": 20000000`)
}

// The folder is the attempt's own: nothing of an earlier attempt in the slot is in it.
func TestInsideStartsWithAnEmptyFolder(t *testing.T) {
	arm := &runtimeArm{}
	c, _, _ := innerRig(t, arm, run.Result{})
	c.Run(run.Attempt{Seq: 1, Slot: 3}, nil)
	require.NoError(t, os.WriteFile(filepath.Join(arm.dirs[0], "old"), nil, 0o600))
	c.Run(run.Attempt{Seq: 2, Slot: 3}, nil)
	require.Equal(t, arm.dirs[0], arm.dirs[1])
	require.NoFileExists(t, filepath.Join(arm.dirs[1], "old"))
}

// A strategy that can never do anything is given up, and the attempts before that count as disturbed ones, not
// as plain and not as the test's fault.
func TestInsideThatDoesNothingIsGivenUp(t *testing.T) {
	for name, arm := range map[string]*runtimeArm{
		"not loaded":        {report: chaos.Report{Unsupported: "no CPython began"}},
		"unreadable record": {err: errors.New("it is no file")},
		"impossible record": {report: chaos.Report{Chaos: run.Chaos{Made: -1}}},
	} {
		t.Run(name, func(t *testing.T) {
			c, mixer, _ := innerRig(t, arm, run.Result{})
			for seq := range int64(mostFaults) {
				require.Empty(t, mixer.dropped)
				res := c.Run(run.Attempt{Seq: seq, Slot: 1}, nil)
				require.Empty(t, res.Ending.Harness)
				require.NotEmpty(t, res.Evidence.Chaos.Unsupported)
			}
			require.Equal(t, []string{"inner"}, mixer.dropped)
		})
	}
}

func TestInsideThatCannotBePreparedIsHeisensFault(t *testing.T) {
	c, _, runner := innerRig(t, &runtimeArm{prepare: errors.New("no room")}, run.Result{})
	res := c.Run(run.Attempt{Seq: 1, Slot: 1}, nil)
	require.Contains(t, res.Ending.Harness, "no room")
	require.Empty(t, runner.seen)
}

// A time-out that only the holds explain is not a failure.
func TestInsideExcusesATimeoutOfItsOwnMaking(t *testing.T) {
	arm := &runtimeArm{report: chaos.Report{Lengthened: 30 * time.Second}}
	c, _, _ := innerRig(t, arm, run.Result{Wall: 61 * time.Second, Ending: run.Ending{TimedOut: true}})
	res := c.Run(run.Attempt{Seq: 1, Slot: 1, Timeout: time.Minute}, nil)
	require.Contains(t, res.Ending.Harness, "for heisen alone: holds took 30s, and without")
}
