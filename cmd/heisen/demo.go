package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/urfave/cli/v2"

	"heisen/repro/provenance"
	"heisen/stress/campaign"
	"heisen/stress/chaos/conductor"
	"heisen/stress/chaos/tracer"
	"heisen/stress/planted"
	"heisen/stress/proc"
	"heisen/stress/proc/guard"
	"heisen/stress/run"
	"heisen/stress/strain"
)

// Hidden first arguments: the binary plays helper programs of its own.
const plantedArg = "__planted"

// runHidden plays a helper program if the arguments ask for one.
func runHidden(args []string) (code int, hidden bool) {
	if len(args) < 2 {
		return 0, false
	}
	switch args[1] {
	case plantedArg:
		name := ""
		if len(args) > 2 {
			name = args[2]
		}
		return planted.Run(name, os.Stdout), true
	case strain.HogCommand:
		return report(os.Stderr, strain.RunHog(args[2:])), true
	case tracer.Command:
		return report(os.Stderr, tracer.Run(args[2:])), true
	case conductor.ConfineCommand:
		// Confine returns only when it failed.
		return report(os.Stderr, conductor.Confine(args[2:])), true
	case proc.ExecCommand:
		// Exec returns only when it failed.
		return report(os.Stderr, proc.Exec(args[2:])), true
	}
	return 0, false
}

const demoIntro = `This hunts a flaky test that is inside this program. It starts a worker thread and takes for granted
that the worker runs within 5 ms, as CPython's test__xxsubinterpreters did (bpo-37224). On an idle
machine that holds; when many copies share the CPUs it sometimes does not.

`

func demoCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:         "demo",
		Usage:        "hunt a flaky test that is inside heisen, and walk through what is found",
		Description:  "EXAMPLE:\n   heisen demo",
		OnUsageError: onUsageError,
		Flags:        []cli.Flag{dirFlag()},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("demo takes no arguments")
			}
			return guarded(stderr, func(link *guard.Link) error {
				p, err := planDemo(c.String(flagDir))
				if err != nil {
					return err
				}
				return demo(p, link, stdout, stderr)
			})
		},
	}
}

// planDemo hunts the late starter, wide enough that copies starve one another, for a few failures.
func planDemo(dir string) (*plan, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find heisen's own program: %w", err)
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the working folder: %w: go to a folder that exists", err)
	}
	p := &plan{store: campaign.NewStore(dir), epoch: 1, session: 1}
	p.spec = run.Spec{
		Command: run.Command{Args: []string{self, plantedArg, "late-start"}, Path: self, Dir: here},
		Stop:    run.Stop{Failures: 5, For: 30 * time.Second},
		Timeout: run.TimeoutPolicy{DumpSignal: "QUIT", Grace: defaultGrace},
		Keep:    run.Keep{Failures: 3, Passes: 3, Variants: 10, OutputBytes: 1 << 20},
		Width:   32 * runtime.NumCPU(),
		Ramp:    true,
		Signals: true,
	}
	p.complete(false)
	p.identity = provenance.Identify(p.spec.Command)
	return p, nil
}

// demo runs the hunt and then shows the first failure as a user would look at it.
func demo(p *plan, link *guard.Link, stdout, stderr io.Writer) error {
	fmt.Fprint(stdout, demoIntro)
	s, err := openSession(p, link, stderr)
	if err != nil {
		return err
	}
	report, _, err := s.run(stdout)
	if err != nil {
		return err
	}
	if len(report.Signatures) == 0 || len(report.Signatures[0].Bundles) == 0 {
		fmt.Fprintf(stdout, "\nThe worker was never late here. Try a wider hunt: heisen hunt -j 500 --until-fail -- %s %s late-start\n",
			p.spec.Command.Path, plantedArg)
		return nil
	}
	first := report.Signatures[0].Bundles[0]
	fmt.Fprintf(stdout, "\nThis is what a failure looks like (heisen show %s):\n\n", first)
	if err := showBundle(stdout, first, false); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\nNow your own test:  heisen hunt --until-fail -- COMMAND\n")
	return nil
}
