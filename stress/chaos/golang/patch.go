package golang

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed inside
var inside embed.FS

// Patched is the runtime of one version of Go with heisen's calls in it: what -overlay puts over GOROOT.
type Patched struct {
	// Files maps a file's path below GOROOT to its text. Files that GOROOT does not have are among them.
	Files map[string][]byte
	// Hooked are the kinds of operations that goroutines can be held at.
	Hooked []string
	// Failed maps what could not be put in to why.
	Failed map[string]string
}

// patcher reads a GOROOT and collects edits.
type patcher struct {
	root    string
	arch    string
	skip    func(name string) bool
	sources map[string][]*source // by package
	out     Patched
}

// ErrRuntime says that this version's runtime cannot carry hooks at all.
var ErrRuntime = errors.New("the runtime of this version of Go has another shape than heisen knows")

// Patch puts the hooks into the runtime under root, for an architecture, but those for which skip is true (nil skips none). A hook
// that finds no place is told in Failed; without the few that all others need it returns ErrRuntime.
func Patch(root, arch string, skip func(name string) bool) (Patched, error) {
	p := &patcher{root: root, arch: arch, skip: skip, sources: map[string][]*source{},
		out: Patched{Files: map[string][]byte{}, Failed: map[string]string{}}}
	bubble, err := p.core()
	if err != nil {
		return Patched{}, fmt.Errorf("%w: %w", ErrRuntime, err)
	}
	p.queues()
	p.orders()
	for _, h := range hooks {
		p.hook(h)
	}
	if err := p.add(bubble); err != nil {
		return Patched{}, err
	}
	p.collect()
	return p.out, nil
}

// QueuesOnly is the smallest patch: run queues are shuffled as under -race, and nothing else. It is for a
// version whose runtime takes no hooks.
func QueuesOnly(root, arch string) (Patched, error) {
	p := &patcher{root: root, arch: arch, sources: map[string][]*source{},
		out: Patched{Files: map[string][]byte{}, Failed: map[string]string{}}}
	if err := p.shuffle("true"); err != nil {
		return Patched{}, fmt.Errorf("%w: %w", ErrRuntime, err)
	}
	p.collect()
	return p.out, nil
}

// core is what every hook needs: a place in g, the birth of goroutines, and the program's end. It gives the
// name of g's field for its synctest bubble, "" before Go 1.24.
func (p *patcher) core() (bubble string, err error) {
	src, err := p.find("runtime", "type g struct")
	if err != nil {
		return "", err
	}
	g := src.structure("g")
	if g == nil {
		return "", errors.New("g is no struct")
	}
	for _, name := range []string{"bubble", "syncGroup"} {
		if hasField(g, name) {
			bubble = name
		}
	}
	src.insert(g.Fields.Closing, "heisen heisenG; ")
	steps := []struct {
		fn, statement string
		put           func(*source, string) error
	}{
		{"newproc1", "heisenBorn(newg, callergp, callerpc)", p.leaver("newproc1")},
		{"newproc", "", p.spawn},
		{"runExitHooks", "heisenEnding(code)", p.enterer("runExitHooks")},
		{"startpanic_m", "heisenSum()", p.enterer("startpanic_m")},
	}
	for _, s := range steps {
		src, err := p.find("runtime", "func "+s.fn+"(")
		if err != nil {
			return "", err
		}
		if err := s.put(src, s.statement); err != nil {
			return "", err
		}
	}
	return bubble, nil
}

func (p *patcher) leaver(fn string) func(*source, string) error {
	return func(src *source, statement string) error { return src.leave(src.function("", fn), statement) }
}

// enterer puts a statement first even where the function may not be interrupted: it does nothing that
// could.
func (p *patcher) enterer(fn string) func(*source, string) error {
	return func(src *source, statement string) error {
		src.insert(src.function("", fn).Body.Lbrace+1, " "+statement+"; ")
		return nil
	}
}

// spawn lets a new goroutine wait before its first instruction: newproc1 makes it parked, and a timer, not
// the queue, makes it run.
func (p *patcher) spawn(src *source, _ string) error {
	f := src.function("", "newproc")
	birth, err := call(f, "newproc1")
	if err != nil {
		return err
	}
	queue, err := call(f, "runqput")
	if err != nil {
		return err
	}
	if len(birth.Args) != 5 || len(queue.Args) != 3 {
		return errors.New("newproc1 or runqput takes other arguments")
	}
	src.replace(birth.Args[3].Pos(), birth.Args[4].End(), "heisenSpawn(gp, pc), waitReasonSleep")
	src.replace(queue.Fun.Pos(), queue.Fun.End(), "heisenStart")
	src.replace(queue.Args[2].Pos(), queue.Args[2].End(), "gp")
	return nil
}

// queues makes a switch of the constant that shuffles run queues under the race detector.
func (p *patcher) queues() {
	if err := p.shuffle("raceenabled"); err != nil {
		p.out.Failed["run queues"] = err.Error()
		p.out.Files["src/runtime/heisen_queues.go"] = []byte("package runtime\n\nvar randomizeScheduler bool\n")
		return
	}
	p.out.Hooked = append(p.out.Hooked, "run queues")
}

func (p *patcher) shuffle(value string) error {
	src, err := p.find("runtime", "const randomizeScheduler")
	if err != nil {
		return err
	}
	c := src.constant("randomizeScheduler")
	if c == nil {
		return errors.New("randomizeScheduler is no constant of its own")
	}
	src.replace(c.Pos(), c.End(), "var randomizeScheduler = "+value)
	return nil
}

// orders lets select's order be drawn from the seed.
func (p *patcher) orders() {
	err := func() error {
		src, err := p.find("runtime", "func selectgo(")
		if err != nil {
			return err
		}
		die, err := call(src.function("", "selectgo"), "cheaprandn")
		if err != nil {
			return err
		}
		src.replace(die.Fun.Pos(), die.Fun.End(), "heisenRandn")
		return nil
	}()
	if err != nil {
		p.out.Failed["select order"] = err.Error()
		return
	}
	p.out.Hooked = append(p.out.Hooked, "select order")
}

// hook puts one in, or tells why not.
func (p *patcher) hook(h hook) {
	if p.skip != nil && p.skip(h.name()) {
		p.out.Failed[h.name()] = "left out: the runtime could not be built with it"
		return
	}
	if err := p.put(h); err != nil {
		p.out.Failed[h.name()] = err.Error()
		return
	}
	if !slices.Contains(p.out.Hooked, h.kind) {
		p.out.Hooked = append(p.out.Hooked, h.kind)
	}
}

func (h hook) name() string {
	if h.recv == "" {
		return h.pkg + "." + h.fn
	}
	return h.pkg + "." + h.recv + "." + h.fn
}

func (p *patcher) put(h hook) error {
	src, f, err := p.findFunction(h)
	if err != nil {
		return err
	}
	k := kindNumber(h.kind)
	point := func(n int) string { return fmt.Sprintf("if heisenOn { heisenPoint(%d) }", n) }
	had := len(src.edits)
	if h.where&before != 0 {
		err = src.enter(f, point(2*k))
	}
	if err == nil && h.where&after != 0 {
		err = src.leave(f, point(2*k+1))
	}
	if err != nil {
		src.edits = src.edits[:had]
	}
	return err
}

// find gives the file of a package that has text at the beginning of a line.
func (p *patcher) find(pkg, text string) (*source, error) {
	all, err := p.load(pkg)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if bytes.Contains(s.text, []byte("\n"+text)) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%s has no %q", pkg, text)
}

func (p *patcher) findFunction(h hook) (*source, *ast.FuncDecl, error) {
	all, err := p.load(h.pkg)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range all {
		if f := s.function(h.recv, h.fn); f != nil {
			return s, f, nil
		}
	}
	return nil, nil, errors.New("there is no such function")
}

// load parses a package's files, but tests and what is for other systems.
func (p *patcher) load(pkg string) ([]*source, error) {
	if all, ok := p.sources[pkg]; ok {
		return all, nil
	}
	dir := filepath.Join(p.root, "src", filepath.FromSlash(pkg))
	target := build.Default
	target.GOOS, target.GOARCH = "linux", p.arch
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the standard library: %w: check that GOROOT has its sources", err)
	}
	var all []*source
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		if ok, err := target.MatchFile(dir, e.Name()); err != nil || !ok {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the standard library: %w: check that GOROOT can be read", err)
		}
		src, err := parseSource("src/"+pkg+"/"+e.Name(), text)
		if err != nil {
			return nil, err
		}
		all = append(all, src)
	}
	p.sources[pkg] = all
	return all, nil
}

// add puts heisen's own files beside the edited ones.
func (p *patcher) add(bubble string) error {
	for _, name := range []string{"runtime", "trace", "leaks"} {
		text, err := inside.ReadFile("inside/" + name + ".go.txt")
		if err != nil {
			return err
		}
		p.out.Files["src/runtime/heisen_"+name+".go"] = text
	}
	consts, err := p.constants(bubble)
	if err != nil {
		return err
	}
	p.out.Files["src/runtime/heisen_names.go"] = consts
	way, err := inside.ReadFile("inside/sync.go.txt")
	if err != nil {
		return err
	}
	for _, pkg := range []string{"sync", "sync/atomic"} {
		name := pkg[strings.LastIndex(pkg, "/")+1:]
		p.out.Files["src/"+pkg+"/heisen_point.go"] = bytes.Replace(way, []byte("PACKAGE"), []byte(name), 1)
	}
	return nil
}

// constants are what the added files must know of this version.
func (p *patcher) constants(bubble string) ([]byte, error) {
	entries, err := os.ReadDir(filepath.Join(p.root, "src"))
	if err != nil {
		return nil, err
	}
	var std []string
	for _, e := range entries {
		if e.IsDir() {
			std = append(std, fmt.Sprintf("%q", e.Name()+"/"))
		}
	}
	bubbled := "false"
	if bubble != "" {
		bubbled = "gp." + bubble + " != nil"
	}
	var names []string
	for _, k := range kinds {
		names = append(names, fmt.Sprintf("%q", k))
	}
	return fmt.Appendf(nil, `package runtime

const (
	heisenKindAtomic = %d
	heisenGoPoint    = %d
	heisenStartPoint = %d
	heisenRoot       = %q
)

var heisenKinds = [...]string{%s}

var heisenStd = [...]string{%s}

func heisenBubbled(gp *g) bool { return %s }
`, kindNumber("atomic"), 2*kindNumber("go"), 2*kindNumber("start"), filepath.Join(p.root, "src")+"/",
		strings.Join(names, ", "), strings.Join(std, ", "), bubbled), nil
}

func (p *patcher) collect() {
	for _, all := range p.sources {
		for _, s := range all {
			if len(s.edits) > 0 {
				p.out.Files[s.path] = s.apply()
			}
		}
	}
}
