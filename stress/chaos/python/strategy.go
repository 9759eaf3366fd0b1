package python

import (
	"fmt"
	"os"
	"path/filepath"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

// Names of an attempt's own files.
const (
	recordName = "python.record"
	planName   = "python.plan"
)

// Arm is one of the strategies for a campaign's conductor.
type Arm struct {
	name   string
	hooks  *Hooks
	lookup func(name string) string
}

// New installs the hooks below dir for these strategies. lookup finds a variable in the environment that attempts
// inherit.
func New(dir string, names []string, lookup func(name string) string) (arms []*Arm, err error) {
	hooks, err := Install(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		arms = append(arms, &Arm{name, hooks, lookup})
	}
	return arms, nil
}

// Name is the strategy's.
func (m *Arm) Name() string { return m.name }

func (m *Arm) draw(plan *chaos.Plan) map[string]string {
	switch m.name {
	case Switch:
		return DrawSwitch(plan.Seed)
	case Starve:
		return DrawStarve(plan.Seed, plan.MaxStarve)
	}
	return Draw(plan.Seed, plan.MaxHold)
}

// Prepare draws the settings and puts them into the attempt's environment.
func (m *Arm) Prepare(a *run.Attempt, plan *chaos.Plan, dir string) error {
	if !plan.Replay {
		plan.Settings = m.draw(plan)
	}
	files := Files{Record: filepath.Join(dir, recordName), Plan: filepath.Join(dir, planName)}
	err := os.WriteFile(files.Record, nil, 0o600)
	if err == nil {
		err = os.WriteFile(files.Plan, PlanFile(plan), 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the plan for Python: %w", err)
	}
	a.Env = append(a.Env[:len(a.Env):len(a.Env)], m.hooks.Environ(*plan, files, m.lookup)...)
	return nil
}

// Collect reads what the hooks wrote.
func (m *Arm) Collect(plan *chaos.Plan, dir string, began int64) (*chaos.Report, error) {
	record, err := readRecord(filepath.Join(dir, recordName))
	if err != nil {
		return nil, fmt.Errorf("read the record of Python: %w", err)
	}
	report := Collect(record, *plan, began)
	return &report, nil
}
