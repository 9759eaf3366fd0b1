package golang

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Level says how deep heisen reaches into a version's runtime.
type Level int

// The levels, the deepest last.
const (
	// Knobs are environment variables alone.
	Knobs Level = iota
	// Queues is a runtime whose run queues are shuffled, and no more.
	Queues
	// Hooks is a runtime with decisions.
	Hooks
)

// Overlay tells what became of the second binary.
type Overlay struct {
	Level  Level
	Hooked []string
	// Failed maps what could not be put into this version's runtime to why.
	Failed map[string]string
	// Why says why the level is not Hooks.
	Why string
}

// String is one line for the user; "" where there is nothing to tell.
func (o Overlay) String() string {
	switch {
	case o.Level == Knobs:
		return "the Go runtime is left as it is (" + o.Why + "): only GOMAXPROCS, GOGC and GODEBUG are varied"
	case o.Level == Queues:
		return "no hooks in this Go runtime (" + o.Why + "): its run queues are shuffled, and nothing else"
	case len(o.Failed) > 0:
		var all []string
		for _, name := range slices.Sorted(maps.Keys(o.Failed)) {
			all = append(all, name+" ("+o.Failed[name]+")")
		}
		return "hooks left out of this Go runtime: " + strings.Join(all, ", ")
	}
	return ""
}

// supported are the systems whose runtime takes hooks: they need open, fcntl and frame pointers.
func (b *builder) supported() string {
	if b.tool.GOOS != "linux" || b.tool.GOARCH != "amd64" && b.tool.GOARCH != "arm64" {
		return "there are hooks for linux/amd64 and linux/arm64 only, not " + b.tool.GOOS + "/" + b.tool.GOARCH
	}
	for _, w := range b.cmd.Build {
		if f, _ := cutFlag(w); f.name == "compiler" && f.value != "gc" {
			return "-compiler=" + f.value + " has another runtime"
		}
	}
	return ""
}

// overlaid builds the second binaries, as deep as this version allows; nil if not at all. Out tells.
func (b *builder) overlaid(ctx context.Context, pkgs []goPackage, out *Built) []string {
	if why := b.supported(); why != "" {
		out.Overlay = Overlay{Why: why}
		return nil
	}
	b, err := b.replaceable()
	if err != nil {
		out.Overlay = Overlay{Why: firstLine(err)}
		return nil
	}
	paths, err := b.hooked(ctx, pkgs, out)
	if err == nil {
		return paths
	}
	why := firstLine(err)
	patched, err := QueuesOnly(b.tool.GOROOT, b.tool.GOARCH)
	if err == nil {
		if paths, err = b.over(ctx, pkgs, patched); err == nil {
			out.Overlay = Overlay{Level: Queues, Why: why}
			return paths
		}
	}
	out.Overlay = Overlay{Why: why}
	return nil
}

// hooked builds with all hooks, and without those of a package that does not compile with them.
func (b *builder) hooked(ctx context.Context, pkgs []goPackage, out *Built) ([]string, error) {
	left := map[string]bool{}
	for {
		patched, err := Patch(b.tool.GOROOT, b.tool.GOARCH, func(name string) bool { return left[name[:strings.IndexByte(name, '.')]] })
		if err != nil {
			return nil, err
		}
		overlay, err := b.write(patched)
		if err != nil {
			return nil, err
		}
		if err = b.selfTest(ctx, overlay, patched); err == nil {
			paths, err := b.compile(ctx, pkgs, overlay)
			out.Overlay = Overlay{Level: Hooks, Hooked: patched.Hooked, Failed: patched.Failed}
			return paths, err
		}
		if !blame(err, left) {
			return nil, err
		}
	}
}

// blame finds the hooked package that did not compile; false if it is not known or was left out already.
func blame(err error, left map[string]bool) bool {
	var failed *GoError
	if !errors.As(err, &failed) {
		return false
	}
	for _, pkg := range []string{"sync/atomic", "sync", "runtime"} {
		if strings.Contains(failed.Output, "# "+pkg+"\n") && !left[pkg] {
			left[pkg] = true
			return true
		}
	}
	return false
}

func (b *builder) over(ctx context.Context, pkgs []goPackage, p Patched) ([]string, error) {
	overlay, err := b.write(p)
	if err != nil {
		return nil, err
	}
	return b.compile(ctx, pkgs, overlay)
}

// write puts the patched files into the cache and gives the file for -overlay. The user's own overlay is
// taken in.
func (b *builder) write(p Patched) (string, error) {
	replace, err := b.userOverlay()
	if err != nil {
		return "", err
	}
	names := slices.Sorted(maps.Keys(p.Files))
	parts := []string{b.tool.GOROOT}
	for _, n := range names {
		parts = append(parts, n, string(p.Files[n]))
	}
	for _, n := range slices.Sorted(maps.Keys(replace)) {
		parts = append(parts, n, replace[n])
	}
	dir := filepath.Join(b.Cache, "overlay", b.tool.GOVERSION+"-"+digest(parts...))
	for _, n := range names {
		target := filepath.Join(dir, filepath.FromSlash(n))
		if err := put(target, p.Files[n]); err != nil {
			return "", err
		}
		replace[filepath.Join(b.tool.GOROOT, filepath.FromSlash(n))] = target
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, put(name, text)
}

// userOverlay reads what the user's own -overlay says; relative names are meant from where go runs.
func (b *builder) userOverlay() (map[string]string, error) {
	replace := map[string]string{}
	for _, w := range b.cmd.Build {
		f, _ := cutFlag(w)
		if f.name != "overlay" || f.value == "" {
			continue
		}
		if err := readOverlay(b.dir, f.value, replace); err != nil {
			return nil, fmt.Errorf("read -overlay=%s: %w: check the file", f.value, err)
		}
	}
	return replace, nil
}

func firstLine(err error) string {
	var failed *GoError
	text := err.Error()
	if errors.As(err, &failed) {
		for line := range strings.Lines(failed.Output) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				return line
			}
		}
	}
	text, _, _ = strings.Cut(text, "\n")
	return text
}
