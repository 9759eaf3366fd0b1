package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// command is what is run many times.
type command struct {
	Name string   `json:"name"`
	Args []string `json:"args"`
	// Millis is how long one run alone takes here, the fastest of seven.
	Millis float64 `json:"alone_ms"`
}

// tool is one way of running a command many times.
type tool struct {
	name string
	// argv builds the command line for runs attempts, width of them at once.
	argv func(c command, width, runs int) []string
	// check proves that the attempts were made; nil where the exit code is all there is.
	check func(runs int) error
	// clean makes room for the next measurement; it may be nil.
	clean func()
}

// tools lists what can be measured here, and why what is missing is missing.
func tools(o options, temp string) (list []tool, skipped map[string]string) {
	skipped = map[string]string{}
	add := func(name, path string, t tool) {
		if path == "" {
			skipped[name] = "not built"
			return
		}
		t.name = name
		list = append(list, t)
	}
	add("heisen", o.heisen, heisen(o.heisen, filepath.Join(temp, "campaigns")))
	add("x/tools stress", o.stress, tool{argv: func(c command, width, runs int) []string {
		return append([]string{o.stress, "-p", strconv.Itoa(width), "-count", strconv.Itoa(runs),
			"-o", filepath.Join(temp, "stress-")}, c.Args...)
	}})
	parallel, err := gnuParallel()
	if err != nil {
		skipped["GNU parallel"] = err.Error()
	} else {
		add("GNU parallel", parallel, tool{argv: func(c command, width, runs int) []string {
			// exec, so that the process measured is parallel itself.
			return []string{"/bin/bash", "-c", `exec "$0" --will-cite -N0 -j "$1" "$3" < <(seq "$2")`,
				parallel, strconv.Itoa(width), strconv.Itoa(runs), shellQuote(c.Args)}
		}})
	}
	add("bare posix_spawn", o.spawn, tool{argv: func(c command, width, runs int) []string {
		return append([]string{o.spawn, strconv.Itoa(width), strconv.Itoa(runs)}, c.Args...)
	}})
	return list, skipped
}

// heisen runs a campaign with everything on (journal, capture, supervision) in a folder of its own, and
// asks it afterwards how many attempts it counted.
func heisen(path, dir string) tool {
	return tool{
		argv: func(c command, width, runs int) []string {
			return append([]string{path, "hunt", "-j", strconv.Itoa(width), "--runs", strconv.Itoa(runs), "--dir", dir, "--"}, c.Args...)
		},
		check: func(runs int) error {
			out, err := exec.Command(path, "show", "last", "--json", "--dir", dir).Output()
			if err != nil {
				return fmt.Errorf("show the campaign: %w", err)
			}
			var shown struct {
				Attempts struct{ Total, Pass int }
			}
			if err := json.Unmarshal(out, &shown); err != nil {
				return fmt.Errorf("read the campaign: %w", err)
			}
			if shown.Attempts.Total != runs || shown.Attempts.Pass != runs {
				return fmt.Errorf("%d attempts, %d passed, of %d", shown.Attempts.Total, shown.Attempts.Pass, runs)
			}
			return nil
		},
		clean: func() { os.RemoveAll(dir) },
	}
}

// measure runs the tool once and checks that it did what it was asked.
func (t tool) measure(c command, width, runs int) (figures, error) {
	if t.clean != nil {
		defer t.clean()
	}
	raw, err := measured(t.argv(c, width, runs))
	if err == nil && t.check != nil {
		err = t.check(runs)
	}
	if err != nil {
		return figures{}, fmt.Errorf("%s, %s -j%d: %w", t.name, c.Name, width, err)
	}
	return raw.figures(runs), nil
}

// gnuParallel finds GNU parallel; moreutils has another program of that name.
func gnuParallel() (string, error) {
	path, err := exec.LookPath("parallel")
	if err != nil {
		return "", fmt.Errorf("not installed: apt-get install parallel")
	}
	out, err := exec.Command(path, "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "GNU parallel") {
		return "", fmt.Errorf("%s is not GNU parallel", path)
	}
	return path, nil
}

func shellQuote(args []string) string {
	var quoted []string
	for _, a := range args {
		quoted = append(quoted, "'"+strings.ReplaceAll(a, "'", `'\''`)+"'")
	}
	return strings.Join(quoted, " ")
}

// imports are ever larger starts of a Python program; the one nearest to 50 ms on this machine is measured.
var imports = []string{
	"pass",
	"import unittest",
	"import unittest, json",
	"import unittest, json, asyncio",
	"import unittest, json, asyncio, http.server, multiprocessing.pool",
}

const pythonTarget = 50 * time.Millisecond

// commands are what is run: the smallest program there is and a small real start. A python3 that is a
// shell script around the real one (pyenv) is resolved first: it would measure the shell.
func commands() ([]command, error) {
	all := []command{{Name: "/bin/true", Args: []string{"/bin/true"}}}
	alone, err := timeAlone(all[0].Args)
	if err != nil {
		return nil, err
	}
	all[0].Millis = millis(alone)
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return nil, fmt.Errorf("find python3: %w: install it, it is one of the two commands measured", err)
	}
	best := command{}
	miss := math.Inf(1)
	for _, text := range imports {
		args := []string{strings.TrimSpace(string(out)), "-c", text}
		alone, err := timeAlone(args)
		if err != nil {
			return nil, err
		}
		if d := math.Abs(float64(alone - pythonTarget)); d < miss {
			miss, best = d, command{Name: "python3 -c '" + text + "'", Args: args, Millis: millis(alone)}
		}
	}
	return append(all, best), nil
}

// timeAlone is the fastest of seven runs, one at a time, after one that warms the caches: a busy machine
// only ever adds to it.
func timeAlone(args []string) (time.Duration, error) {
	var times []float64
	for i := range 8 {
		began := time.Now()
		if err := exec.Command(args[0], args[1:]...).Run(); err != nil {
			return 0, fmt.Errorf("run %s: %w", strings.Join(args, " "), err)
		}
		if i > 0 {
			times = append(times, float64(time.Since(began)))
		}
	}
	return time.Duration(slices.Min(times)), nil
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
