package main

import (
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"heisen/stress/proc/guard"
)

const soakName = "soak"

// Names of soak's own flags.
const (
	flagAgainst    = "against"
	flagFactor     = "factor"
	flagConfidence = "confidence"
	flagBefore     = "before"
	flagAfter      = "after"
	flagBeforeRev  = "before-rev"
	flagAfterRev   = "after-rev"
	flagBuild      = "build"
)

const groupSoak = "What is to be shown"

const soakExamples = `What do clean attempts prove? With --against a campaign or a bundle of the failing test, the changed
command runs under the conditions that made it fail: the same strategies in the same proportions, first
with the same seeds, the same -j, load and time-out. With --before and --after both commands run in turn,
in pairs of one plan and seed; with --before-rev and --after-rev one command does, in two revisions of the git repository
around it, each checked out and built apart from your own checkout. All of them end as soon as the evidence suffices, and may be read and stopped
at any moment. Without them the soak goes on for --for or --runs and says what that bounds.

EXAMPLES:
   heisen soak --for 29h -- ./my.test -test.run TestX
   heisen soak --against last -- ./fixed.test -test.run TestX
   heisen soak --before 'python3.8 t.py' --after 'python3.9 t.py' --chaos auto
   heisen soak --before-rev main --after-rev fix --build make -- ./test_x
   heisen soak --before-rev HEAD~1 --after-rev HEAD -- go test ./pkg -run TestX
   heisen soak --resume last

VERDICTS: FIXED: all failures together became rarer by the factor. NOT FIXED: the old failure did not.
PERTURBED: it became rarer, but not by the factor, or it still came. DIFFERENT FAILURE: new failures took its place.
CANNOT TELL YET: more attempts are needed; how many, and about how long.

` + exitCodesHelp

func soakCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:         soakName,
		Usage:        "show that a fix works, or what clean attempts bound",
		ArgsUsage:    "-- COMMAND [ARGUMENTS]",
		Description:  soakExamples,
		Flags:        soakFlags(),
		OnUsageError: onUsageError,
		Action: func(c *cli.Context) error {
			return guarded(stderr, func(link *guard.Link) error {
				p, err := planSoak(c, link, stderr)
				if err != nil {
					return err
				}
				return soakOn(p, link, c.Bool(flagJSON), stdout, stderr)
			})
		},
	}
}

// soakFlags are hunt's, without those that end a campaign at failures or allow another program in it: its evidence
// would be worth less.
func soakFlags() []cli.Flag {
	without := []string{flagFailures, flagUntil, flagNewEpoch, flagGoLeaks}
	flags := slices.DeleteFunc(huntFlags(), func(f cli.Flag) bool { return slices.Contains(without, f.Names()[0]) })
	return append(flags, jsonFlag(),
		&cli.StringFlag{Name: flagAgainst, Category: groupSoak, Usage: "compare with the failures of `CAMPAIGN|BUNDLE`: all of a campaign's, or those like the bundle's"},
		&cli.StringFlag{Name: flagBefore, Category: groupSoak, Usage: "the old `COMMAND`, one argument; run by sh if it needs a shell"},
		&cli.StringFlag{Name: flagAfter, Category: groupSoak, Usage: "the new `COMMAND`"},
		&cli.StringFlag{Name: flagBeforeRev, Category: groupSoak, Usage: "run the command as it is in git `REVISION`, the old one"},
		&cli.StringFlag{Name: flagAfterRev, Category: groupSoak, Usage: "and in the new `REVISION`"},
		&cli.StringFlag{Name: flagBuild, Category: groupSoak, Usage: "build each revision with `COMMAND`, one argument, where the test runs"},
		&cli.Float64Flag{Name: flagFactor, Value: 10, Category: groupSoak, Usage: "FIXED means at least `N` times rarer"},
		&cli.Float64Flag{Name: flagConfidence, Value: 99, Category: groupSoak, Usage: "a verdict is wrong in at most 100 - `PERCENT` of 100 soaks"},
	)
}
