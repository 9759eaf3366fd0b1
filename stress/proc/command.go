package proc

import (
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
	shim    []string // put before the command where a limit needs it
}

func newRecipe(cfg Config, shim []string) recipe {
	base := merge(nil, cfg.Environ)
	base = merge(base, []string{CampaignVariable + "=" + cfg.Campaign})
	return recipe{command: cfg.Spec.Command, base: base, shim: shim}
}

// make expands the placeholders for one attempt.
func (r recipe) make(a run.Attempt) invocation {
	inv := invocation{
		path: a.Expand(r.command.Path),
		args: make([]string, 0, len(r.shim)+1+len(r.command.Args)),
		dir:  a.Expand(r.command.Dir),
		env:  merge(merge(r.base, a.Environ()), expand(a, r.command.Env)),
	}
	if len(r.shim) > 0 {
		inv.args = append(append(inv.args, r.shim...), inv.path)
		inv.path = r.shim[0]
	}
	for _, arg := range r.command.Args {
		inv.args = append(inv.args, a.Expand(arg))
	}
	return inv
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
