package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"heisen/repro/bundle"
	"heisen/repro/minimize"
	"heisen/repro/provenance"
	"heisen/stress/chaos"
	"heisen/stress/chaos/conductor"
	"heisen/stress/mix"
	"heisen/stress/run"
)

// mostDecisions is more than any attempt makes.
const mostDecisions = 100_000

// Recipe is all that is needed to run a recorded failure again.
type Recipe struct {
	// Signature and Title are the failure's; Parts the signatures of each thing that failed in it, where there were
	// several.
	Signature, Title string
	Parts            []string
	// Spec has the command, as it was given with its placeholders, and the recorded conditions. Its Env are the
	// recorded values, and Stop and Keep are the caller's to set.
	Spec run.Spec
	// Seed is the attempt's HEISEN_SEED.
	Seed uint64
	// Plan is what was done to the schedule, nil for nothing; Made says what each thread was about when it was held.
	Plan *chaos.Plan
	Made []chaos.Made
}

// Read makes the recipe of a bundle, whose files it checks against the manifest.
func Read(b *bundle.Bundle) (*Recipe, error) {
	m := &b.Manifest
	if m.Signature == nil {
		return nil, fmt.Errorf("replay %s: the attempt ended with %q: name the bundle of a failure", b.Path(), m.Ending.Outcome)
	}
	if len(m.Command.Given) == 0 || m.Command.Path == "" {
		return nil, fmt.Errorf("replay %s: it names no command", b.Path())
	}
	r := &Recipe{Signature: m.Signature.ID, Title: m.Signature.Title, Parts: m.Signature.Parts(), Seed: m.Attempt.Seed, Spec: specOf(m)}
	return r, r.readPlan(b)
}

// Shares tells whether a failure of this signature, with these parts, is the recorded one. Where several things failed, in
// either, it is the same failure if one of them is: a cause that makes three tests of a file fail seldom makes just the same
// of them fail again.
func (r *Recipe) Shares(signature string, parts []string) bool {
	recorded := append([]string{r.Signature}, r.Parts...)
	return slices.ContainsFunc(append([]string{signature}, parts...), func(id string) bool { return slices.Contains(recorded, id) })
}

// Outcome sets an attempt beside the recorded failure.
func (r *Recipe) Outcome(a *Answer) minimize.Outcome {
	filed := a.Finished.Filed
	if a.Signature() == "" {
		return minimize.Passed
	}
	if r.Shares(filed.Signature, filed.Parts) {
		return minimize.Reproduced
	}
	return minimize.OtherFailure
}

func specOf(m *bundle.Manifest) run.Spec {
	s := run.Spec{Command: commandOf(m), Ports: m.Attempt.Ports, Width: max(m.Attempt.Running, 1), Signals: true}
	if c := m.Conditions; c != nil {
		s.Width, s.Load, s.Limits, s.Oracle, s.Timeout = max(c.Width, 1), c.Load, c.Limits, c.Oracle, c.Timeout
	}
	if s.Timeout.Grace == 0 {
		s.Timeout.Grace = 5 * time.Second
	}
	s.Timeout.Fixed = timeoutOf(m)
	return s
}

// timeoutOf is the recorded time-out, and for a failure that was no time-out at most six times as long as the failing
// attempt took, holds and company included, and at least 30 s: one replay that hangs keeps all that come next waiting.
func timeoutOf(m *bundle.Manifest) time.Duration {
	limit := time.Duration(m.Attempt.Timeout) * time.Microsecond
	if limit <= 0 {
		limit = 10 * time.Minute
	}
	if m.Ending.TimedOut {
		return limit
	}
	return min(limit, max(30*time.Second, 6*time.Duration(m.Timing.Wall)*time.Microsecond))
}

// commandOf gives back the command with placeholders: where the attempt's own folder stands, the next one's shall.
func commandOf(m *bundle.Manifest) run.Command {
	temp := string(m.Attempt.Temp)
	own := func(t bundle.Text) string {
		if temp == "" {
			return string(t)
		}
		return strings.ReplaceAll(string(t), temp, "{tmp}")
	}
	cmd := run.Command{Path: string(m.Command.Path), Dir: own(m.Command.Dir)}
	for _, arg := range m.Command.Given {
		cmd.Args = append(cmd.Args, string(arg))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Environment.Values)) {
		if !strings.HasPrefix(name, "HEISEN_") && name != "TMPDIR" && name != "PWD" {
			cmd.Env = append(cmd.Env, name+"="+own(m.Environment.Values[name]))
		}
	}
	return cmd
}

func (r *Recipe) readPlan(b *bundle.Bundle) error {
	done := b.Manifest.Chaos
	if done == nil || done.Unsupported != "" {
		return nil
	}
	if !b.Has(bundle.PlanFile) {
		if !mix.MachineSide(done.Strategy) {
			return fmt.Errorf("replay %s: it was disturbed by %s, and what was done is not in it", b.Path(), done.Strategy)
		}
		r.Plan = &chaos.Plan{Version: chaos.PlanVersion, Strategy: done.Strategy, Replay: true}
		return nil
	}
	data, err := b.ReadFile(bundle.PlanFile)
	if err != nil {
		return err
	}
	var record conductor.Record
	if err := json.Unmarshal(data, &record); err != nil {
		return fmt.Errorf("read plan of %s: %w: ask for a fresh copy", b.Path(), err)
	}
	if err := r.adopt(&record); err != nil {
		return fmt.Errorf("read plan of %s: %w", b.Path(), err)
	}
	return nil
}

// adopt takes a plan over, which may be a stranger's.
func (r *Recipe) adopt(record *conductor.Record) error {
	plan := record.Plan
	switch {
	case plan.Version != chaos.PlanVersion:
		return fmt.Errorf("it is of version %d, this heisen replays %d: use the heisen that recorded it", plan.Version, chaos.PlanVersion)
	case !plan.Replay || plan.Strategy == "" || len(plan.Decisions) > mostDecisions || plan.Budget < 0:
		return fmt.Errorf("no heisen writes such a plan: ask for a fresh copy")
	}
	for _, d := range plan.Decisions {
		if d.Hold < 0 || d.Hold > time.Hour || d.N < 0 || d.Steps < 0 || d.CPU < 0 {
			return fmt.Errorf("it has an impossible hold: ask for a fresh copy")
		}
	}
	fitted := Fitted(plan)
	r.Plan, r.Made = &fitted, record.Made
	return nil
}

// Fitted is a plan whose bounds leave room for its own decisions: they were made within the drawn plan's bounds, and
// may have been made longer since.
func Fitted(plan chaos.Plan) chaos.Plan {
	var sum time.Duration
	for _, d := range plan.Decisions {
		sum += d.Hold
		plan.MaxHold = max(plan.MaxHold, d.Hold)
	}
	plan.Budget = max(plan.Budget, sum+sum/2+time.Second)
	return plan
}

// loaders are variables, or beginnings of them, by which whoever sets them has code run or loaded, or another program
// found.
var loaders = []string{
	"LD_*", "PATH", "SHELL", "GODEBUG", "GOEXPERIMENT", "BASH_ENV", "ENV", "GIT_*", "GLIBC_TUNABLES", "PYTHONPATH", "ASAN_OPTIONS",
	"LSAN_OPTIONS", "MSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS",
}

// Safe divides variables, NAME=value, of a bundle that is not one's own: kept are those heisen itself records and that
// have no code loaded. dropped are the names of the others.
func Safe(environ []string) (kept, dropped []string) {
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if values, _ := provenance.Environment([]string{entry}); len(values) == 0 || slices.ContainsFunc(loaders, func(l string) bool {
			prefix, wild := strings.CutSuffix(l, "*")
			return name == l || wild && strings.HasPrefix(name, prefix)
		}) {
			dropped = append(dropped, name)
			continue
		}
		kept = append(kept, entry)
	}
	return kept, dropped
}
