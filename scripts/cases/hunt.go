package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// hunt is what one campaign came to.
type hunt struct {
	attempts, failures, judged, harness int64
	plain, chaos                        share // of attempts left alone, and of disturbed ones
	elapsed                             time.Duration
	strategy                            string // that failed first, "" for none
	titles                              string // of the signatures with their counts, each after a line break of the page
	problem                             string // why there are no figures
}

// figures is what is read of heisen's JSON.
type figures struct {
	Elapsed  float64          `json:"elapsed_seconds"`
	Attempts map[string]int64 `json:"attempts"`
	Chaos    *struct {
		Plain      *strategy  `json:"plain"`
		Strategies []strategy `json:"strategies"`
	} `json:"chaos"`
	Signatures []struct {
		Title string `json:"title"`
		Count int64  `json:"count"`
	} `json:"signatures"`
}

type strategy struct {
	Name  string `json:"name"`
	First int64  `json:"first_failure"`
	Rate  share  `json:"rate"`
}

// share is how many of some attempts failed.
type share struct {
	Failures int64 `json:"failures"`
	Attempts int64 `json:"attempts"`
}

func (s share) String() string {
	if s.Attempts == 0 {
		return "none"
	}
	return fmt.Sprintf("%d of %d (%.3g %%)", s.Failures, s.Attempts, 100*float64(s.Failures)/float64(s.Attempts))
}

// hunt runs one campaign in a folder of its own and reads its figures.
func (o options) hunt(command []string, dir, chaos string, seed int, rules ...string) (h hunt) {
	where := filepath.Join(o.temp, "campaigns")
	defer os.RemoveAll(where)
	args := append([]string{"hunt", "--dir", where, "--chaos", chaos, "--seed", fmt.Sprint(seed), "--dump-signal", "none", "--grace", "1s"}, rules...)
	if o.jobs > 0 {
		args = append(args, "-j", fmt.Sprint(o.jobs))
	}
	cmd := exec.Command(o.heisen, append(append(args, "--"), command...)...)
	cmd.Dir = dir
	output, _ := cmd.CombinedOutput() // the exit code says whether it failed; the figures say more
	text, err := exec.Command(o.heisen, "show", "--dir", where, "--json", "last").Output()
	var f figures
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(output)), "\n")
		h.problem = lines[len(lines)-1]
		return h
	}
	a := f.Attempts
	h.failures = a["fail"] + a["crash"] + a["timeout"]
	h.judged, h.harness = h.failures+a["pass"], a["harness_error"]
	h.attempts = a["total"] - a["cancelled"]
	h.elapsed = time.Duration(f.Elapsed * float64(time.Second))
	h.strategy = f.first()
	for _, s := range f.Signatures {
		h.titles += fmt.Sprintf("<br>%d: %s", s.Count, strings.ReplaceAll(s.Title, "|", `\|`))
	}
	if f.Chaos != nil {
		if f.Chaos.Plain != nil {
			h.plain = f.Chaos.Plain.Rate
		}
		for _, s := range f.Chaos.Strategies {
			h.chaos.Failures, h.chaos.Attempts = h.chaos.Failures+s.Rate.Failures, h.chaos.Attempts+s.Rate.Attempts
		}
	}
	return h
}

// first names the strategy of the earliest failing attempt.
func (f figures) first() string {
	if f.Chaos == nil {
		return ""
	}
	all := f.Chaos.Strategies
	if f.Chaos.Plain != nil {
		all = append(all, *f.Chaos.Plain)
	}
	all = slices.DeleteFunc(all, func(s strategy) bool { return s.First == 0 })
	if len(all) == 0 {
		return ""
	}
	return slices.MinFunc(all, func(a, b strategy) int { return int(a.First - b.First) }).Name
}

// cells are "found | attempts | seconds" of several campaigns that end with their first failure.
func cells(hunts []hunt, limit time.Duration) string {
	found := 0
	for _, h := range hunts {
		if h.problem != "" {
			return "no figures: " + h.problem + " | | "
		}
		if h.failures > 0 {
			found++
		}
	}
	// One that found nothing is longer than any that did.
	sorted := slices.Clone(hunts)
	slices.SortFunc(sorted, func(a, b hunt) int {
		if (a.failures > 0) != (b.failures > 0) {
			return map[bool]int{true: -1, false: 1}[a.failures > 0]
		}
		return int(a.elapsed - b.elapsed)
	})
	mid := sorted[len(sorted)/2]
	attempts := fmt.Sprint(mid.attempts)
	seconds := fmt.Sprintf("%.2g", mid.elapsed.Seconds())
	if mid.failures == 0 {
		attempts, seconds = "> "+attempts, fmt.Sprintf("> %.2g", limit.Seconds())
	}
	return fmt.Sprintf("%d of %d | %s | %s", found, len(hunts), attempts, seconds)
}

// by counts which strategies brought the first failures.
func by(hunts []hunt) string {
	var names []string
	for _, h := range hunts {
		if h.strategy != "" {
			names = append(names, h.strategy)
		}
	}
	if len(names) == 0 {
		return "-"
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
