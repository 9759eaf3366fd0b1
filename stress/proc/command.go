package proc

import (
	"slices"
	"strings"

	"heisen/stress/run"
)

// invocation is what is executed for one attempt.
type invocation struct {
	path string
	args []string
	dir  string
	env  []string
}

// recipe makes invocations. What is the same for all attempts is worked out once.
type recipe struct {
	command run.Command
	base    []string // NAME=value, no duplicates, without the names every attempt sets anew
	told    []string // the same for attempts that are given a file for events
	shim    []string // put before the command where a limit needs it
}

func newRecipe(cfg Config, shim []string) recipe {
	base := merge(nil, cfg.Environ)
	base = merge(base, []string{CampaignVariable + "=" + cfg.Campaign})
	return recipe{command: cfg.Spec.Command, shim: shim,
		base: without(base, run.Attempt{}.Environ()), told: without(base, run.Attempt{Events: "any"}.Environ())}
}

// without is env less the names that own has.
func without(env, own []string) []string {
	all := merge(env, own)
	return slices.Clip(all[:len(all)-len(own)])
}

// make expands the placeholders for one attempt.
func (r recipe) make(a run.Attempt) invocation {
	command := r.command
	if a.Instead != nil {
		command = *a.Instead
	}
	inv := invocation{
		path: a.Expand(command.Path),
		args: make([]string, 0, len(command.Args)),
		dir:  a.Expand(command.Dir),
		env:  r.base,
	}
	if a.Events != "" {
		inv.env = r.told
	}
	inv.env = slices.Concat(inv.env, a.Environ())
	if len(command.Env)+len(a.Env) > 0 {
		inv.env = merge(merge(inv.env, expand(a, command.Env)), a.Env)
	}
	for _, arg := range command.Args {
		inv.args = append(inv.args, a.Expand(arg))
	}
	// The limit is outermost, so that it holds for what wraps the test as well.
	inv.wrap(a.Wrap)
	inv.wrap(r.shim)
	return inv
}

// wrap puts a command line, which begins with its own path, before what is executed: it is given the path and
// the argv of that.
func (inv *invocation) wrap(before []string) {
	if len(before) == 0 {
		return
	}
	inv.args = slices.Concat(before, []string{inv.path}, inv.args)
	inv.path = before[0]
}

// expand replaces placeholders in the values only: a name is what it is.
func expand(a run.Attempt, env []string) []string {
	out := make([]string, len(env))
	for i, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		out[i] = name + "=" + a.Expand(value)
	}
	return out
}

// merge returns base and then over, each name once with its last value; base is left as it is. Entries
// that are no NAME=value are dropped: execve(2) would pass them on and getenv(3) never find them.
func merge(base, over []string) []string {
	last := make(map[string]int, len(over))
	for i, entry := range over {
		if name, _, ok := strings.Cut(entry, "="); ok && name != "" {
			last[name] = i
		}
	}
	out := make([]string, 0, len(base)+len(last))
	for _, entry := range base {
		name, _, _ := strings.Cut(entry, "=")
		if _, replaced := last[name]; !replaced {
			out = append(out, entry)
		}
	}
	for i, entry := range over {
		name, _, ok := strings.Cut(entry, "=")
		if at, kept := last[name]; ok && kept && at == i {
			out = append(out, entry)
		}
	}
	return out
}
