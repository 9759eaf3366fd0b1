package main

import (
	"io"

	"github.com/urfave/cli/v2"
)

func newApp(stdout, stderr io.Writer) *cli.App {
	return &cli.App{
		Name:    "heisen",
		Usage:   "rerun a flaky test in parallel until it fails, and keep the evidence",
		Version: version,
		Description: `heisen reruns one command many times in parallel, tells every kind of ending apart, keeps what
failed as a bundle, survives being killed, and says at the end how often the test failed and how
sure that is.

   heisen demo                                 see it work on a flaky test of its own
   heisen hunt --until-fail -- ./my.test       rerun a test until it fails
   heisen hunt --for 1h -j 64 -- pytest -x     an hour, 64 at once
   heisen soak --against last -- ./my.test     did the fix fix it?
   heisen show last                            what the newest campaign found
   heisen repro last                           how often the newest failure comes back
   heisen doctor                               what this machine allows
   heisen help                                 commands, and topics such as outcomes and chaos

` + exitCodesHelp,
		Commands: []*cli.Command{
			huntCommand(stdout, stderr),
			soakCommand(stdout, stderr),
			reproCommand(stdout, stderr),
			showCommand(stdout),
			reportCommand(stdout),
			listCommand(stdout),
			exportCommand(stdout),
			importCommand(stdout),
			diffCommand(stdout),
			doctorCommand(stdout),
			demoCommand(stdout, stderr),
			completionCommand(stdout),
			helpCommand(stdout),
		},
		Writer:    stdout,
		ErrWriter: stderr,
		// The library would print a usage page and exit by itself; one line and one place for exit
		// codes is kinder.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError: func(_ *cli.Context, err error, _ bool) error {
			return usagef("%w: heisen --help lists the commands; flags stand after the command", err)
		},
		Action:                    noCommand,
		DisableSliceFlagSeparator: true,
		HideHelpCommand:           true, // there is one of its own
		// Beside a command called help the library gives an app no --help.
		Flags:                []cli.Flag{cli.HelpFlag},
		EnableBashCompletion: true,
	}
}

// noCommand answers a bare "heisen" with the help, and a word that is no command with an error.
func noCommand(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("unknown command %q: heisen --help lists the commands; to rerun a test, write heisen hunt -- %s ...",
			c.Args().First(), c.Args().First())
	}
	return cli.ShowAppHelp(c)
}

// onUsageError is for commands: the library asks each for its own.
func onUsageError(c *cli.Context, err error, _ bool) error {
	return usagef("%w: heisen %s --help lists the flags; a test's own flags stand after --", err, c.Command.Name)
}
