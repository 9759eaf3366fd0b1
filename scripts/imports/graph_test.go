package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// pkg is what the rules need of `go list -json`: a package without its tests.
type pkg struct {
	ImportPath string
	Name       string
	Standard   bool
	Imports    []string
}

// graph maps import paths to packages, ours and what they depend on.
type graph map[string]pkg

// list reads the packages under dir for one system; files for another system do not count there.
func list(dir, goos string) (graph, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Name,Standard,Imports", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages for %s: %w: %s", goos, err, stderr.String())
	}
	g := graph{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return g, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read packages for %s: %w", goos, err)
		}
		g[p.ImportPath] = p
	}
}

// violations checks every rule and returns one sentence for each import that breaks it, sorted.
func (g graph) violations(rules []rule) []string {
	var found []string
	for _, r := range rules {
		for path := range g {
			if !g.matches(path, r.from) || g.matches(path, r.except) {
				continue
			}
			for _, bad := range g.broken(r, path) {
				found = append(found, fmt.Sprintf("%s imports %s: %s", path, bad, r.reason))
			}
		}
	}
	slices.Sort(found)
	return found
}

// broken lists what one package imports against a rule.
func (g graph) broken(r rule, path string) []string {
	reached := g[path].Imports
	if r.through {
		reached = g.reach(path)
	}
	var bad []string
	for _, to := range reached {
		allowed := g.matches(to, r.but) || r.sameRoom && room(to) == room(path)
		if g.matches(to, r.never) && !allowed {
			bad = append(bad, to)
		}
	}
	return bad
}

// reach lists everything a package imports, directly or through packages of ours.
func (g graph) reach(path string) []string {
	seen := map[string]bool{path: true}
	for queue := []string{path}; len(queue) > 0; queue = queue[1:] {
		for _, to := range g[queue[0]].Imports {
			if !seen[to] {
				seen[to] = true
				if ours(to) {
					queue = append(queue, to)
				}
			}
		}
	}
	delete(seen, path)
	var all []string
	for to := range seen {
		all = append(all, to)
	}
	return all
}

func (g graph) matches(path string, patterns []string) bool {
	for _, p := range patterns {
		below, tree := strings.CutSuffix(p, "/...")
		switch {
		case p == "all", p == path, p == "std" && g[path].Standard:
			return true
		case tree && (path == below || strings.HasPrefix(path, below+"/")):
			return true
		}
	}
	return false
}

// misnamed lists packages of ours whose name, or folder, says nothing.
func (g graph) misnamed() []string {
	var found []string
	for path, p := range g {
		last := path[strings.LastIndex(path, "/")+1:]
		if ours(path) && (slices.Contains(badNames, p.Name) || slices.Contains(badNames, last)) {
			found = append(found, path)
		}
	}
	slices.Sort(found)
	return found
}

func ours(path string) bool { return path == "heisen" || strings.HasPrefix(path, "heisen/") }

// room is the first two folders of a path: heisen/stress/proc for heisen/stress/proc/guard.
func room(path string) string {
	parts := strings.Split(path, "/")
	return strings.Join(parts[:min(len(parts), 3)], "/")
}
