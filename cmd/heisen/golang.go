package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"heisen/repro/provenance"
	"heisen/stress"
	"heisen/stress/chaos/golang"
	"heisen/stress/chaos/knobs"
	"heisen/stress/run"
)

// programs are the binaries that a go test or go run stands for, nil for any other command.
type programs struct {
	built           *golang.Built
	targets, second []run.Command // second has the other runtime; empty where there is none
}

// buildPrograms builds what the command stands for, unless the user wants it left as it is, or where it runs
// is not known yet. chaos asks for a second binary with another runtime, leaks for that one alone.
func buildPrograms(cmd run.Command, chaos, leaks bool, stderr io.Writer) (*programs, error) {
	what := golang.Recognise(cmd.Args, cmd.Path)
	if what.Kind != golang.GoTest && what.Kind != golang.GoRun {
		return nil, notBuilt(leaks, what.Why)
	}
	if strings.Contains(cmd.Dir+strings.Join(cmd.Args, " "), "{") {
		return nil, notBuilt(leaks, "its words hold placeholders")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find a folder for built tests: %w: set HOME or XDG_CACHE_HOME", err)
	}
	plainly := slices.DeleteFunc(slices.Clone(cmd.Env), func(e string) bool { return strings.Contains(e, "{") })
	fmt.Fprintln(stderr, "building the Go program once, for all attempts")
	built, err := golang.Build(context.Background(), what, golang.Config{Cache: filepath.Join(cache, "heisen", "go"), Dir: cmd.Dir,
		Environ: append(os.Environ(), plainly...), Chaos: chaos, Leaks: leaks})
	if err != nil {
		return nil, usageError{err}
	}
	p := &programs{built: built}
	for _, t := range built.Targets {
		p.targets = append(p.targets, run.Command{Args: t.Argv, Path: programOf(t.Argv), Dir: t.Dir, Env: slices.Concat(cmd.Env, t.Env)})
		if t.Chaos != nil {
			c := p.targets[len(p.targets)-1]
			c.Args, c.Path = t.Chaos, programOf(t.Chaos)
			p.second = append(p.second, c)
		}
	}
	p.tell(stderr, chaos || leaks)
	if leaks && built.Overlay.Level != golang.Hooks {
		return nil, usagef("--%s: %s", flagGoLeaks, built.Overlay)
	}
	return p, nil
}

// notBuilt is no error unless the user asked for what only a built program can do.
func notBuilt(leaks bool, why string) error {
	if !leaks {
		return nil
	}
	if why == "" {
		why = "the command is neither"
	}
	return usagef("--%s works with go test and go run alone: %s", flagGoLeaks, why)
}

// programOf resolves the first word of a command line that go would have run: with -exec it is a name.
func programOf(argv []string) string {
	if path, err := resolve(argv[0], ""); err == nil {
		return path
	}
	return argv[0]
}

func (p *programs) tell(stderr io.Writer, second bool) {
	took := fmt.Sprintf("built %d of them in %v", len(p.targets), p.built.Took.Round(10*time.Millisecond))
	if second {
		took += fmt.Sprintf(", and again with another runtime in %v", p.built.TookChaos.Round(10*time.Millisecond))
	}
	fmt.Fprintf(stderr, "%s (%s)\n", took, p.built.Version)
	if n := len(p.built.Untested); n > 0 {
		fmt.Fprintf(stderr, "no test files in %s\n", strings.Join(p.built.Untested[:min(n, 5)], ", "))
	}
	if text := p.built.Overlay.String(); second && text != "" {
		fmt.Fprintln(stderr, text)
	}
}

// identity tells the programs apart, beside the command itself.
func (p *programs) identity(of run.Identity) run.Identity {
	hashes := maps.Clone(of.Hashes)
	if hashes == nil {
		hashes = map[string]string{}
	}
	for i, t := range p.targets {
		for name, hash := range provenance.Identify(t).Hashes {
			if filepath.IsAbs(name) && name == t.Path {
				name = p.built.Targets[i].Package // the file's own name says its content already
			}
			hashes[name] = hash
		}
	}
	of.Hashes = hashes
	return of
}

// each is a runner that shares attempts out evenly among the programs: each its own command, in turn.
type each struct {
	stress.Runner
	*programs
}

// only leaves the one program that an attempt of that number ran.
func (p *programs) only(seq int64) {
	if p == nil {
		return
	}
	for _, list := range []*[]run.Command{&p.targets, &p.second} {
		if n := int64(len(*list)); n > 0 {
			at := (seq - 1) % n
			*list = (*list)[at : at+1]
		}
	}
}

func (e each) Run(a run.Attempt, ctl *run.Control) run.Result {
	from := e.targets
	if golang.WantsSecond(a.Env) && len(e.second) > 0 {
		from = e.second
	}
	a.Instead = &from[(a.Seq-1)%int64(len(from))]
	return e.Runner.Run(a, ctl)
}

// shared puts the programs under the runner.
func (p *programs) shared(runner stress.Runner) stress.Runner {
	if p == nil {
		return runner
	}
	return each{runner, p}
}

// inGo are the strategies that the command's Go runtime can carry out.
func (p *plan) inGo() []string {
	if p.programs != nil {
		return p.programs.built.Overlay.Level.Names()
	}
	return nil
}

// family is whose knobs the command minds.
func (p *plan) family() knobs.Family {
	if cmd := p.spec.Command; p.programs != nil || golang.Recognise(cmd.Args, cmd.Path).Kind == golang.Prebuilt {
		return knobs.Go
	}
	return knobs.FamilyOf(p.spec.Command.Path)
}
