package golang

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Config says where and with what to build.
type Config struct {
	// Cache keeps binaries and overlays from one campaign to the next.
	Cache string
	// Dir is the folder the user's command was given in, Environ its environment.
	Dir     string
	Environ []string
	// Chaos asks for the second binary.
	Chaos bool
	// Leaks makes every attempt fail that leaves goroutines behind, plain ones as well: they run the
	// overlaid binary then, with everything else switched off.
	Leaks bool
}

// Target is one program to run many times: one per package.
type Target struct {
	// Package is its import path, Dir the folder it runs in, Argv and Env what it is run with. Env is added to
	// the attempt's.
	Package string
	Dir     string
	Argv    []string
	Env     []string
	// Chaos is Argv with the overlaid binary; nil where there is none.
	Chaos []string
}

// Built is a command made ready.
type Built struct {
	Targets []Target
	// Version is the user's Go.
	Version string
	// Untested are packages without test files, which have nothing to run.
	Untested []string
	Overlay  Overlay
	// Took is how long building took, of the plain binaries and of the overlaid ones.
	Took, TookChaos time.Duration
}

// toolchain is the user's Go, as go env tells of it in the command's folder.
type toolchain struct {
	GOROOT, GOVERSION, GOARCH, GOOS, GOFLAGS, GOMODCACHE string
}

// builder makes one command ready.
type builder struct {
	Config
	cmd  Command
	dir  string // where the go command runs, -C followed
	tool toolchain
}

// Build makes the binaries of a go test or go run. An error is the user's to mend, and ends as go's own
// output does; that the second binary cannot be built is none, and is told in Overlay.
func Build(ctx context.Context, cmd Command, cfg Config) (*Built, error) {
	if cmd.Kind != GoTest && cmd.Kind != GoRun {
		return nil, errors.New("build a Go program: the command is neither go test nor go run")
	}
	b := &builder{Config: cfg, cmd: cmd, dir: filepath.Join(cfg.Dir, cmd.Chdir)}
	if filepath.IsAbs(cmd.Chdir) {
		b.dir = cmd.Chdir
	}
	if err := b.probe(ctx); err != nil {
		return nil, err
	}
	pkgs, out, err := b.packages(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	plain, err := b.compile(ctx, pkgs, "")
	if err != nil {
		return nil, err
	}
	out.Took = time.Since(began)
	var chaos []string
	if b.Chaos || b.Leaks {
		began = time.Now()
		chaos = b.overlaid(ctx, pkgs, out)
		out.TookChaos = time.Since(began)
	}
	for i, p := range pkgs {
		t := Target{Package: p.ImportPath, Dir: b.folder(p), Argv: b.argv(p, plain[i]), Env: b.environ(p)}
		if chaos != nil {
			t.Chaos = b.argv(p, chaos[i])
		}
		if b.Leaks && chaos != nil {
			t.Argv = t.Chaos
			t.Env = append(t.Env, Settings{Leaks: true}.Environ()...)
		}
		out.Targets = append(out.Targets, t)
	}
	return out, nil
}

func (b *builder) probe(ctx context.Context) error {
	text, err := b.goCommand(ctx, "env", "-json", "GOROOT", "GOVERSION", "GOARCH", "GOOS", "GOFLAGS", "GOMODCACHE")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &b.tool); err != nil {
		return fmt.Errorf("read what go env says: %w: run it by hand in %s", err, b.dir)
	}
	for _, w := range strings.Fields(b.tool.GOFLAGS) {
		f, ok := cutFlag(w)
		if ok && (testSwitches[f.name] || testValues[f.name]) && b.cmd.Kind == GoTest {
			b.cmd.Test = slices.Insert(b.cmd.Test, 1, f.forTest())
		}
	}
	return nil
}

// goCommand runs the user's go and gives its standard output; the error carries what it said.
func (b *builder) goCommand(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, b.cmd.Go, args...)
	cmd.Dir = b.dir
	cmd.Env = append(slices.Clone(b.Environ), "PWD="+b.dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, &GoError{Args: args, Output: stderr.String() + tail(stdout.String()), Err: err}
	}
	return stdout.Bytes(), nil
}

// GoError is a go command that failed, with what it said.
type GoError struct {
	Args   []string
	Output string
	Err    error
}

func (e *GoError) Error() string {
	return fmt.Sprintf("go %s: %v: mend what it says:\n%s", e.Args[0], e.Err, strings.TrimRight(e.Output, "\n"))
}

func (e *GoError) Unwrap() error { return e.Err }

// tail is the end of a long output, in whole lines.
func tail(s string) string {
	const most = 8 << 10
	if len(s) <= most {
		return s
	}
	s = s[len(s)-most:]
	return s[strings.IndexByte(s, '\n')+1:]
}

// goPackage is what go list tells of one.
type goPackage struct {
	ImportPath, Dir, Name     string
	TestGoFiles, XTestGoFiles []string
}

// packages finds what there is to build.
func (b *builder) packages(ctx context.Context) ([]goPackage, *Built, error) {
	out := &Built{Version: b.tool.GOVERSION}
	args := []string{"list", "-json=ImportPath,Dir,Name,TestGoFiles,XTestGoFiles"}
	for _, w := range b.cmd.Build {
		if f, _ := cutFlag(w); forList[f.name] {
			args = append(args, w)
		}
	}
	text, err := b.goCommand(ctx, append(args, b.cmd.Packages...)...)
	if err != nil {
		return nil, nil, err
	}
	var pkgs []goPackage
	for d := json.NewDecoder(bytes.NewReader(text)); d.More(); {
		var p goPackage
		if err := d.Decode(&p); err != nil {
			return nil, nil, fmt.Errorf("read what go list says: %w: run it by hand in %s", err, b.dir)
		}
		if b.cmd.Kind == GoTest && len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
			out.Untested = append(out.Untested, p.ImportPath)
			continue
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) == 0 {
		return nil, nil, fmt.Errorf("go %s: no test files in %s: name packages that have tests",
			[]string{GoTest: "test", GoRun: "run"}[b.cmd.Kind], strings.Join(b.cmd.Packages, " "))
	}
	return pkgs, out, nil
}

// compile builds every package and gives the binaries' paths, by content: what a campaign runs never changes
// under it. overlay is a file for -overlay, "" for none.
func (b *builder) compile(ctx context.Context, pkgs []goPackage, overlay string) ([]string, error) {
	var paths []string
	for _, p := range pkgs {
		what := []string{p.ImportPath}
		if p.ImportPath == "command-line-arguments" || b.cmd.Kind == GoRun {
			what = b.cmd.Packages
		}
		path, err := b.compileOne(ctx, p.ImportPath, what, overlay)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func (b *builder) compileOne(ctx context.Context, pkg string, what []string, overlay string) (string, error) {
	slot := filepath.Join(b.Cache, "build", digest(append(append(b.identity(), overlay), what...)...))
	unlock, err := lockDir(slot)
	if err != nil {
		return "", err
	}
	defer unlock()
	args := []string{"build"}
	if b.cmd.Kind == GoTest {
		args = []string{"test", "-c"}
	}
	target := filepath.Join(slot, "program")
	args = append(append(args, b.buildFlags(overlay)...), "-o", target)
	if _, err := b.goCommand(ctx, append(args, what...)...); err != nil {
		return "", err
	}
	if b.cmd.Kind == GoRun {
		pkg = what[0]
	}
	return b.keep(target, pkg)
}

// buildFlags are the user's, with -overlay last.
func (b *builder) buildFlags(overlay string) []string {
	flags := slices.Clone(b.cmd.Build)
	if b.cmd.Kind == GoRun {
		flags = slices.DeleteFunc(flags, func(w string) bool { return strings.HasPrefix(w, "-vet=") })
	}
	if overlay != "" {
		flags = slices.DeleteFunc(flags, func(w string) bool { return strings.HasPrefix(w, "-overlay=") })
		flags = append(flags, "-overlay="+overlay)
		if b.cmd.Kind == GoTest {
			flags = append(flags, "-vet=off") // the plain build has seen to that
		}
	}
	return flags
}

// identity is what tells one build from another, beside the sources, which are go's to look at.
func (b *builder) identity() []string {
	return append([]string{b.dir, b.cmd.Go, b.tool.GOVERSION, b.tool.GOROOT, b.tool.GOFLAGS}, b.cmd.Build...)
}

// argv is the command line that runs a binary as go would.
func (b *builder) argv(p goPackage, binary string) []string {
	var argv []string
	if b.cmd.JSON {
		argv = []string{filepath.Join(b.tool.GOROOT, "bin", "go"), "tool", "test2json", "-t", "-p", p.ImportPath}
	}
	argv = append(append(argv, b.cmd.Exec...), binary)
	argv = append(argv, b.cmd.Test...)
	if b.cmd.profiles() {
		argv = append(argv, "-test.outputdir="+b.dir)
	}
	return append(argv, b.cmd.Args...)
}

// folder is where it runs: a test in its package's folder, a program in the user's.
func (b *builder) folder(p goPackage) string {
	if b.cmd.Kind == GoTest {
		return p.Dir
	}
	return b.dir
}

// environ is what go test changes in a test's environment: PWD, and its own bin folder first in PATH.
func (b *builder) environ(p goPackage) []string {
	path := filepath.Join(b.tool.GOROOT, "bin")
	for _, e := range b.Environ {
		if v, ok := strings.CutPrefix(e, "PATH="); ok && v != "" {
			path = filepath.Join(b.tool.GOROOT, "bin") + string(os.PathListSeparator) + v
		}
	}
	return []string{"PWD=" + b.folder(p), "PATH=" + path}
}
