package main

import (
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"heisen/stress/chaos/tracer"
	"heisen/stress/doctor"
	"heisen/stress/proc"
)

func doctorCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:         "doctor",
		Usage:        "say what this machine allows, what is lost where it does not, and how to get it",
		Description:  "EXAMPLES:\n   heisen doctor\n   heisen doctor -j 300 --json",
		OnUsageError: onUsageError,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: flagJobs, Aliases: []string{"j"}, Usage: "check the limits against `N` attempts at once"},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("doctor takes no arguments, only flags")
			}
			report := doctor.Examine(c.Context, doctorInput(c.Int(flagJobs)))
			if c.Bool(flagJSON) {
				return report.JSON(stdout)
			}
			return report.Text(stdout)
		},
	}
}

// doctorInput asks the supervisor of processes what it can do here.
func doctorInput(width int) doctor.Input {
	found := proc.Probe()
	s := doctor.Supervision{Tier: found.Tier.Name, Full: len(found.Tier.Lacks) == 0, Lacks: found.Tier.Lacks}
	for _, c := range found.List {
		if !c.OK && s.Remedy == "" {
			s.Remedy = c.Remedy
		}
	}
	return doctor.Input{Supervision: &s, DebugRegisters: tracer.ProbeBreakpoints, TempDir: os.TempDir(), Width: width}
}

const flagJSON = "json"

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: flagJSON, Usage: "print JSON for scripts; its fields only ever grow"}
}
