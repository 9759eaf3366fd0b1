package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errJudged is a comparison that heisen lost.
var errJudged = errors.New("heisen is slower than x/tools stress allows")

type options struct {
	heisen, stress, spawn string
	widths                []int
	rounds, maxRuns       int
	target                time.Duration
	json                  string
	only                  string
	judge                 bool
	least                 float64
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == measureWord {
		os.Exit(measureMain(os.Args[2:]))
	}
	o, err := parse(os.Args[1:])
	if err == nil {
		err = bench(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.StringVar(&o.heisen, "heisen", "", "path of heisen; empty leaves it out")
	fs.StringVar(&o.stress, "stress", "", "path of x/tools stress; empty leaves it out")
	fs.StringVar(&o.spawn, "spawn", "", "path of the bare loop; empty leaves it out")
	widths := fs.String("widths", "2,64,300", "values of -j, by commas")
	fs.IntVar(&o.rounds, "rounds", 5, "rounds; a figure is their median")
	fs.IntVar(&o.maxRuns, "max-runs", 6000, "most attempts in one measurement")
	fs.DurationVar(&o.target, "target", 2500*time.Millisecond, "how long one measurement aims to take")
	fs.StringVar(&o.only, "only", "", "measure the commands that have this in their name; empty for all")
	fs.StringVar(&o.json, "json", "", "also write all figures to this file")
	fs.BoolVar(&o.judge, "judge", false, "fail where heisen is slower than x/tools stress by more than -least allows")
	fs.Float64Var(&o.least, "least", 0.9, "least share of the rate of x/tools stress that -judge accepts")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	for word := range strings.SplitSeq(*widths, ",") {
		w, err := strconv.Atoi(word)
		if err != nil || w < 1 {
			return o, fmt.Errorf("read -widths: %q is not a number of copies", word)
		}
		o.widths = append(o.widths, w)
	}
	if o.rounds < 1 || o.maxRuns < 1 || o.target <= 0 {
		return o, errors.New("-rounds, -max-runs and -target must be more than zero")
	}
	return o, nil
}

// bench measures every cell, prints the table and judges it.
func bench(o options) error {
	temp, err := os.MkdirTemp("", "heisen-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	commands, err := commands()
	if err != nil {
		return err
	}
	commands = slices.DeleteFunc(commands, func(c command) bool { return !strings.Contains(c.Name, o.only) })
	if len(commands) == 0 {
		return fmt.Errorf("read -only: no command has %q in its name", o.only)
	}
	tools, skipped := tools(o, temp)
	doc := document{Facts: machineFacts(), Rounds: o.rounds, Commands: commands, Skipped: skipped}
	for _, c := range commands {
		for _, width := range o.widths {
			cells, err := measureWidth(o, tools, c, width)
			if err != nil {
				return err
			}
			doc.Cells = append(doc.Cells, cells...)
		}
	}
	doc.Ratios = ratios(doc.Cells)
	if err := doc.markdown(os.Stdout); err != nil {
		return err
	}
	if o.json != "" {
		if err := doc.save(o.json); err != nil {
			return err
		}
	}
	if o.judge {
		return judge(doc.Ratios, o.least)
	}
	return nil
}

// measureWidth measures all tools at one width, round by round.
func measureWidth(o options, tools []tool, c command, width int) ([]cell, error) {
	cells := make([]cell, len(tools))
	for i, t := range tools {
		runs, err := pilot(o, t, c, width)
		if err != nil {
			return nil, err
		}
		cells[i] = cell{Tool: t.name, Command: c.Name, Width: width, Runs: runs}
	}
	for round := range o.rounds {
		for i, t := range tools {
			f, err := t.measure(c, width, cells[i].Runs)
			if err != nil {
				return nil, err
			}
			cells[i].Rounds = append(cells[i].Rounds, f)
			fmt.Fprintf(os.Stderr, "%s -j%d, round %d of %d, %s: %.0f/s\n", c.Name, width, round+1, o.rounds, t.name, f.Rate)
		}
	}
	return cells, nil
}

// pilot finds how many attempts this tool makes in the target time; it also warms the caches. It grows until
// it has lasted a quarter of that time, because a short one measures the tool's start more than its rate.
func pilot(o options, t tool, c command, width int) (int, error) {
	runs := min(max(width, 20), o.maxRuns)
	for {
		f, err := t.measure(c, width, runs)
		if err != nil {
			return 0, err
		}
		if f.WallMillis >= millis(o.target)/4 || runs == o.maxRuns {
			return min(max(int(f.Rate*o.target.Seconds()), width, 20), o.maxRuns), nil
		}
		runs = min(runs*4, o.maxRuns)
	}
}
