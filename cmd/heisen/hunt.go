package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"heisen/stress/proc/guard"
)

const huntExamples = `Everything after -- is the test and its arguments. Each attempt has its own TMPDIR, HEISEN_ATTEMPT,
HEISEN_SLOT, HEISEN_SEED and HEISEN_PORT_BASE; {tmp}, {attempt}, {slot}, {seed} and {port} stand for the
same in arguments. Slots are small numbers that no two attempts in flight share. Lines that the test
appends to the file HEISEN_EVENTS are events, recorded in their order.

EXAMPLES:
   heisen hunt --until-fail -- ./my.test -test.run TestX
   heisen hunt -j 64 --for 1h -- python3 -m pytest -x tests/test_server.py
   heisen hunt --runs 1000 --limit memory=1G -- ./server_test --port '{port}'
   heisen hunt --serve --for 1h -- ./my.test
   heisen hunt --resume last

Without a stop rule it goes on until Ctrl-C. Ctrl-C once starts no more attempts and gives those that
run the grace to finish; twice stops them at once. Ctrl-Z and fg work.

` + exitCodesHelp

func huntCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:         "hunt",
		Usage:        "rerun a test in parallel, and keep what fails",
		ArgsUsage:    "-- COMMAND [ARGUMENTS]",
		Description:  huntExamples,
		Flags:        huntFlags(),
		OnUsageError: onUsageError,
		Action: func(c *cli.Context) error {
			return guarded(stderr, func(link *guard.Link) error {
				plan, err := planHunt(c, stderr)
				if err != nil {
					return err
				}
				return hunt(plan, link, stdout, stderr)
			})
		},
	}
}

// guarded makes this process the front, which owns the terminal, and runs work in the supervisor that
// the front starts (see stress/proc/guard).
func guarded(stderr io.Writer, work func(*guard.Link) error) error {
	return guardedAs(stderr, func() ([]string, error) { return os.Args, nil }, work)
}

// guardedAs is guarded with something to do first in the front, which alone can ask the user: it gives the
// supervisor's command line.
func guardedAs(stderr io.Writer, first func() ([]string, error), work func(*guard.Link) error) error {
	link, err := guard.Attach()
	switch {
	case errors.Is(err, guard.ErrNotSupervised):
		args, err := first()
		if err != nil {
			return err
		}
		return front(stderr, args)
	case err != nil:
		return err
	}
	defer link.Close()
	return work(link)
}

// goOn is the command line that goes on with the campaign of this one.
func goOn(ref string) string {
	name := "hunt"
	if len(os.Args) > 1 && os.Args[1] == soakName {
		name = soakName
	}
	return "heisen " + name + " --resume " + ref
}

func front(stderr io.Writer, args []string) error {
	exit, err := guard.Front(guard.FrontConfig{Args: args})
	if exit.Killed > 0 {
		fmt.Fprintf(stderr, "heisen: killed %d processes that the supervisor left\n", exit.Killed)
	}
	switch {
	case err != nil:
		return err
	case exit.Signal != 0 && len(exit.Left) > 0:
		return fmt.Errorf("the supervisor was killed by %v and processes %v could not be: end them by hand, then %s", exit.Signal, exit.Left, goOn("last"))
	case exit.Signal != 0:
		return fmt.Errorf("the supervisor was killed by %v; nothing it started is left: go on with %s", exit.Signal, goOn("last"))
	case exit.Code != 0:
		return coded(exit.Code)
	}
	return nil
}
