package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// replayed is what is read of a replay's JSON.
type replayed struct {
	replays
	Strategy    string `json:"strategy"`
	Decisions   int    `json:"decisions"`
	Recorded    int    `json:"decisions_recorded"`
	Explanation string `json:"explanation"`
	Minimized   *struct {
		Verdict string `json:"verdict"`
		replays
	} `json:"minimized"`
}

type replays struct {
	Reproduced int64 `json:"reproduced"`
	Attempts   int64 `json:"attempts"`
}

func (r replays) String() string {
	return share{Failures: r.Reproduced, Attempts: r.Attempts}.String()
}

// reproTable hunts each case, and has the bundle that heisen names first replayed, minimised and explained.
func reproTable(o options) (string, error) {
	head := fmt.Sprintf("# How the known cases come back\n\nWritten by `go run ./scripts/cases -mode repro -limit %v -budget %v` on %d CPUs, %s. Each case is hunted with `--chaos auto --seed 1`; the\n"+
		"bundle that the summary names for an explanation, or else the first, is replayed 20 times, and `heisen repro --explain` has the budget to minimise and explain it. `before` is the whole\n"+
		"plan, `after` fresh attempts of what was left, where the budget reached so far; `left` are its holds. The known cause stands beside the explanation, so that a reader can tell whether it is right.\n\n"+
		"| case | class | strategy | before | after | holds: recorded | left | seconds | known cause | explanation |\n"+
		"| --- | --- | --- | --- | --- | ---: | ---: | ---: | --- | --- |\n",
		o.limit, o.budget, runtime.NumCPU(), time.Now().UTC().Format("2006-01-02"))
	return rows(o, head, testCase.reproRow)
}

func (c testCase) reproRow(o options) string {
	none := func(why string) string {
		return fmt.Sprintf("| %s | %s | %s | | | | | | %s | |\n", c.name, c.class, why, c.cause)
	}
	line, err := c.make(o)
	if err != nil {
		return none("skipped: " + err.Error())
	}
	where := filepath.Join(o.temp, "campaigns")
	defer os.RemoveAll(where)
	args := []string{"hunt", "--dir", where, "--chaos", "auto", "--seed", "1", "--for", o.limit.String(), "--"}
	hunt := exec.Command(o.heisen, append(args, line...)...)
	hunt.Dir = o.cases
	_ = hunt.Run() // what came of it is in its figures
	bundle, err := o.bundle(where)
	if err != nil {
		return none("no figures: " + err.Error())
	}
	if bundle == "" {
		return none(fmt.Sprintf("no failure in %v", o.limit))
	}
	began := time.Now()
	again := exec.Command(o.heisen, "repro", "--dir", where, "--explain", "--budget", o.budget.String(), "--json", bundle)
	again.Dir = o.cases
	text, _ := again.Output() // the exit code says whether it came back; the figures say more
	var r replayed
	if err := json.Unmarshal(text, &r); err != nil {
		return none("no figures: " + err.Error())
	}
	after := "-"
	if r.Minimized != nil && r.Minimized.Attempts > 0 {
		after = r.Minimized.String()
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %d | %d | %.0f | %s | %s |\n", c.name, c.class, r.Strategy, r.replays, after, r.Recorded, r.Decisions,
		time.Since(began).Seconds(), c.cause, o.portable(r.Explanation))
}

// portable is a text as it stands in a page: without the folder in which this machine has the cases, and without the
// place of another bundle, which is gone by then.
func (o options) portable(text string) string {
	text, _, _ = strings.Cut(text, "; another attempt failed so ")
	if folder, err := filepath.Abs(o.cases); err == nil {
		text = strings.ReplaceAll(text, folder+"/", "")
	}
	return strings.ReplaceAll(text, "|", "/")
}

// bundle is the one to explain, or else the first of the most frequent failure.
func (o options) bundle(where string) (string, error) {
	text, err := exec.Command(o.heisen, "show", "--dir", where, "--json", "last").Output()
	if err != nil {
		return "", err
	}
	var f struct {
		Explain    string `json:"explain"`
		Signatures []struct {
			Bundles []string `json:"bundles"`
		} `json:"signatures"`
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return "", err
	}
	if f.Explain == "" && len(f.Signatures) > 0 && len(f.Signatures[0].Bundles) > 0 {
		return f.Signatures[0].Bundles[0], nil
	}
	return f.Explain, nil
}
