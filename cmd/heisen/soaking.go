package main

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"heisen/reports"
	"heisen/repro/soak"
	"heisen/stress"
	"heisen/stress/campaign"
	"heisen/stress/chaos/conductor"
	"heisen/stress/chaos/golang"
	"heisen/stress/mix"
	"heisen/stress/proc/guard"
	"heisen/stress/run"
)

// soakLine is how often a soak without a terminal writes a line to the log.
const soakLine = time.Minute

// soaking is a soak that runs: what it asks, what its attempts are given, what they have shown.
type soaking struct {
	link     *guard.Link // to hear of a Ctrl-C while a revision is built
	question soak.Question
	course   *soak.Course
	account  *soak.Account
	// before and after are the two sides, where two programs are run in turn.
	before, after side
}

// ask settles what the soak is to find out.
func (k *soaking) ask(p *plan, q soak.Question) {
	k.question, k.course = q, q.Course(p.spec.Seed)
	k.account = soak.NewAccount(q, k.course)
}

// begin writes a new soak's question to its campaign before anything is recorded there, and has a resumed one take
// in what is on record.
func (k *soaking) begin(folder *campaign.Folder) error {
	if isSoak(folder) {
		return eachEvent(folder, k.account.Emit)
	}
	return writeQuestion(folder, k.question)
}

// assign gives an attempt its seed and, where two programs are run in turn, its program.
func (k *soaking) assign(a *run.Attempt) {
	if k.course == nil {
		return
	}
	if seed, ok := k.course.Seed(a.Seq); ok {
		a.Seed = seed
	}
	k.instead(a)
}

// instead has an attempt run the program of its side: of several, both attempts of a pair the same one.
func (k *soaking) instead(a *run.Attempt) {
	pair, which := k.course.Pair(a.Seq)
	if pair == 0 {
		return
	}
	of := k.after
	if which == soak.Before {
		of = k.before
	}
	commands := of.commands
	if golang.WantsSecond(a.Env) && len(of.second) > 0 {
		commands = of.second
	}
	a.Instead = &commands[(pair-1)%int64(len(commands))]
}

// side is what a command stands for: itself, or the programs it was built into and those with another runtime, with
// the strategies that one can carry out.
type side struct {
	commands, second []run.Command
	inGo             []string
}

func sideOf(p *plan) side {
	if p.programs == nil {
		return side{commands: []run.Command{p.spec.Command}}
	}
	return side{commands: p.programs.targets, second: p.programs.second, inGo: p.inGo()}
}

// notOfBoth tells whether a strategy works with one of the programs alone.
func (k *soaking) notOfBoth(strategy string) bool {
	return slices.Contains(golang.AllStrategies(), strategy) &&
		!(slices.Contains(k.before.inGo, strategy) && slices.Contains(k.after.inGo, strategy))
}

// shared puts the two sides, or the programs that the one command stands for, under the runner.
func (k *soaking) shared(runner stress.Runner, p *programs) stress.Runner {
	if k == nil || k.question.Before == nil {
		return p.shared(runner)
	}
	return sides{runner, k}
}

// sides is a runner of both programs: strategies may want another build of one than its attempt was given at first.
type sides struct {
	stress.Runner
	soak *soaking
}

func (s sides) Run(a run.Attempt, ctl *run.Control) run.Result {
	s.soak.instead(&a)
	return s.Runner.Run(a, ctl)
}

// guide has strategies given out by the soak's course, where it has one, instead of drawn. A nil soaking draws.
func (k *soaking) guide(m *mix.Mixer) conductor.Mixer {
	if k == nil || k.course == nil {
		return m
	}
	return &guided{Mixer: m, course: k.course, dropped: map[string]bool{}}
}

// guided is a Mixer that draws nothing.
type guided struct {
	*mix.Mixer
	course *soak.Course

	mu      sync.Mutex
	dropped map[string]bool
}

// Choose says the attempt's strategy; plain where that one turned out not to work here.
func (g *guided) Choose(a run.Attempt) string {
	s := g.course.Strategy(a.Seq)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dropped[s] {
		return mix.Plain
	}
	return s
}

// Drop never gives out a strategy again.
func (g *guided) Drop(strategy string) {
	g.mu.Lock()
	g.dropped[strategy] = true
	g.mu.Unlock()
	g.Mixer.Drop(strategy)
}

// status is what the soak shows so far, for the log.
func (k *soaking) status() string {
	if f, ok := k.account.Finding(); ok {
		return f.Sentence
	}
	return ""
}

// shown is what the attempts so far show of the question.
func (k *soaking) shown() *reports.Soak { return reports.SoakOf(k.question, k.account) }

// soakOn runs a soak and says what it shows.
func soakOn(p *plan, link *guard.Link, asJSON bool, stdout, stderr io.Writer) error {
	s, err := openSession(p, link, stderr)
	if err != nil {
		return err
	}
	summary := stdout
	if asJSON {
		summary = io.Discard
	}
	report, ended, err := s.run(summary)
	if err != nil {
		return fmt.Errorf("%w: what is on record is safe; go on with %s", err, goOn(report.Dir))
	}
	if asJSON {
		err = reports.WriteJSON(stdout, soakShown{Campaign: report.ID, Dir: report.Dir, Soak: report.Soak})
	}
	if err != nil {
		return err
	}
	return soakVerdict(report, ended)
}

// soakShown is what heisen soak --json prints.
type soakShown struct {
	Campaign string `json:"campaign"`
	Dir      string `json:"dir"`
	*reports.Soak
}

// soakVerdict is the exit code of a soak, or why it could not do its work.
func soakVerdict(r reports.Report, ended run.Ended) error {
	if r.Soak.Finding == nil {
		return verdict(r, ended)
	}
	switch r.Soak.Verdict {
	case soak.Fixed:
		return nil
	case soak.NotFixed:
		return coded(exitNotFixed)
	case soak.Perturbed:
		return coded(exitPerturbed)
	case soak.Different:
		return coded(exitDifferent)
	}
	switch ended.Reason {
	case run.ReasonInterrupted, run.ReasonStart, run.ReasonMachine:
		return verdict(r, ended)
	}
	return coded(exitCannotTell)
}
