package golang

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// project writes a module: two packages with tests and one without.
func project(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	const tells = `package PKG

import (
	"os"
	"strings"
	"testing"
)

func TestTell(t *testing.T) {
	wd, _ := os.Getwd()
	text := strings.Join(append(os.Environ(), "ARGS "+strings.Join(os.Args[1:], " "), "WD "+wd), "\n")
	if err := os.WriteFile(os.Getenv("TELL"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
`
	for name, text := range map[string]string{
		"go.mod":        "module example.com/m\n\ngo 1.23\n",
		"a/a_test.go":   strings.Replace(tells, "PKG", "a", 1),
		"b/b.go":        "package b\n",
		"b/b_test.go":   strings.Replace(tells, "PKG", "b_test", 1),
		"c/c.go":        "package c\n",
		"prog/main.go":  "package main\n\nimport \"os\"\n\nfunc main() { os.Exit(len(os.Args)) }\n",
		"bad/x_test.go": "package bad\n\nfunc TestX(",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func buildIn(t *testing.T, dir string, argv ...string) (*Built, error) {
	t.Helper()
	return Build(t.Context(), goCommand(t, argv...), Config{Cache: cacheForTests(t), Dir: dir, Environ: os.Environ(), Chaos: true})
}

// TestBuildKeepsWhatGoTestMeans runs a test through go test and through its binaries, and compares what the
// test sees: folder, arguments and environment.
func TestBuildKeepsWhatGoTestMeans(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a Go runtime")
	}
	dir := project(t)
	flags := []string{"-v", "-count=1", "-run", "Tell"}
	b, err := buildIn(t, dir, append(append([]string{"test"}, flags...), "./a", "./b", "./c")...)
	require.NoError(t, err)
	assert.Equal(t, []string{"example.com/m/c"}, b.Untested)
	require.Len(t, b.Targets, 2)
	for i, pkg := range []string{"a", "b"} {
		target := b.Targets[i]
		assert.Equal(t, "example.com/m/"+pkg, target.Package)
		tell := filepath.Join(t.TempDir(), "tell")
		cmd := exec.Command("go", append(append([]string{"test"}, flags...), "./"+pkg)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "TELL="+tell)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		want := told(t, tell)
		for _, argv := range [][]string{target.Argv, target.Chaos} {
			require.NotNil(t, argv, b.Overlay.Why)
			assert.Equal(t, pkg+".test", filepath.Base(argv[0]))
			text, err := attempt(t.Context(), target.Dir, argv, append([]string{"TELL=" + tell}, target.Env...))
			require.NoError(t, err, text)
			assert.Equal(t, want, told(t, tell))
		}
	}
}

// told is what the test saw, in an order of its own.
func told(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	slices.Sort(lines)
	return lines
}

func TestBuildRunsPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a Go runtime")
	}
	dir := project(t)
	b, err := buildIn(t, dir, "run", "./prog", "one", "two")
	require.NoError(t, err)
	require.Len(t, b.Targets, 1)
	_, err = attempt(t.Context(), b.Targets[0].Dir, b.Targets[0].Chaos, nil)
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "%v", err)
	assert.Equal(t, 3, exit.ExitCode())
	assert.Equal(t, dir, b.Targets[0].Dir)
}

func TestBuildTellsWhatGoSays(t *testing.T) {
	dir := project(t)
	_, err := buildIn(t, dir, "test", "./bad")
	var failed *GoError
	require.True(t, errors.As(err, &failed), "%v", err)
	assert.Contains(t, err.Error(), "x_test.go")
	_, err = buildIn(t, dir, "test", "./c")
	assert.ErrorContains(t, err, "no test files")
	_, err = buildIn(t, dir, "test", "./nowhere")
	assert.ErrorContains(t, err, "nowhere")
}

func TestOverlayTells(t *testing.T) {
	assert.Equal(t, "", Overlay{Level: Hooks}.String())
	assert.Contains(t, Overlay{Level: Hooks, Failed: map[string]string{"sync.Cond.Wait": "gone"}}.String(), "sync.Cond.Wait (gone)")
	assert.Contains(t, Overlay{Level: Queues, Why: "g is no struct"}.String(), "g is no struct")
	assert.Contains(t, Overlay{Why: "no such runtime"}.String(), "GOMAXPROCS")
}

func TestBlameFindsThePackageThatFailed(t *testing.T) {
	left := map[string]bool{}
	broken := &GoError{Args: []string{"build"}, Output: "# sync\n/x/sync/mutex.go:3: oh\n"}
	assert.True(t, blame(broken, left))
	assert.Equal(t, map[string]bool{"sync": true}, left)
	assert.False(t, blame(broken, left), "it was left out already")
	assert.False(t, blame(errors.New("other"), left))
}
