package imports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const top = "../.."

func TestHouseKeepsItsDirection(t *testing.T) {
	touchFolders(t)
	for _, goos := range []string{"linux", "darwin"} {
		t.Run(goos, func(t *testing.T) {
			t.Parallel()
			g, err := list(top, goos)
			require.NoError(t, err)
			require.Contains(t, g, "heisen/stress/run", "the listing must reach the house")
			for _, v := range g.violations(rules) {
				t.Error(v)
			}
			for _, path := range g.misnamed() {
				t.Errorf("%s: name a package after what it provides", path)
			}
		})
	}
}

// touchFolders opens every folder of the house, so that the go command, which caches test results by the
// files a test itself opened, runs this one again when any source file has changed.
func touchFolders(t *testing.T) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != top && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		return err
	}))
}

// numbers matches what stress/run may take from package syscall: the numbers of signals and of errors,
// which are constants, and their types.
var numbers = regexp.MustCompile(`^(Signal|Errno|SIG[A-Z0-9]+|E[A-Z0-9]+)$`)

func TestNounsUseSyscallForNumbersOnly(t *testing.T) {
	for _, name := range syscallUses(t, filepath.Join(top, "stress", "run")) {
		if !numbers.MatchString(name) {
			t.Errorf("stress/run uses syscall.%s: only the numbers of signals and errors are pure", name)
		}
	}
	for _, name := range []string{"Kill", "Exec", "Environ", "SetNonblock"} {
		require.NotRegexp(t, numbers, name)
	}
}

func TestSyscallUsesAreFound(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.go", "package a\nimport \"syscall\"\nvar s = syscall.SIGTERM\nfunc f() { syscall.Kill(1, s) }\n")
	require.Equal(t, []string{"SIGTERM", "Kill"}, syscallUses(t, dir))
}

// syscallUses lists the names that the non-test files of one folder take from package syscall.
func syscallUses(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var names []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "syscall" {
					names = append(names, sel.Sel.Name)
				}
			}
			return true
		})
	}
	return names
}

// Every row must be able to fail: a planted import that breaks it is found, with its reason.
func TestPlantedImportBreaksItsRule(t *testing.T) {
	for _, tc := range []struct{ from, to, reason string }{
		{"heisen/stress", "heisen/repro/bundle", "the engine runs attempts"},
		{"heisen/stress/tally", "heisen/reports", "the engine runs attempts"},
		{"heisen/repro/minimize", "heisen/reports/text", "without any report"},
		{"heisen/repro/soak", "os", "decided from counts alone"},
		{"heisen/repro/minimize", "heisen/stress/chaos", "decided from counts alone"},
		{"heisen/reports/text", "heisen/cmd/heisen", "wiring is the top"},
		{"heisen/stress/journal", "heisen/stress/proc", "leaves speak in the nouns"},
		{"heisen/stress/chaos/golang", "heisen/stress/starve", "leaves speak in the nouns"},
		{"heisen/stress/starve", "heisen/stress", "leaves speak in the nouns"},
		{"heisen/stress/campaign", "heisen/stress/proc", "a campaign's folder"},
		{"heisen/stress/durable", "heisen/stress/run", "is under nothing of ours"},
		{"heisen/stress/run", "os", "the nouns are pure"},
		{"heisen/stress/run", "net/http", "the nouns are pure"},
		{"heisen/stress/run", "os/exec", "the nouns are pure"},
		{"heisen/reports/html", "os/exec", "a report starts no process"},
		{"heisen/reports", "heisen/stress/proc", "not through a room of ours"},
		{"heisen/cmd/heisen", "net/http", "the dashboard alone answers others"},
		{"heisen/stress/journal", "github.com/urfave/cli/v2", "flags, help texts"},
		{"heisen/stress/journal", "golang.org/x/sys/unix", "raw system calls"},
		{"heisen/cmd/heisen", "syscall", "raw system calls"},
		{"heisen/cmd/heisen", "github.com/stretchr/testify/require", "packages for tests"},
	} {
		t.Run(tc.from+" "+tc.to, func(t *testing.T) {
			g := graph{tc.from: {ImportPath: tc.from, Imports: []string{tc.to}}}
			require.Contains(t, strings.Join(g.violations(rules), "\n"), tc.from+" imports "+tc.to+": ")
			require.Contains(t, strings.Join(g.violations(rules), "\n"), tc.reason)
		})
	}
}

func TestAllowedImportsBreakNothing(t *testing.T) {
	g := graph{}
	for from, to := range map[string][]string{
		"heisen/cmd/heisen":          {"github.com/urfave/cli/v2", "heisen/reports", "heisen/stress/proc", "os"},
		"heisen/reports":             {"heisen/stress/tally", "heisen/repro/signature", "html/template"},
		"heisen/stress":              {"heisen/stress/run", "heisen/stress/journal"},
		"heisen/stress/journal":      {"heisen/stress/run", "heisen/stress/durable", "os"},
		"heisen/stress/proc":         {"heisen/stress/proc/guard", "golang.org/x/sys/unix"},
		"heisen/stress/run":          {"encoding/json", "syscall", "time"},
		"heisen/stress/chaos/golang": {"heisen/stress/chaos"},
	} {
		g[from] = pkg{ImportPath: from, Imports: to}
	}
	require.Empty(t, g.violations(rules))
}

func TestReachGoesThroughOurPackagesOnly(t *testing.T) {
	g := graph{
		"heisen/reports":  {Imports: []string{"heisen/repro", "example.org/x"}},
		"heisen/repro":    {Imports: []string{"heisen/stress/proc"}},
		"example.org/x":   {Imports: []string{"heisen/stress/chaos"}},
		"heisen/repro/rt": {},
	}
	require.Contains(t, strings.Join(g.violations(rules), "\n"), "heisen/reports imports heisen/stress/proc")
	require.NotContains(t, g.reach("heisen/reports"), "heisen/stress/chaos")

	g = graph{
		"heisen/cmd/heisen":              {Imports: []string{"heisen/reports/internal/golden"}},
		"heisen/reports/internal/golden": {Imports: []string{"testing"}},
	}
	require.Len(t, g.violations(rules), 1, "test support is fine by itself, but not in the binary")
}

// The whole way, with the go command: a module that breaks a rule is told so.
func TestPlantedModuleIsCaught(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module heisen\n\ngo 1.26\n")
	write(t, dir, "reports/bad.go", "package reports\n\nimport _ \"os/exec\"\n")
	write(t, dir, "stress/util/util.go", "package util\n")
	g, err := list(dir, "linux")
	require.NoError(t, err)
	require.Equal(t, []string{"heisen/reports imports os/exec: a report starts no process"}, g.violations(rules))
	require.Equal(t, []string{"heisen/stress/util"}, g.misnamed())
}

func TestModuleThatDoesNotListIsAnError(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module heisen\n\ngo 1.26\n")
	write(t, dir, "reports/bad.go", "package reports\n\nimport _ \"heisen/absent\"\n")
	_, err := list(dir, "linux")
	require.ErrorContains(t, err, "heisen/absent")
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}
