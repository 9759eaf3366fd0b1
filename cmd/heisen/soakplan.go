package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"heisen/repro/provenance"
	"heisen/repro/soak"
	"heisen/stress/campaign"
	"heisen/stress/chaos/tracer"
	"heisen/stress/mix"
	"heisen/stress/proc/guard"
	"heisen/stress/run"
)

// planSoak turns the command line into a plan. Whatever the user got wrong is told here, before anything is made.
func planSoak(c *cli.Context, link *guard.Link, stderr io.Writer) (*plan, error) {
	p := &plan{store: campaign.NewStore(c.String(flagDir)), epoch: 1, session: 1, selfStats: c.Bool(flagSelfStats), soak: &soaking{link: link}}
	if err := checkSoakFlags(c); err != nil {
		return nil, err
	}
	var err error
	if p.door, err = prepareServe(c); err != nil {
		return nil, err
	}
	switch {
	case c.IsSet(flagResume):
		err = p.resumeSoak(c, stderr)
	case c.IsSet(flagAgainst):
		err = p.against(c, stderr)
	case c.IsSet(flagBefore):
		err = p.inTurn(c, stderr)
	case c.IsSet(flagBeforeRev):
		err = p.byRevision(c, stderr)
	default:
		if err = p.begin(c, stderr); err == nil {
			p.soak.ask(p, soak.Question{Options: soakOptions(c)})
		}
	}
	if err != nil {
		return nil, errors.Join(err, p.release())
	}
	return p, nil
}

func checkSoakFlags(c *cli.Context) error {
	given := func(names ...string) bool { return slices.ContainsFunc(names, c.IsSet) }
	if f := c.Float64(flagFactor); !(f > 1) {
		return usagef("--%s %v: give a number above 1, such as 10", flagFactor, f)
	}
	if p := c.Float64(flagConfidence); !(p > 50 && p < 100) {
		return usagef("--%s %v: give a percentage above 50 and below 100, such as 99", flagConfidence, p)
	}
	switch {
	case given(flagResume) && given(flagAgainst, flagBefore, flagAfter, flagBeforeRev, flagAfterRev, flagBuild, flagFactor, flagConfidence):
		return usagef("--%s: the campaign keeps what it was asked: leave out --%s, --%s, --%s, --%s-rev, --%s-rev, --%s, --%s and --%s", flagResume,
			flagAgainst, flagBefore, flagAfter, flagBefore, flagAfter, flagBuild, flagFactor, flagConfidence)
	case given(flagAgainst) && given(flagBefore, flagAfter, flagBeforeRev, flagAfterRev), given(flagBefore, flagAfter) && given(flagBeforeRev, flagAfterRev):
		return usagef("--%s, --%s and --%s, --%s and --%s: give one of the three", flagAgainst, flagBefore, flagAfter, flagBeforeRev, flagAfterRev)
	case given(flagBeforeRev) != given(flagAfterRev):
		return usagef("--%s and --%s go together", flagBeforeRev, flagAfterRev)
	case given(flagBuild) && !given(flagBeforeRev):
		return usagef("--%s goes with --%s and --%s", flagBuild, flagBeforeRev, flagAfterRev)
	case given(flagBeforeRev) && given(flagChdir):
		return usagef("--%s: go to the folder of your checkout, and leave out --%s", flagBeforeRev, flagChdir)
	case given(flagBefore) != given(flagAfter):
		return usagef("--%s and --%s go together", flagBefore, flagAfter)
	case given(flagBefore) && c.Args().Present():
		return usagef("--%s and --%s are the commands: nothing follows the flags", flagBefore, flagAfter)
	case given(flagAgainst) && given(flagChaos, flagMaxHold, flagBudget):
		return usagef("--%s runs under the chaos of its baseline: leave out --%s, --%s and --%s", flagAgainst, flagChaos, flagMaxHold, flagBudget)
	}
	return nil
}

func soakOptions(c *cli.Context) soak.Options {
	return soak.Options{Factor: c.Float64(flagFactor), Confidence: c.Float64(flagConfidence) / 100}
}

func (p *plan) resumeSoak(c *cli.Context, stderr io.Writer) error {
	if err := p.resume(c, stderr); err != nil {
		return err
	}
	q, err := readQuestion(p.resumed)
	if err != nil {
		return err
	}
	was := q.BeforeIdentity
	if err := p.programsBefore(c, &q, stderr); err != nil {
		return err
	}
	if !reflect.DeepEqual(was, q.BeforeIdentity) {
		return usagef("resume campaign %s: the old program changed: start a new soak", p.resumed.ID())
	}
	p.soak.ask(p, q)
	return nil
}

// against plans a soak under the conditions of a campaign.
func (p *plan) against(c *cli.Context, stderr io.Writer) error {
	base, err := openBaseline(p.store, c.String(flagAgainst))
	if err != nil {
		return err
	}
	was := base.past.Latest()
	spec := was.Spec
	spec.Stop = run.Stop{}
	if p.spec, err = applyFlags(c, spec, true); err != nil {
		return err
	}
	b, seeds, err := base.past.Baseline(base.target...)
	if err != nil {
		return usagef("soak against %s: %w", base.folder.ID(), err)
	}
	p.underChaos(b, base)
	if err := p.identify(c, stderr); err != nil {
		return err
	}
	p.leaveOut(&b, seeds)
	p.focus(&b, base, soakOptions(c), stderr)
	b.Differs = append(b.Differs, conditions(was.Spec, p.spec)...)
	b.Differs = append(b.Differs, base.elsewhere()...)
	if set := base.figures.Timeout(); set != nil && p.spec.Timeout.Auto() {
		p.spec.Timeout.Fixed = set.Timeout // what counted as a hang before counts as one again
	}
	p.soak.ask(p, soak.Question{Options: soakOptions(c), Against: &b, From: base.folder.ID(), Seeds: seeds})
	return nil
}

// underChaos disturbs attempts as the baseline's were: the strategies that it drew and the budget that it came to.
func (p *plan) underChaos(b soak.Baseline, base *baseline) {
	policy := &p.spec.Chaos
	policy.Strategies = nil
	for _, name := range slices.Sorted(maps.Keys(b.Plans)) {
		if name != mix.Plain {
			policy.Strategies = append(policy.Strategies, name)
		}
	}
	if ledger := base.figures.Ledger(); ledger != nil && policy.On() {
		plain, _ := ledger.Duration()
		policy.Budget = policy.BudgetFor(plain)
	}
}

// leaveOut gives up the strategies that do not work here.
func (p *plan) leaveOut(b *soak.Baseline, seeds map[string][]uint64) {
	names, without := drawn(&p.spec, p.inGo(), p.unwatchable(), tracer.Probe)
	for _, name := range slices.Sorted(maps.Keys(without)) {
		b.Differs = append(b.Differs, "attempts under "+name+", which does not work here")
		delete(b.Plans, name)
		delete(seeds, name)
	}
	p.spec.Chaos.Strategies = names
}

// focus settles under which plans the attempts run.
func (p *plan) focus(b *soak.Baseline, base *baseline, o soak.Options, stderr io.Writer) {
	if *b = b.Focused(o, base.past.Costs(runtime.NumCPU()), insideOnes()); b.Focus == "" {
		return
	}
	p.spec.Chaos.Strategies = slices.DeleteFunc(slices.Clone(p.spec.Chaos.Strategies), func(name string) bool {
		return name != b.Focus && !slices.Contains(b.Beside, name)
	})
	was := b.Plans[b.Focus]
	fmt.Fprintf(stderr, "attempts are given the plan %s, under which %d of %d failed before: of all plans it tells the soonest\n",
		b.Focus, was.Failures, was.Attempts)
	if len(b.Beside) > 0 {
		fmt.Fprintf(stderr, "some are given the other plans that failed before: %s\n", strings.Join(b.Beside, ", "))
	}
}

// conditions names what makes attempts not alike, beside the program and the chaos.
func conditions(was, now run.Spec) (differ []string) {
	for _, part := range []struct {
		name     string
		old, new any
	}{
		{"another -j", was.Width, now.Width},
		{"another notion of failure", was.Oracle, now.Oracle},
		{"another time-out", was.Timeout, now.Timeout},
		{"other limits", was.Limits, now.Limits},
		{"another load", was.Load, now.Load},
		{"another environment", was.Command.Env, now.Command.Env},
		{"another working folder", was.Command.Dir, now.Command.Dir},
	} {
		if !reflect.DeepEqual(part.old, part.new) {
			differ = append(differ, part.name)
		}
	}
	return differ
}

// inTurn plans a soak of two commands.
func (p *plan) inTurn(c *cli.Context, stderr io.Writer) error {
	if err := p.begin(c, stderr); err != nil {
		return err
	}
	return p.turns(c, words(c.String(flagBefore)), p.spec.Command.Dir, stderr)
}

// turns asks how the command compares with the old one, args in dir.
func (p *plan) turns(c *cli.Context, args []string, dir string, stderr io.Writer) error {
	before := p.spec.Command
	before.Args, before.Dir = args, dir
	path, err := resolve(before.Args[0], before.Dir)
	if err != nil {
		return err
	}
	before.Path = path
	q := soak.Question{Options: soakOptions(c), Before: &before}
	if p.revisions != nil {
		q.Revisions = &p.revisions.Revisions
	}
	if p.spec.Chaos.On() {
		q.Strategies, _ = drawn(&p.spec, p.inGo(), p.unwatchable(), tracer.Probe)
	}
	if err := p.programsBefore(c, &q, stderr); err != nil {
		return err
	}
	q.Strategies = slices.DeleteFunc(q.Strategies, p.soak.notOfBoth)
	p.soak.ask(p, q)
	return nil
}

// programsBefore says what the old command runs, and builds it first where heisen does that, and notes
// what program that is.
func (p *plan) programsBefore(c *cli.Context, q *soak.Question, stderr io.Writer) error {
	if q.Before == nil {
		return nil
	}
	before := plan{spec: p.spec, revisions: p.revisions}
	before.spec.Command = *q.Before
	if err := before.identify(c, stderr); err != nil {
		return err
	}
	q.BeforeIdentity = before.identity
	p.soak.before, p.soak.after = sideOf(&before), sideOf(p)
	return nil
}

// words splits a command line at blanks, as a shell would; one that needs more of a shell is given to one.
func words(line string) []string {
	if strings.ContainsAny(line, "|&;<>()$`\\\"'*?[]#~%!\n") {
		return []string{"/bin/sh", "-c", line}
	}
	if split := strings.Fields(line); len(split) > 0 && !strings.Contains(split[0], "=") {
		return split
	}
	return []string{"/bin/sh", "-c", line}
}

// elsewhere names what the machine, the program's heisen and the campaign's end were that are not so now.
func (b *baseline) elsewhere() (differ []string) {
	if was := b.past.Latest().Version; was != version {
		differ = append(differ, fmt.Sprintf("another heisen (%s)", was))
	}
	return append(differ, b.machine()...)
}

// sameMachine compares what of two machines can matter to a test.
func sameMachine(a, b provenance.Host) bool {
	return a.OS == b.OS && a.Arch == b.Arch && a.Kernel == b.Kernel && a.CPUModel == b.CPUModel && a.CPUs == b.CPUs &&
		len(a.Affinity) == len(b.Affinity) && a.Memory == b.Memory && a.ContainerLimits == b.ContainerLimits
}
