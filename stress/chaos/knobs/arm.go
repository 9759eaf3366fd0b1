package knobs

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

// Strategy is this strategy's name in plans and reports.
const Strategy = "knobs"

// mostTurned is how many knobs one attempt gets at the most: few, so that what matters can be told.
const mostTurned = 3

// Arm is the strategy for a campaign's conductor. Its plans are settings alone: variables and their values.
type Arm struct{ knobs []Knob }

// New varies the table's knobs for a family, and more of the user's. lookup finds a variable in the environment
// that attempts inherit: one that is set there is not varied, unless the user names it.
func New(family Family, more []Knob, lookup func(name string) string) *Arm {
	all := slices.DeleteFunc(fitting(Table(), family), func(k Knob) bool {
		return lookup(k.Name) != "" || slices.ContainsFunc(more, func(m Knob) bool { return m.Name == k.Name })
	})
	return &Arm{append(all, more...)}
}

// Parse reads the user's NAME=a,b,c.
func Parse(text string) (Knob, error) {
	name, values, ok := strings.Cut(text, "=")
	if !ok || name == "" || values == "" || strings.HasPrefix(name, "HEISEN_") {
		return Knob{}, fmt.Errorf("knob %q: write NAME=VALUE,VALUE,..., the name of an environment variable that is not heisen's own", text)
	}
	return Knob{Name: name, Values: strings.Split(values, ","), Moves: "named by the user"}, nil
}

// Name is the strategy's.
func (*Arm) Name() string { return Strategy }

// Prepare draws knobs, unless it is a replay, and sets them.
func (m *Arm) Prepare(a *run.Attempt, plan *chaos.Plan, _ string) error {
	if !plan.Replay {
		plan.Settings = m.draw(plan.Seed)
	}
	env := slices.Clone(a.Env)
	for _, name := range slices.Sorted(maps.Keys(plan.Settings)) {
		env = append(env, name+"="+plan.Settings[name])
	}
	a.Env = env
	return nil
}

func (m *Arm) draw(seed uint64) map[string]string {
	r := rand.New(rand.NewPCG(seed, 0x6b6e6f6273))
	settings := map[string]string{}
	order := r.Perm(len(m.knobs))
	for _, i := range order[:min(len(order), 1+r.IntN(mostTurned))] {
		k := m.knobs[i]
		settings[k.Name] = k.Values[r.IntN(len(k.Values))]
	}
	return settings
}

// Collect counts what was set; nothing comes back from the attempt.
func (*Arm) Collect(plan *chaos.Plan, _ string, began int64) (*chaos.Report, error) {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(plan.Settings)) {
		words = append(words, name+"="+plan.Settings[name])
	}
	n := int64(len(words))
	return &chaos.Report{Version: chaos.PlanVersion, Began: began, Drawn: strings.Join(words, " "),
		Chaos: run.Chaos{Strategy: Strategy, Planned: n, Made: n}}, nil
}

// FamilyOf tells from the executable's name whose knobs a command minds.
func FamilyOf(executable string) Family {
	name := filepath.Base(executable)
	for prefix, family := range map[string]Family{"python": Python, "pytest": Python, "java": JVM, "mvn": JVM, "gradle": JVM,
		"node": Node, "npm": Node, "cargo": Rust, "go": Go} {
		if name == prefix || strings.HasPrefix(name, prefix) && strings.Trim(name[len(prefix):], "0123456789.wt") == "" {
			return family
		}
	}
	return Any
}
