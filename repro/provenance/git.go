package provenance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Git is the state of the source a command ran in.
type Git struct {
	// Revision is the full hash of the commit that is checked out; empty before the first commit.
	Revision string `json:"revision,omitempty"`
	// Branch is empty where none is checked out (a detached head).
	Branch string `json:"branch,omitempty"`
	// Dirty tells that files git tracks differ from the revision. Files it does not track are not looked
	// at: a campaign's own folder would make every tree dirty.
	Dirty bool `json:"dirty"`
	// NotCollected says why there is nothing above; empty where there is.
	NotCollected string `json:"not_collected,omitempty"`
}

// gitTimeout bounds each run of git: a status on a cold network file system can take minutes.
const gitTimeout = 10 * time.Second

// ReadGit asks git about the work tree that dir lies in.
//
// The repository may be a stranger's, and git runs programs its configuration names. Each way to one is
// closed: the file system monitor, content filters (emptied by name, after a first call that only reads the
// configuration), hooks, pagers, lazy fetches and every transport, and status in submodules, which have
// configurations of their own.
func ReadGit(ctx context.Context, dir string) Git {
	path, err := exec.LookPath("git")
	if err != nil {
		return Git{NotCollected: "git is not installed"}
	}
	g := gitRunner{path: path, dir: dir}
	overrides, err := g.disarmFilters(ctx)
	if err != nil {
		return Git{NotCollected: err.Error()}
	}
	args := append(overrides, "status", "--porcelain=v2", "--branch", "-z",
		"--untracked-files=no", "--ignore-submodules=dirty")
	out, err := g.run(ctx, args...)
	if err != nil {
		return Git{NotCollected: err.Error()}
	}
	return parseStatus(out)
}

type gitRunner struct{ path, dir string }

func (g gitRunner) run(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	safe := []string{"--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"}
	cmd := exec.CommandContext(ctx, g.path, append(safe, args...)...)
	cmd.Dir = g.dir
	cmd.Env = gitEnviron()
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("git %s took longer than %v", args[len(args)-1], gitTimeout)
	}
	if err != nil {
		line, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		if line == "" {
			line = err.Error()
		}
		return stdout.Bytes(), fmt.Errorf("git: %s: %w", line, err)
	}
	return stdout.Bytes(), nil
}

// gitEnviron keeps the user's own configuration reachable (safe.directory lives there) and nothing else:
// an inherited GIT_DIR would answer for another repository.
func gitEnviron() []string {
	env := []string{
		"LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_PAGER=cat",
		"GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_NO_REPLACE_OBJECTS=1",
	}
	for _, name := range []string{"PATH", "HOME", "XDG_CONFIG_HOME"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// disarmFilters returns options that empty every content filter the configuration names. Reading the
// configuration executes nothing; git status would run a filter on any file that looks changed.
func (g gitRunner) disarmFilters(ctx context.Context) ([]string, error) {
	out, err := g.run(ctx, "config", "--includes", "--name-only", "-z", "--get-regexp", `^filter\.`)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil, nil // git-config(1): 1 is "the key was not found"
	}
	if err != nil {
		return nil, err
	}
	var overrides []string
	for key := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if strings.ContainsAny(key, "=\n") {
			// The -c option ends a key at the first equals sign, so this filter would stay armed.
			return nil, fmt.Errorf("git: the configuration names a filter %q that cannot be switched off", key)
		}
		value := ""
		if strings.HasSuffix(key, ".required") {
			value = "false"
		}
		overrides = append(overrides, "-c", key+"="+value)
	}
	return overrides, nil
}

// parseStatus reads the NUL-separated records of git-status(1), porcelain format 2.
func parseStatus(out []byte) Git {
	var g Git
	for record := range strings.SplitSeq(string(out), "\x00") {
		header, ok := strings.CutPrefix(record, "# branch.")
		switch name, value, _ := strings.Cut(header, " "); {
		case !ok && record != "" && !strings.HasPrefix(record, "#"):
			g.Dirty = true
		case ok && name == "oid" && value != "(initial)":
			g.Revision = value
		case ok && name == "head" && value != "(detached)":
			g.Branch = value
		}
	}
	return g
}
