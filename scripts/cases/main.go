// Command cases hunts flaky programs with a known cause, left alone and under chaos in turn, and writes a table of
// how soon each first failed; and correct ones, which must stay green.
//
//	go run ./scripts/cases                    every case of ../shared/cases, into docs/cases.md
//	go run ./scripts/cases -mode repro        every case's failure replayed, minimised and explained, into docs/cases-repro.md
//	go run ./scripts/cases -mode correct      programs that are correct: failures plain and under chaos
//
// It compares in turn in one run and gives medians, because the machine may be shared. What cannot be built or is
// not there is in the table with the reason.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// options are how the script was called.
type options struct {
	cases, only, out, mode, heisen, temp string
	seeds, fixed, runs, jobs             int
	limit, budget                        time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.cases, "cases", "../shared/cases", "the folder of cases.tsv")
	flag.StringVar(&o.only, "only", "", "only these cases, or correct programs with one of these in their name, with commas between")
	flag.StringVar(&o.out, "out", "", "the page to write; by default docs/cases.md for the mode cases, docs/cases-repro.md for repro, else standard output")
	flag.StringVar(&o.mode, "mode", "cases", "cases, repro or correct")
	flag.IntVar(&o.seeds, "seeds", 3, "campaigns of each kind for each case, with the seeds 1, 2, ...")
	flag.DurationVar(&o.limit, "limit", 12*time.Second, "the longest campaign; a case takes at most 2 x seeds + 3 of them")
	flag.DurationVar(&o.budget, "budget", time.Minute, "for minimising and explaining one failure")
	flag.IntVar(&o.fixed, "fixed", 100, "attempts of each fixed side")
	flag.IntVar(&o.runs, "runs", 100, "attempts of each correct program, under chaos and, where one failed, plain")
	flag.IntVar(&o.jobs, "j", 0, "attempts at once; 0 for heisen's choice")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "cases:", err)
		os.Exit(1)
	}
}

func run(o options) (err error) {
	if o.temp, err = os.MkdirTemp("", "heisen-cases-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.temp)
	o.heisen = filepath.Join(o.temp, "heisen")
	if out, err := exec.Command("go", "build", "-o", o.heisen, "./cmd/heisen").CombinedOutput(); err != nil {
		return fmt.Errorf("build heisen: %w: %s", err, out)
	}
	var page string
	switch o.mode {
	case "cases":
		page, err = caseTable(o)
	case "repro":
		page, err = reproTable(o)
	case "correct":
		page, err = correctTable(o)
	default:
		return fmt.Errorf("-mode %s: there are cases, repro and correct", o.mode)
	}
	if err != nil {
		return err
	}
	switch {
	case o.out == "" && o.mode == "cases":
		o.out = "docs/cases.md"
	case o.out == "" && o.mode == "repro":
		o.out = "docs/cases-repro.md"
	case o.out == "":
		_, err = os.Stdout.WriteString(page)
		return err
	}
	return os.WriteFile(o.out, []byte(page), 0o644)
}

// testCase is one line of cases.tsv.
type testCase struct{ name, build, command, class, cause, plain string }

func readCases(o options) ([]testCase, error) {
	data, err := os.ReadFile(filepath.Join(o.cases, "cases.tsv"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is not here: get the cases, or name their folder with -cases", o.cases)
	}
	var list []testCase
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		f := strings.Split(line, "\t")
		if len(f) != 7 {
			return nil, fmt.Errorf("cases.tsv: %d columns in %q", len(f), line)
		}
		if o.only == "" || strings.Contains(","+o.only+",", ","+f[0]+",") {
			list = append(list, testCase{f[0], f[1], f[2], f[4], f[5], f[6]})
		}
	}
	return list, err
}

// make builds a case and returns its command, to be run in the folder of cases.
func (c testCase) make(o options) ([]string, error) {
	place := func(text string) []string { return strings.Fields(strings.ReplaceAll(text, "OUT", o.temp)) }
	if c.build != "-" {
		line := place(c.build)
		cmd := exec.Command(line[0], line[1:]...)
		cmd.Dir = o.cases
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("not built: %s", strings.SplitN(strings.TrimSpace(string(out)+" "+err.Error()), "\n", 2)[0])
		}
	}
	return place(c.command), nil
}

func caseTable(o options) (string, error) {
	head := fmt.Sprintf("# How soon the known cases fail\n\nWritten by `go run ./scripts/cases -seeds %d -limit %v -fixed %d` on %d CPUs, %s. Each case is hunted until its first failure, left\n"+
		"alone (`--chaos off`) and with `--chaos auto` in turn, with the same seeds; the figures are medians over the seeds, `>` where the median campaign found nothing in its time.\n"+
		"`found` is how many campaigns failed, `share` what failed of a campaign under `--chaos auto` that went on to the limit, its plain attempts and its disturbed ones apart. The fixed\n"+
		"side ran under `--chaos auto`; `harness` are attempts that heisen spoilt.\n\n"+
		"| case | class | plain: found | attempts | seconds | chaos: found | attempts | seconds | first by | share, plain | share, chaos | fixed side: failed of, harness |\n"+
		"| --- | --- | --- | ---: | ---: | --- | ---: | ---: | --- | --- | --- | --- |\n",
		o.seeds, o.limit, o.fixed, runtime.NumCPU(), time.Now().UTC().Format("2006-01-02"))
	return rows(o, head, testCase.row)
}

// rows is a page with a row for each case.
func rows(o options, head string, row func(testCase, options) string) (string, error) {
	list, err := readCases(o)
	if err != nil {
		return "", err
	}
	page := head
	for _, c := range list {
		fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format("15:04:05"), c.name)
		text := row(c, o)
		page += text
		fmt.Fprint(os.Stderr, text) // what is known is not lost where the rest is not waited for
	}
	return page, nil
}

func (c testCase) row(o options) string {
	line, err := c.make(o)
	if err != nil {
		return fmt.Sprintf("| %s | %s | skipped: %v | | | | | | | | | |\n", c.name, c.class, err)
	}
	var plain, chaos []hunt
	for seed := 1; seed <= o.seeds; seed++ {
		plain = append(plain, o.hunt(line, o.cases, "off", seed, "--until-fail", "--for", o.limit.String()))
		chaos = append(chaos, o.hunt(line, o.cases, "auto", seed, "--until-fail", "--for", o.limit.String()))
	}
	whole := o.hunt(line, o.cases, "auto", 1, "--for", o.limit.String())
	fixed := o.hunt(append(line, "fixed"), o.cases, "auto", 1, "--runs", fmt.Sprint(o.fixed), "--for", (2 * o.limit).String())
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %d of %d, %d |\n", c.name, c.class, cells(plain, o.limit), cells(chaos, o.limit), by(chaos), whole.plain, whole.chaos,
		fixed.failures, fixed.judged, fixed.harness)
}
