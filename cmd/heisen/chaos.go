package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"heisen/stress"
	"heisen/stress/chaos"
	"heisen/stress/chaos/conductor"
	"heisen/stress/chaos/golang"
	"heisen/stress/chaos/knobs"
	"heisen/stress/chaos/python"
	"heisen/stress/chaos/tracer"
	"heisen/stress/cpus"
	"heisen/stress/interleave"
	"heisen/stress/mix"
	"heisen/stress/run"
	"heisen/stress/strain"
)

const (
	chaosOff       = "off"
	defaultChaos   = chaosOff
	defaultMaxHold = 50 * time.Millisecond
	mostMaxHold    = time.Minute
)

// strategies are all that --chaos may name.
func strategies() []string {
	return slices.Concat(conductor.Traced(), conductor.Sides(), python.Strategies(), golang.AllStrategies(), []string{knobs.Strategy})
}

func chaosFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: flagChaos, Value: defaultChaos, Category: groupChaos,
			Usage: "disturb the schedule of most attempts: `auto`, off, or names of " + strings.Join(strategies(), ", ") + "; a share stays plain and makes the failure rate"},
		&cli.StringSliceFlag{Name: flagKnob, Category: groupChaos, Usage: "vary an environment variable too, with the strategy knobs: `NAME=VALUE,VALUE,...`"},
		&cli.DurationFlag{Name: flagMaxHold, Value: defaultMaxHold, Category: groupChaos, Usage: "hold no thread for longer than `TIME` at once"},
		&cli.DurationFlag{Name: flagBudget, Category: groupChaos, DefaultText: "3 times the plain duration and 1s",
			Usage: "lengthen no attempt by more than `TIME` with holds; its time-out is lengthened as much"},
	}
}

func applyChaos(c *cli.Context, s *run.Spec) error {
	names := strings.Split(c.String(flagChaos), ",")
	if c.String(flagChaos) == chaosOff {
		s.Chaos.Strategies = nil
		return nil
	}
	for i, name := range names {
		known := slices.Contains(strategies(), name) || name == run.ChaosAuto && len(names) == 1
		if !known || slices.Contains(names[:i], name) {
			return usagef("--%s %q: give auto, off, or some of %s, each once, with commas between", flagChaos, c.String(flagChaos), strings.Join(strategies(), ","))
		}
	}
	s.Chaos.Strategies = names
	return nil
}

func applyKnobs(c *cli.Context, s *run.Spec) error {
	s.Chaos.Knobs = c.StringSlice(flagKnob)
	_, err := parseKnobs(s.Chaos.Knobs)
	return err
}

func applyMaxHold(c *cli.Context, s *run.Spec) error {
	if d := c.Duration(flagMaxHold); d <= 0 || d > mostMaxHold {
		return usagef("--%s %v: give a time above zero and at most %v, such as 50ms", flagMaxHold, d, mostMaxHold)
	}
	s.Chaos.MaxHold = c.Duration(flagMaxHold)
	return nil
}

func applyBudget(c *cli.Context, s *run.Spec) error {
	d := c.Duration(flagBudget)
	if d < 0 || c.IsSet(flagBudget) && d == 0 {
		return usagef("--%s %v: give a time above zero, such as 2s", flagBudget, d)
	}
	s.Chaos.Budget = d
	return nil
}

// fitting are the strategies that auto draws for a command: those inside a runtime only where it has that one, breakpoints
// only where its program has code of its own.
func fitting(command run.Command, inGo []string, breakpoints error) []string {
	names := slices.Concat(conductor.Traced(), conductor.Sides(), inGo)
	if breakpoints != nil {
		names = slices.DeleteFunc(names, func(name string) bool { return name == chaos.AtBreakpoints })
	}
	if python.Recognise(command.Path) {
		names = append(names, python.Strategies()...)
	}
	return append(names, knobs.Strategy)
}

// drawn lists the strategies that are drawn for a campaign on this machine, and why others are not. inGo are
// those that the command's Go runtime can carry out, breakpoints is why none can be set in its program.
func drawn(spec *run.Spec, inGo []string, breakpoints error, probe func() error) (names []string, without map[string]string) {
	names = spec.Chaos.Strategies
	if slices.Equal(names, []string{run.ChaosAuto}) {
		names = fitting(spec.Command, inGo, breakpoints)
	}
	without = map[string]string{}
	var why error
	probed := false
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		if slices.Contains(golang.AllStrategies(), name) && !slices.Contains(inGo, name) {
			without[name] = "the command has no Go runtime that can be reached so deep"
			return true
		}
		if !slices.Contains(conductor.Traced(), name) {
			return false
		}
		if name == chaos.AtBreakpoints && breakpoints != nil {
			without[name] = breakpoints.Error()
			return true
		}
		if !probed {
			why, probed = probe(), true
		}
		if why != nil {
			without[name] = why.Error()
		}
		return why != nil
	})
	return names, without
}

// conducted puts a conductor over the runner where attempts are to be disturbed. temp is the folder above the
// attempts' own.
func (s *session) conducted(runner stress.Runner, temp string) (stress.Runner, error) {
	policy := s.plan.spec.Chaos
	if !policy.On() {
		return runner, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find heisen's own executable: %w", err)
	}
	scouts := s.plan.scouts()
	names, without := drawn(&s.plan.spec, s.plan.inGo(), s.plan.unwatchable(), tracer.Probe)
	if len(names) == 0 {
		return nil, fmt.Errorf("nothing of --%s %s works here: %s", flagChaos, strings.Join(policy.Strategies, ","), without[policy.Strategies[0]])
	}
	s.began.NotDrawn, s.mixed = without, names
	inside, err := s.inside(names, temp)
	if err != nil {
		return nil, err
	}
	allowed, err := cpus.Allowed()
	if err != nil {
		return nil, err
	}
	hall := conductor.NewHall(allowed, s.startHogs(self))
	s.closeLater(hall.Close)
	mixer, replay := s.chooser(names)
	return conductor.New(runner, conductor.Config{
		Mixer: mixer, Replay: replay, Policy: policy, Dir: filepath.Join(temp, "chaos"),
		Trace: []string{self, tracer.Command}, Confine: []string{self, conductor.ConfineCommand},
		Crowd: hall, Inside: inside, Scouts: scouts, InCode: sync.OnceValue(deafRegisters), Merge: interleave.Merge,
		Notice: func(text string) { s.view.Emit(run.Noticed{Text: text}) },
	}), nil
}

// deafRegisters tells whether this machine's debug registers are of no use.
func deafRegisters() bool { return tracer.ProbeBreakpoints() != nil }

// scouts know the programs that attempts run, and where breakpoints can be set in them.
func (p *plan) scouts() *conductor.Scouts {
	if p.watched == nil {
		p.watched = &conductor.Scouts{Seed: p.spec.Seed, Command: p.commandOf}
	}
	return p.watched
}

// unwatchable tells why no breakpoint can be set in the program that the first attempt runs, nil where one can.
func (p *plan) unwatchable() error {
	return p.scouts().Check(p.commandOf(run.Attempt{Seq: 1}))
}

// commandOf is what an attempt runs that was given nothing else.
func (p *plan) commandOf(a run.Attempt) run.Command {
	if p.programs == nil {
		return p.spec.Command
	}
	return p.programs.targets[(a.Seq-1)%int64(len(p.programs.targets))]
}

// chooser decides what becomes of each attempt: the desk that hands out plans, or the draw.
func (s *session) chooser(names []string) (conductor.Mixer, func(run.Attempt) *chaos.Plan) {
	if desk := s.plan.desk; desk != nil {
		return desk, desk.Plan
	}
	mixer := mix.New(mix.Config{Seed: s.plan.spec.Seed, Strategies: names, Inside: insideOnes(), Width: s.plan.spec.Width, CPUs: runtime.NumCPU(),
		Runs: s.plan.spec.Stop.Runs, Ledger: s.ledger(), Epoch: s.plan.epoch})
	s.sinks = append(s.sinks, mixer)
	return s.plan.soak.guide(mixer), nil
}

// insideOnes are the strategies that reach into a runtime, which are tried first where the command has that one.
func insideOnes() []string { return slices.Concat(python.Strategies(), golang.AllStrategies()) }

// inside prepares the strategies that reach into a runtime.
func (s *session) inside(names []string, temp string) ([]conductor.Inside, error) {
	var arms []conductor.Inside
	for _, name := range names {
		if slices.Contains(golang.AllStrategies(), name) {
			arms = append(arms, golang.Arm{Strategy: golang.Strategy(name)})
		}
	}
	environ := slices.Concat(os.Environ(), s.plan.spec.Command.Env)
	find := func(name string) string { return lookup(environ, name) }
	if slices.Contains(names, knobs.Strategy) {
		more, err := parseKnobs(s.plan.spec.Chaos.Knobs)
		if err != nil {
			return nil, err
		}
		arms = append(arms, knobs.New(s.plan.family(), more, find))
	}
	inPython := slices.DeleteFunc(python.Strategies(), func(name string) bool { return !slices.Contains(names, name) })
	if len(inPython) > 0 {
		all, err := python.New(temp, inPython, find)
		if err != nil {
			return nil, err
		}
		for _, arm := range all {
			arms = append(arms, arm)
		}
	}
	return arms, nil
}

// parseKnobs reads the user's own.
func parseKnobs(texts []string) ([]knobs.Knob, error) {
	var all []knobs.Knob
	for _, text := range texts {
		k, err := knobs.Parse(text)
		if err != nil {
			return nil, usageError{err}
		}
		all = append(all, k)
	}
	return all, nil
}

// lookup finds a variable in an environment in which later entries win.
func lookup(environ []string, name string) string {
	for _, entry := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// ledger is what strategies have brought in this epoch, nil in a new one.
func (s *session) ledger() *mix.Ledger {
	if _, latest := s.figures.Began(); latest.Epoch != s.plan.epoch {
		return nil
	}
	return s.figures.Ledger()
}

// startHogs starts hogs that stay on one CPU.
func (s *session) startHogs(self string) func(cpu, hogs int) (conductor.Hogs, error) {
	return func(cpu, hogs int) (conductor.Hogs, error) {
		line := []string{self, conductor.ConfineCommand, "", strconv.Itoa(cpu), self, self, strain.HogCommand}
		return strain.Start(strain.Load{CPU: hogs}, strain.Config{Dir: s.folder.Path(), Self: line})
	}
}

// announceChaos says in one line what is drawn, and what this machine does not allow.
func (s *session) announceChaos() {
	policy := s.plan.spec.Chaos
	if !policy.On() || s.plan.desk != nil {
		return
	}
	names := slices.DeleteFunc(slices.Clone(s.mixed), func(name string) bool { return s.began.NotDrawn[name] != "" })
	fmt.Fprintf(s.stderr, "chaos: %s, beside plain attempts, which alone make the failure rate\n", strings.Join(names, ", "))
	for _, name := range conductor.Traced() {
		if name == chaos.AtBreakpoints {
			continue // it may be the program that has none
		}
		if why := s.began.NotDrawn[name]; why != "" {
			fmt.Fprintf(s.stderr, "chaos: no thread can be held here, so the machine's side must do: %s\n", why)
			return
		}
	}
}
