package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"heisen/stress/interleave/events"
	"heisen/stress/run"
	"heisen/stress/strain"
)

const (
	defaultGrace      = 5 * time.Second
	defaultPorts      = 16
	defaultKeep       = 20
	defaultKeepPasses = 20

	defaultKeepVariants = 50
	// mostJobs is beyond what any machine runs at once; a larger number is a slip of the finger.
	mostJobs = 100_000
)

// applyFlags writes what the command line says over base: everything for a new campaign, only what was
// given for a resumed one. A zero Width and Seed are for the caller to choose.
func applyFlags(c *cli.Context, base run.Spec, resumed bool) (run.Spec, error) {
	s, err := applySettings(c, base, resumed)
	if err == nil && (!resumed || c.Args().Present() || c.IsSet(flagEnv) || c.IsSet(flagChdir)) {
		err = applyCommand(c, &s, resumed)
	}
	return s, err
}

// applySettings is applyFlags without the command.
func applySettings(c *cli.Context, base run.Spec, resumed bool) (run.Spec, error) {
	s := base
	given := func(name string) bool { return !resumed || c.IsSet(name) }
	steps := []struct {
		flags []string
		apply func(*cli.Context, *run.Spec) error
	}{
		{[]string{flagJobs}, applyJobs},
		{[]string{flagRuns, flagFor, flagFailures, flagUntil}, applyStop},
		{[]string{flagTimeout}, applyTimeout},
		{[]string{flagDump}, applyDumpSignal},
		{[]string{flagGrace}, applyGrace},
		{[]string{flagFailOn, flagPassOn, flagIgnore}, applyOracle},
		{[]string{flagLimit}, applyLimits},
		{[]string{flagWeak}, applyWeak},
		{[]string{flagLoad}, applyLoad},
		{[]string{flagChaos}, applyChaos},
		{[]string{flagKnob}, applyKnobs},
		{[]string{flagMaxHold}, applyMaxHold},
		{[]string{flagBudget}, applyBudget},
		{[]string{flagPorts}, applyPorts},
		{[]string{flagKeep, flagPasses, flagVariants, flagOutput}, applyKeep},
		{[]string{flagSched}, applySched},
		{[]string{flagNoRamp}, func(c *cli.Context, s *run.Spec) error { s.Ramp = !c.Bool(flagNoRamp); return nil }},
		{[]string{flagNoSignals}, func(c *cli.Context, s *run.Spec) error { s.Signals = !c.Bool(flagNoSignals); return nil }},
		{[]string{flagMarker}, applyMarkers},
		{[]string{flagSeed}, func(c *cli.Context, s *run.Spec) error { s.Seed = c.Uint64(flagSeed); return nil }},
	}
	for _, step := range steps {
		if slices.ContainsFunc(step.flags, given) {
			if err := step.apply(c, &s); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

func applyJobs(c *cli.Context, s *run.Spec) error {
	n := c.Int(flagJobs)
	if c.IsSet(flagJobs) && (n < 1 || n > mostJobs) {
		return usagef("-j %d: give a number of attempts from 1 to %d", n, mostJobs)
	}
	s.Width = n
	return nil
}

func applyStop(c *cli.Context, s *run.Spec) error {
	for _, name := range []string{flagRuns, flagFailures} {
		if n := c.Int64(name); n < 0 || c.IsSet(name) && n == 0 {
			return usagef("--%s %d: give a number of at least 1", name, n)
		}
	}
	if d := c.Duration(flagFor); d < 0 || c.IsSet(flagFor) && d == 0 {
		return usagef("--for %v: give a time above zero, such as 10m", d)
	}
	if c.Bool(flagUntil) && c.IsSet(flagFailures) {
		return usagef("--until-fail is --failures 1: give one of the two")
	}
	s.Stop = run.Stop{Runs: c.Int64(flagRuns), For: c.Duration(flagFor), Failures: c.Int64(flagFailures)}
	if c.Bool(flagUntil) {
		s.Stop.Failures = 1
	}
	return nil
}

func applyTimeout(c *cli.Context, s *run.Spec) error {
	text := c.String(flagTimeout)
	if text == "auto" {
		s.Timeout.Fixed = 0
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return usagef("--timeout %q: give auto, or a time above zero such as 30s", text)
	}
	s.Timeout.Fixed = d
	return nil
}

func applyDumpSignal(c *cli.Context, s *run.Spec) error {
	name := strings.TrimPrefix(strings.ToUpper(c.String(flagDump)), "SIG")
	if name == "NONE" || name == "" {
		s.Timeout.DumpSignal = ""
		return nil
	}
	if !slices.Contains(dumpSignals, name) {
		return usagef("--dump-signal %q: give one of %s, or none", c.String(flagDump), strings.Join(dumpSignals, ", "))
	}
	s.Timeout.DumpSignal = name
	return nil
}

// dumpSignals are the signals that some runtime answers with a dump, or a test may handle itself.
var dumpSignals = []string{"QUIT", "ABRT", "USR1", "USR2", "INT", "TERM", "HUP", "ALRM", "TRAP", "SEGV"}

func applyGrace(c *cli.Context, s *run.Spec) error {
	if d := c.Duration(flagGrace); d < 0 {
		return usagef("--grace %v: give a time of zero or more, such as 5s", d)
	}
	s.Timeout.Grace = c.Duration(flagGrace)
	return nil
}

func applyOracle(c *cli.Context, s *run.Spec) error {
	o := run.Oracle{FailOn: c.StringSlice(flagFailOn), PassOn: c.StringSlice(flagPassOn), Ignore: c.StringSlice(flagIgnore)}
	if _, err := run.NewJudge(o); err != nil {
		return usageError{err}
	}
	s.Oracle = o
	return nil
}

func applyWeak(c *cli.Context, s *run.Spec) error {
	f := c.Float64(flagWeak)
	if c.IsSet(flagWeak) && !(f > 0 && f <= 1) {
		return usagef("--weak %v: give a fraction above 0 and at most 1, such as 0.25", f)
	}
	s.Limits.CPU = f
	return nil
}

func applyLoad(c *cli.Context, s *run.Spec) error {
	s.Load = ""
	if !c.IsSet(flagLoad) {
		return nil
	}
	load, err := strain.Parse(c.String(flagLoad))
	if err != nil {
		return usageError{err}
	}
	s.Load = load.String()
	return nil
}

func applyMarkers(c *cli.Context, s *run.Spec) error {
	s.Markers = c.StringSlice(flagMarker)
	if _, err := events.CompileMarkers(s.Markers); err != nil {
		return usageError{err}
	}
	return nil
}

func applyPorts(c *cli.Context, s *run.Spec) error {
	if n := c.Int(flagPorts); n < 0 || n > 1000 {
		return usagef("--ports %d: give a number from 0 to 1000", n)
	}
	s.Ports = c.Int(flagPorts)
	return nil
}

func applyKeep(c *cli.Context, s *run.Spec) error {
	for _, name := range []string{flagKeep, flagPasses, flagVariants} {
		if n := c.Int(name); n < 0 {
			return usagef("--%s %d: give a number of zero or more", name, n)
		}
	}
	size, err := parseSize(c.String(flagOutput))
	if err != nil || size < 4096 {
		return usagef("--%s %q: give a size of at least 4K, such as 1M", flagOutput, c.String(flagOutput))
	}
	s.Keep = run.Keep{Failures: c.Int(flagKeep), Passes: c.Int(flagPasses), Variants: c.Int(flagVariants), OutputBytes: size}
	return nil
}

// applyCommand resolves what is to be run, so that a mistake is told before anything is made.
func applyCommand(c *cli.Context, s *run.Spec, resumed bool) error {
	args := c.Args().Slice()
	if c.IsSet(flagAfter) {
		args = words(c.String(flagAfter))
	}
	switch {
	case len(args) == 0 && resumed:
		args = s.Command.Args
	case len(args) == 0:
		return usagef("no command to run: write it after the flags, as in heisen %s --runs 100 -- ./my.test", c.Command.Name)
	}
	dir, err := workingFolder(c, s.Command.Dir)
	if err != nil {
		return err
	}
	env, err := environment(c, s.Command.Env)
	if err != nil {
		return err
	}
	path, err := resolve(args[0], dir)
	if err != nil {
		return err
	}
	s.Command = run.Command{Args: args, Path: path, Dir: dir, Env: env}
	return nil
}

func workingFolder(c *cli.Context, recorded string) (string, error) {
	if !c.IsSet(flagChdir) && recorded != "" {
		return recorded, nil
	}
	dir := c.String(flagChdir)
	if strings.HasPrefix(dir, "{tmp}") {
		return dir, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the working folder: %w: go to a folder that exists", err)
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return "", usagef("--chdir %s: not a folder that can be entered", dir)
	}
	return abs, nil
}

func environment(c *cli.Context, recorded []string) ([]string, error) {
	if !c.IsSet(flagEnv) {
		return recorded, nil
	}
	for _, pair := range c.StringSlice(flagEnv) {
		if name, _, ok := strings.Cut(pair, "="); !ok || name == "" {
			return nil, usagef("--env %q: write NAME=VALUE", pair)
		}
	}
	return c.StringSlice(flagEnv), nil
}

// resolve finds the executable as a shell would: a bare name in PATH, anything else from the working
// folder.
func resolve(name, dir string) (string, error) {
	if strings.Contains(name, "{") {
		return name, nil // known only when an attempt starts
	}
	if strings.Contains(name, "/") && !filepath.IsAbs(name) && !strings.HasPrefix(dir, "{") {
		name = filepath.Join(dir, name)
	}
	path, err := exec.LookPath(name)
	switch {
	case err == nil || errors.Is(err, exec.ErrDot):
		return filepath.Abs(path)
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist):
		return "", usagef("command %q: not found: check the spelling, or give its path", name)
	case errors.Is(err, os.ErrPermission):
		return "", usagef("command %q: not executable: chmod +x it, or name its interpreter first", name)
	}
	return "", usagef("command %q: %w: give the path of a program", name, errors.Unwrap(err))
}

// applyLimits reads memory=SIZE,processes=N.
func applyLimits(c *cli.Context, s *run.Spec) error {
	s.Limits = run.Limits{CPU: s.Limits.CPU}
	if c.String(flagLimit) == "" {
		return nil
	}
	for _, part := range strings.Split(c.String(flagLimit), ",") {
		name, value, _ := strings.Cut(part, "=")
		n, err := parseSize(value)
		switch {
		case err != nil || n < 1:
			return usagef("--limit %q: write memory=SIZE,processes=N, such as memory=1G,processes=200", part)
		case name == "memory":
			s.Limits.MemoryBytes = n
		case name == "processes":
			s.Limits.Processes = n
		default:
			return usagef("--limit %q: only memory and processes can be limited", name)
		}
	}
	return nil
}

// parseSize reads a number of bytes: digits, then K, M, G or T for powers of 1024.
func parseSize(text string) (int64, error) {
	digits := strings.TrimRight(strings.ToUpper(text), "KMGTIB")
	unit := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(text)[len(digits):], "B"), "I")
	shift, ok := map[string]int{"": 0, "K": 10, "M": 20, "G": 30, "T": 40}[unit]
	var n int64
	if _, err := fmt.Sscanf(digits+"$", "%d$", &n); err != nil || !ok || n < 0 || n > 1<<(62-shift) {
		return 0, fmt.Errorf("read size %q: write digits and K, M, G or T", text)
	}
	return n << shift, nil
}
