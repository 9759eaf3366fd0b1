package golang

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parsed(t *testing.T, text string) *source {
	t.Helper()
	s, err := parseSource("x.go", []byte(text))
	require.NoError(t, err)
	return s
}

func TestLeaveComesBeforeEveryReturn(t *testing.T) {
	s := parsed(t, `package p
func f(a bool) (int, bool) {
	if a {
		return 1, a
	}
	g := func() int { return 2 }
	switch {
	case g() == 2:
		return -1, !a
	}
	return 0, false
}
`)
	require.NoError(t, s.leave(s.function("", "f"), "X()"))
	assert.Equal(t, `package p
func f(a bool) (int, bool) {
	if a {
		X(); return 1, a
	}
	g := func() int { return 2 }
	switch {
	case g() == 2:
		X(); return -1, !a
	}
	X(); return 0, false
}
`, string(s.apply()))
}

func TestLeaveComesAtTheEndOfWhatFallsOff(t *testing.T) {
	s := parsed(t, "package p\nfunc (m *T[K]) f() { if m != nil { return }; m.g() }\n")
	require.NoError(t, s.enter(s.function("T", "f"), "E()"))
	require.NoError(t, s.leave(s.function("T", "f"), "L()"))
	assert.Equal(t, "package p\nfunc (m *T[K]) f() { E();  if m != nil { L(); return }; m.g() ; L()}\n", string(s.apply()))
}

func TestWhatMustNotBeEditedIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"a call among the results":    "package p\nfunc f() int { return g() }\n",
		"a receive among the results": "package p\nfunc f(c chan int) int { return <-c }\n",
		"a field among the results":   "package p\nfunc f(x *T) int { return x.n }\n",
		"nosplit":                     "package p\n//go:nosplit\nfunc f() {}\n",
		"the system's stack":          "package p\n\n//go:systemstack\nfunc f() {}\n",
	} {
		s := parsed(t, text)
		assert.Error(t, s.leave(s.function("", "f"), "X()"), name)
		assert.Equal(t, text, string(s.apply()), name)
	}
}

func TestCallWantsExactlyOne(t *testing.T) {
	s := parsed(t, "package p\nfunc f() { g(); h(); func() { g() }() }\n")
	_, err := call(s.function("", "f"), "g")
	assert.ErrorContains(t, err, "2 times")
	_, err = call(s.function("", "f"), "h")
	assert.NoError(t, err)
}

// TestPatchThisRuntime reads this machine's own Go: every hook finds its place, what comes out is Go, and no
// line moves.
func TestPatchThisRuntime(t *testing.T) {
	root := runtime.GOROOT() //lint:ignore SA1019 the tests run where they were built
	p, err := Patch(root, runtime.GOARCH, nil)
	require.NoError(t, err)
	assert.Empty(t, p.Failed)
	for _, k := range kinds {
		if k != "start" {
			assert.Contains(t, p.Hooked, k)
		}
	}
	for name, text := range p.Files {
		_, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		require.NoError(t, err, name)
		if was, err := os.ReadFile(filepath.Join(root, name)); err == nil {
			assert.Equal(t, bytes.Count(was, []byte("\n")), bytes.Count(text, []byte("\n")), name)
		}
	}
}

func TestPatchTellsWhatItCouldNotHook(t *testing.T) {
	root := runtime.GOROOT() //lint:ignore SA1019 the tests run where they were built
	p, err := Patch(root, runtime.GOARCH, func(name string) bool { return name == "sync.Cond.Wait" })
	require.NoError(t, err)
	assert.Contains(t, p.Failed, "sync.Cond.Wait")
	assert.NotContains(t, p.Hooked, "cond.wait")
	_, err = Patch(t.TempDir(), runtime.GOARCH, nil)
	assert.ErrorIs(t, err, ErrRuntime)
}
