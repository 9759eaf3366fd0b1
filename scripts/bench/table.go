package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
)

// cell is one tool with one command at one width.
type cell struct {
	Tool    string    `json:"tool"`
	Command string    `json:"command"`
	Width   int       `json:"width"`
	Runs    int       `json:"runs"`
	Rounds  []figures `json:"rounds"`
}

// spread is a median with its range.
type spread struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// ratio compares the rate of heisen with that of x/tools stress, round by round.
type ratio struct {
	Command string `json:"command"`
	Width   int    `json:"width"`
	spread
}

type facts struct {
	CPUs   int    `json:"cpus"`
	Model  string `json:"cpu_model"`
	Kernel string `json:"kernel"`
	Load   string `json:"load_before"`
}

type document struct {
	Facts    facts             `json:"machine"`
	Rounds   int               `json:"rounds"`
	Commands []command         `json:"commands"`
	Skipped  map[string]string `json:"skipped,omitempty"`
	Cells    []cell            `json:"cells"`
	Ratios   []ratio           `json:"heisen_to_stress,omitempty"`
}

// summarise finds median and range; the median of an even number is the mean of the middle two.
func summarise(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return spread{Median: (v[(n-1)/2] + v[n/2]) / 2, Low: v[0], High: v[n-1]}
}

func (c cell) over(of func(figures) float64) spread {
	var values []float64
	for _, f := range c.Rounds {
		values = append(values, of(f))
	}
	return summarise(values)
}

func rate(f figures) float64 { return f.Rate }

// ratios pairs the two tools' figures of the same round, which saw the same noise.
func ratios(cells []cell) []ratio {
	var all []ratio
	for _, a := range cells {
		for _, b := range cells {
			if a.Tool != "heisen" || b.Tool != "x/tools stress" || a.Command != b.Command || a.Width != b.Width {
				continue
			}
			var values []float64
			for i := range min(len(a.Rounds), len(b.Rounds)) {
				values = append(values, a.Rounds[i].Rate/b.Rounds[i].Rate)
			}
			all = append(all, ratio{a.Command, a.Width, summarise(values)})
		}
	}
	return all
}

// judge fails when any median ratio is below the least, or when there was nothing to compare.
func judge(all []ratio, least float64) error {
	if len(all) == 0 {
		return fmt.Errorf("judge: heisen and x/tools stress were not both measured")
	}
	var lost []string
	for _, r := range all {
		if r.Median < least {
			lost = append(lost, fmt.Sprintf("%s -j%d: %.2f", r.Command, r.Width, r.Median))
		}
	}
	if len(lost) > 0 {
		return fmt.Errorf("%w: below %.2f of its rate at %s", errJudged, least, strings.Join(lost, ", "))
	}
	return nil
}

func (d document) markdown(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%d CPUs (%s), Linux %s, load before %s; median of %d rounds [range]\n\n",
		d.Facts.CPUs, d.Facts.Model, d.Facts.Kernel, d.Facts.Load, d.Rounds)
	for _, c := range d.Commands {
		fmt.Fprintf(out, "- `%s` takes %.1f ms alone\n", c.Name, c.Millis)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Skipped)) {
		fmt.Fprintf(out, "- %s was not measured: %s\n", name, d.Skipped[name])
	}
	fmt.Fprint(out, "\n| command | -j | tool | runs | attempts/s | CPU ms/attempt | peak MiB |\n| --- | ---: | --- | ---: | ---: | ---: | ---: |\n")
	for _, c := range d.Cells {
		fmt.Fprintf(out, "| `%s` | %d | %s | %d | %s | %s | %s |\n", c.Command, c.Width, c.Tool, c.Runs,
			c.over(rate).text(0),
			c.over(func(f figures) float64 { return f.CPUMicros / 1000 }).text(2),
			c.over(func(f figures) float64 { return f.PeakMiB }).text(1))
	}
	if len(d.Ratios) > 0 {
		fmt.Fprint(out, "\n| command | -j | heisen / x/tools stress, attempts per second |\n| --- | ---: | ---: |\n")
	}
	for _, r := range d.Ratios {
		fmt.Fprintf(out, "| `%s` | %d | %s |\n", r.Command, r.Width, r.text(2))
	}
	return out.Flush()
}

func (s spread) text(digits int) string {
	return fmt.Sprintf("%.*f [%.*f–%.*f]", digits, s.Median, digits, s.Low, digits, s.High)
}

func (d document) save(path string) error {
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

func machineFacts() facts {
	f := facts{CPUs: runtime.NumCPU(), Model: "unknown", Kernel: firstWord("/proc/sys/kernel/osrelease"), Load: firstWord("/proc/loadavg")}
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			f.Model = strings.TrimSpace(value)
			break
		}
	}
	return f
}

func firstWord(path string) string {
	text, err := os.ReadFile(path)
	if fields := strings.Fields(string(text)); err == nil && len(fields) > 0 {
		return fields[0]
	}
	return "unknown"
}
