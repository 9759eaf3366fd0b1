package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"heisen/repro/bundle"
	"heisen/repro/replay"
	"heisen/stress/campaign"
)

const demoIntro = `This goes the whole way with a flaky test that is inside this program. The test makes a worker thread, sleeps for
20 ms and takes for granted that the worker has begun by then, as CPython's test__xxsubinterpreters did
(bpo-37224). That nearly always holds. Each step is a command you could type; Ctrl-C ends it.
`

const (
	// demoTest takes for granted what demoFixed waits for (stress/planted).
	demoTest, demoFixed = "worker", "worker-fixed"
	demoPage            = "heisen-demo.html"
	// demoEnv has Go's runtime, in which the test runs, make its threads in the same order each time.
	demoEnv = "GOMAXPROCS=1"
)

func demoCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "hunt a flaky test that is inside heisen, replay and explain its failure, soak its fix, report it",
		Description: `It takes a minute or two and writes to --dir and to ` + demoPage + `.

EXAMPLE:
   heisen demo`,
		OnUsageError: onUsageError,
		Flags:        []cli.Flag{dirFlag()},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("demo takes no arguments")
			}
			self, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find heisen's own program: %w", err)
			}
			d := demo{self: self, dir: c.String(flagDir), stdout: stdout, stderr: stderr}
			return d.run()
		},
	}
}

// demo runs heisen's own commands, one after the other, as a user would.
type demo struct {
	self, dir      string
	stdout, stderr io.Writer
}

func (d *demo) run() error {
	fmt.Fprint(d.stdout, demoIntro)
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, os.Interrupt) // the command that runs gets it as well, and ends by it
	defer signal.Stop(caught)
	code, err := d.step("A hunt. Most attempts are disturbed: what is rare otherwise becomes likely.",
		"hunt", "--chaos", "auto", "--failures", "15", "--for", "40s", "--env", demoEnv, "--", d.self, plantedArg, demoTest)
	switch {
	case err != nil:
		return err
	case code == exitClean:
		fmt.Fprintln(d.stdout, "\nThe worker was never late here: try again, or heisen doctor, which says what this machine does not allow.")
		return nil
	case code != exitFailures:
		return coded(code)
	}
	hunted, err := campaign.NewStore(d.dir).Open(campaign.Last)
	if err != nil {
		return err
	}
	return d.follow(hunted)
}

// follow goes on from a campaign that found the failure.
func (d *demo) follow(hunted *campaign.Folder) error {
	failures, err := toReplay(hunted)
	if err != nil {
		return err
	}
	code := exitNotAgain
	for i := 0; i < len(failures) && code == exitNotAgain; i++ {
		say := "One of its failures again: does it come back, what does it take, and which order of two events decides?"
		if i > 0 {
			say = "It did not come back: its holds were not what it took. Another one."
		}
		if code, err = d.step(say, "repro", "--explain", "--budget", "35s", failures[i]); err != nil {
			return err
		}
	}
	if code != exitClean && code != exitNotAgain {
		return coded(code)
	}
	code, err = d.step("The same test with its mistake mended, under the conditions that made the old one fail.",
		"soak", "--against", hunted.ID(), "--for", "50s", "--env", demoEnv, "--", d.self, plantedArg, demoFixed)
	switch {
	case err != nil:
		return err
	case code != exitClean && code != exitCannotTell:
		return coded(code)
	}
	return d.report(hunted)
}

// report writes the page and says where it is.
func (d *demo) report(hunted *campaign.Folder) error {
	code, err := d.step("All of it on one page.", "report", "--output", demoPage, hunted.ID())
	switch {
	case err != nil:
		return err
	case code != exitClean:
		return coded(code)
	}
	page, err := filepath.Abs(demoPage)
	if err != nil {
		return fmt.Errorf("find the report: %w", err)
	}
	fmt.Fprintf(d.stdout, "\nOpen file://%s in a browser.\nNow your own test:  heisen hunt --chaos auto --until-fail -- COMMAND\n", page)
	return nil
}

// mostReplayed is how many failures are replayed until one comes back.
const mostReplayed = 4

// toReplay lists failures, the newest first: those with a plan that holds threads, where there are any.
func toReplay(hunted *campaign.Folder) ([]string, error) {
	all, err := hunted.ListBundles()
	if err != nil {
		return nil, err
	}
	var held, others []string
	for _, found := range all {
		switch kind := filepath.Base(filepath.Dir(found.Path)); {
		case kind == campaign.PassFolder || kind == campaign.VariantFolder:
		case holds(found.Path):
			held = append(held, found.Path)
		default:
			others = append(others, found.Path)
		}
	}
	if len(held) == 0 {
		held = others
	}
	return held[:min(len(held), mostReplayed)], nil
}

// holds tells whether a bundle has a plan that holds threads.
func holds(dir string) bool {
	b, err := bundle.Open(dir)
	if err != nil {
		return false
	}
	defer b.Close()
	recipe, err := replay.Read(b)
	return err == nil && recipe.Plan != nil && len(recipe.Plan.Decisions) > 0
}

// step says a command, runs it and returns its exit code.
func (d *demo) step(say string, args ...string) (code int, err error) {
	args = slices.Concat(args[:1], []string{"--" + flagDir, d.dir}, args[1:])
	fmt.Fprintf(d.stdout, "\n%s\n\n$ heisen %s\n", say, strings.ReplaceAll(strings.Join(args, " "), d.self, "heisen"))
	command := exec.Command(d.self, args...)
	command.Stdout, command.Stderr = d.stdout, d.stderr
	err = command.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode(), nil
	case err != nil:
		return 0, fmt.Errorf("run heisen %s: %w", args[0], err)
	}
	return exitClean, nil
}
