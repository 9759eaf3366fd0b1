package golang

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

// Shuffle runs the second binary with its run queues shuffled, and no decisions: what a version of Go gets that
// takes no hooks.
const Shuffle Strategy = "go-queues"

// AllStrategies are the names there are.
func AllStrategies() []string {
	return []string{string(Hold), string(Starve), string(Yield), string(Shuffle)}
}

// Names are the strategies that a program takes whose runtime was reached so deep.
func (l Level) Names() []string {
	switch l {
	case Hooks:
		return AllStrategies()[:3]
	case Queues:
		return AllStrategies()[3:]
	}
	return nil
}

// Arm carries one of the strategies out in attempts of a built or a prebuilt program.
type Arm struct{ Strategy Strategy }

// Name is the strategy's.
func (m Arm) Name() string { return string(m.Strategy) }

const (
	eventsName = "go.events"
	pinsName   = "go.pins"
	// mostTold is more bytes than a runtime may write: the test could write there as well.
	mostTold = 16 << 20
)

// Prepare draws what holds for the attempt, and puts it into its environment.
func (m Arm) Prepare(a *run.Attempt, p *chaos.Plan, dir string) error {
	if !p.Replay {
		p.Settings = m.draw(p)
	}
	env, err := m.environ(p, dir)
	a.Env = slices.Concat(a.Env, env)
	return err
}

func (m Arm) draw(p *chaos.Plan) map[string]string {
	if m.Strategy == Shuffle {
		return nil
	}
	settings := PlanFor(m.Strategy, p.Seed, Bounds{p.MaxHold, p.MaxStarve, p.Budget, p.Burst}).Settings
	settings["trace"] = strconv.Itoa(min(p.MaxPoints, mostPoints))
	settings["told"] = strconv.Itoa(min(p.MaxDecisions, mostDecisions))
	return settings
}

// environ is what the attempt's environment needs. dir is a folder of its own that the attempt can reach.
func (m Arm) environ(p *chaos.Plan, dir string) ([]string, error) {
	if m.Strategy == Shuffle {
		return []string{SettingsVariable + "="}, nil
	}
	events := filepath.Join(dir, eventsName)
	if err := os.WriteFile(events, nil, 0o600); err != nil {
		return nil, fmt.Errorf("make the Go runtime's event file: %w", err)
	}
	env, err := Environ(*p, filepath.Join(dir, pinsName))
	return append(env, EventsVariable+"="+events), err
}

// Collect reads what the runtime told.
func (m Arm) Collect(p *chaos.Plan, dir string, began int64) (*chaos.Report, error) {
	if m.Strategy == Shuffle {
		return &chaos.Report{Version: chaos.PlanVersion, Chaos: run.Chaos{Planned: 1, Made: 1}}, nil // as a knob is counted
	}
	f, err := os.Open(filepath.Join(dir, eventsName))
	if err != nil {
		return nil, fmt.Errorf("read what the Go runtime told: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("read what the Go runtime told: it is no file any more")
	}
	r, err := Collect(io.LimitReader(f, mostTold), *p, began)
	return &r, err
}

// WantsSecond tells whether an attempt's environment is for the second binary.
func WantsSecond(env []string) bool {
	return slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, SettingsVariable+"=") })
}
