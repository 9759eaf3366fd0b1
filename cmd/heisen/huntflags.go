package main

import (
	"github.com/urfave/cli/v2"
)

// Names of hunt's flags, where more than one place needs them.
const (
	flagDir      = "dir"
	flagJobs     = "jobs"
	flagRuns     = "runs"
	flagFor      = "for"
	flagFailures = "failures"
	flagUntil    = "until-fail"
	flagNoRamp   = "no-ramp"
	flagTimeout  = "timeout"
	flagDump     = "dump-signal"
	flagGrace    = "grace"
	flagFailOn   = "fail-on"
	flagPassOn   = "pass-on"
	flagIgnore   = "ignore"
	flagEnv      = "env"
	flagChdir    = "chdir"
	flagLimit    = "limit"
	flagKeep     = "keep"
	flagPasses   = "keep-passes"
	flagOutput   = "keep-output"
	flagSeed     = "seed"
	flagPorts    = "ports"
	flagResume   = "resume"
	flagNewEpoch = "new-epoch"

	flagNoGoBuild = "no-go-build"
	flagGoLeaks   = "go-leaks"

	flagNoSignals = "no-signals"
	flagMarker    = "marker"
	flagSelfStats = "self-stats"
	flagSched     = "sched"
	flagVariants  = "keep-variants"
	flagLoad      = "load"
	flagWeak      = "weak"

	flagChaos   = "chaos"
	flagKnob    = "knob"
	flagMaxHold = "max-hold"
	flagBudget  = "chaos-budget"
)

// Groups under which --help lists them.
const (
	groupStop      = "When to stop"
	groupVerdict   = "What counts as a failure"
	groupTest      = "The test's surroundings"
	groupMeasure   = "What is measured"
	groupChaos     = "Making rare schedules likely"
	groupCampaigns = "Campaigns and what is kept"
)

// dirFlag is where campaigns live; every command that reads or writes one has it.
func dirFlag() cli.Flag {
	return &cli.StringFlag{Name: flagDir, Value: ".heisen", Usage: "the folder in which campaigns live",
		EnvVars: []string{"HEISEN_DIR"}, Category: groupCampaigns}
}

func huntFlags() []cli.Flag {
	var flags []cli.Flag
	flags = append(flags, stopFlags()...)
	flags = append(flags, verdictFlags()...)
	flags = append(flags, testFlags()...)
	flags = append(flags, chaosFlags()...)
	flags = append(flags, measureFlags()...)
	flags = append(flags, campaignFlags()...)
	return append(flags, serveFlags()...)
}

func measureFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: flagMarker, Category: groupMeasure, Usage: "call output lines that match an event: `NAME=REGEX`; its groups are the fields; gaps between events are timed"},
		&cli.StringFlag{Name: flagSched, Value: schedAuto, Category: groupMeasure, Usage: "take the scheduler's record of every attempt (on), of as many as cost little (auto), of none (off)"},
		&cli.BoolFlag{Name: flagNoSignals, Category: groupMeasure, Usage: "do not measure starvation signals"},
		&cli.BoolFlag{Name: flagSelfStats, Category: groupMeasure, Usage: "say at the end what measuring itself cost"},
	}
}

func stopFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: flagJobs, Aliases: []string{"j"}, Category: groupStop,
			Usage: "run `N` attempts at once (default: chosen from CPUs and memory, and printed)"},
		&cli.Int64Flag{Name: flagRuns, Category: groupStop, Usage: "stop after `N` attempts in all"},
		&cli.DurationFlag{Name: flagFor, Category: groupStop, Usage: "stop after `TIME`, such as 90s, 10m, 8h"},
		&cli.Int64Flag{Name: flagFailures, Category: groupStop, Usage: "stop after `N` failures"},
		&cli.BoolFlag{Name: flagUntil, Category: groupStop, Usage: "stop at the first failure"},
		&cli.BoolFlag{Name: flagNoRamp, Category: groupStop, Usage: "start all attempts at once instead of doubling their number every 100 ms"},
	}
}

func verdictFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: flagTimeout, Value: "auto", Category: groupVerdict,
			Usage: "`TIME` after which an attempt is stopped; auto: 10m, then 20 times the p99 of 50 passes and at least 30s"},
		&cli.StringFlag{Name: flagDump, Value: "QUIT", Category: groupVerdict,
			Usage: "`SIGNAL` sent first at a time-out, for a stack dump; none for none"},
		&cli.DurationFlag{Name: flagGrace, Value: defaultGrace, Category: groupVerdict,
			Usage: "`TIME` between the steps of stopping an attempt: dump signal, TERM, KILL"},
		&cli.StringSliceFlag{Name: flagFailOn, Category: groupVerdict, Usage: "output that matches `REGEX` is a failure, whatever the exit code"},
		&cli.StringSliceFlag{Name: flagPassOn, Category: groupVerdict, Usage: "output that matches `REGEX` is a pass, whatever the exit code"},
		&cli.StringSliceFlag{Name: flagIgnore, Category: groupVerdict, Usage: "output that matches `REGEX` is neither: the attempt is skipped, as with exit code 125"},
	}
}

func testFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: flagEnv, Category: groupTest, Usage: "set `NAME=VALUE` for the test; VALUE may hold placeholders"},
		&cli.StringFlag{Name: flagChdir, Category: groupTest, Usage: "run the test in `FOLDER`; {tmp} is a folder of each attempt's own"},
		&cli.BoolFlag{Name: flagNoGoBuild, Category: groupTest, Usage: "run go test and go run as they are; otherwise their programs are built once, for all attempts"},
		&cli.BoolFlag{Name: flagGoLeaks, Category: groupVerdict, Usage: "with go test or go run: goroutines that are left behind, blocked, are a failure"},
		&cli.StringFlag{Name: flagLimit, Category: groupTest, Usage: "confine each attempt: `memory=SIZE,processes=N`"},
		&cli.StringFlag{Name: flagLoad, Category: groupTest, Usage: "keep the machine busy meanwhile: `cpu=N,mem=SIZE,io=N` (an overloaded machine)"},
		&cli.Float64Flag{Name: flagWeak, Category: groupTest, Usage: "give each attempt at most `FRACTION` of the CPUs' time (a slower machine), 0 to 1"},
		&cli.IntFlag{Name: flagPorts, Value: defaultPorts, Category: groupTest, Usage: "give each attempt `N` ports of its own, from HEISEN_PORT_BASE"},
		&cli.Uint64Flag{Name: flagSeed, Category: groupTest, DefaultText: "drawn, and printed", Usage: "derive every attempt's HEISEN_SEED from `N`"},
	}
}

func campaignFlags() []cli.Flag {
	return []cli.Flag{
		dirFlag(),
		&cli.StringFlag{Name: flagResume, Category: groupCampaigns, Usage: "go on with `CAMPAIGN` (an id, or last) where it stopped"},
		&cli.BoolFlag{Name: flagNewEpoch, Category: groupCampaigns, Usage: "with --resume: allow another command, binary or flags, counted apart"},
		&cli.IntFlag{Name: flagKeep, Value: defaultKeep, Category: groupCampaigns, Usage: "keep the full evidence of the first `N` failures of each signature"},
		&cli.IntFlag{Name: flagPasses, Value: defaultKeepPasses, Category: groupCampaigns, Usage: "keep `N` passing attempts to compare with"},
		&cli.IntFlag{Name: flagVariants, Value: defaultKeepVariants, Category: groupCampaigns, Usage: "keep the first `N` passing attempts whose interleaving was new"},
		&cli.StringFlag{Name: flagOutput, Value: "1M", Category: groupCampaigns, Usage: "keep `SIZE` of each attempt's output, half from its head, half from its tail"},
	}
}
