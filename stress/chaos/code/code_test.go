package code

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// source has one function whose places are known: it reads and writes a variable that others share, has one of its own
// on the stack, and calls another.
const source = `#include <pthread.h>
static volatile int shared;
void other(volatile int *);
__attribute__((noinline)) void touch(void) {
	volatile int own = 1;
	own++;
	shared++;
	other(&own);
}
__attribute__((noinline)) void other(volatile int *p) { *p = 2; }
static void *work(void *x) { touch(); return x; }
int main(void) { pthread_t t; pthread_create(&t, 0, work, 0); pthread_join(t, 0); return shared != 1; }
`

// compile makes a program of C, or skips the test.
func compile(t *testing.T, flags ...string) string {
	t.Helper()
	if runtime.GOARCH != "amd64" || runtime.GOOS != "linux" {
		t.Skip("places are found in amd64 code on Linux")
	}
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler (cc) here")
	}
	dir := t.TempDir()
	file, program := filepath.Join(dir, "p.c"), filepath.Join(dir, "p")
	require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
	out, err := exec.Command(cc, append([]string{"-O1", "-fno-tree-slp-vectorize", "-pthread", "-o", program, file}, flags...)...).CombinedOutput()
	require.NoError(t, err, string(out))
	return program
}

// in are the places of one function, described.
func in(p *Program, symbol string) (all []string) {
	for _, s := range p.Sites {
		if s.Symbol == symbol {
			all = append(all, p.Describe(s))
		}
	}
	return all
}

// lines are how many places each line of the source has.
func lines(described []string) map[string]int {
	n := map[string]int{}
	for _, d := range described {
		_, line, _ := strings.Cut(strings.TrimSuffix(d, ")"), " (")
		n[line]++
	}
	return n
}

func TestPlacesFollowWhatOthersCouldSee(t *testing.T) {
	p, err := Read(compile(t, "-g"))
	require.NoError(t, err)
	require.False(t, p.IsGo)
	touch := in(p, "touch")
	require.True(t, strings.HasPrefix(touch[0], "touch+0x0 (p.c:4)"), "its first instruction: %v", touch)
	at := lines(touch)
	require.Positive(t, at["p.c:7"], "between the load and the store of shared: %v", touch)
	require.Zero(t, at["p.c:6"], "nobody else sees the stack: %v", touch)
	require.NotEmpty(t, in(p, "other"))
	require.NotEmpty(t, in(p, "work"))
	for _, s := range p.Sites {
		require.Contains(t, []string{"touch", "other", "work", "main"}, s.Symbol, "what the compiler added is not the program's own")
	}
}

func TestThePlaceIsThatOfTheFile(t *testing.T) {
	path := compile(t, "-g")
	p, err := Read(path)
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, s := range p.Sites {
		require.Less(t, s.Offset, uint64(len(text)))
		first := p.Sites[slices.IndexFunc(p.Sites, func(o Site) bool { return o.Symbol == s.Symbol && o.Delta == 0 })]
		require.Equal(t, s.Delta, s.Offset-first.Offset)
	}
}

func TestNamesCanBeRead(t *testing.T) {
	p, err := Read(compile(t, "-g"))
	require.NoError(t, err)
	for _, s := range p.Sites {
		back, err := ParseSite(Bare(p.Describe(s)))
		require.NoError(t, err)
		require.Equal(t, Site{Symbol: s.Symbol, Delta: s.Delta}, back)
	}
	for _, bad := range []string{"", "touch", "+0x5", "touch+0x", "touch+0xzz"} {
		_, err := ParseSite(bad)
		require.Error(t, err, bad)
	}
}

func TestWithoutDebugInformationThePlaceHasItsNameAlone(t *testing.T) {
	p, err := Read(compile(t))
	require.NoError(t, err)
	require.Equal(t, "touch+0x0", in(p, "touch")[0])
}

func TestAProgramWithoutCodeOfItsOwnIsRefused(t *testing.T) {
	_, err := Read(compile(t, "-s"))
	require.ErrorIs(t, err, errNoSymbols)
	_, err = Read(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n"), 0o700))
	_, err = Read(script)
	require.ErrorContains(t, err, "read program")
}

func TestTheLibraryInAStaticProgramIsNotItsOwn(t *testing.T) {
	p, err := Read(compile(t, "-g", "-static"))
	require.NoError(t, err)
	for _, s := range p.Sites {
		require.Contains(t, []string{"touch", "other", "work", "main"}, s.Symbol)
	}
	_, err = Read(compile(t, "-static"))
	require.ErrorContains(t, err, "statically linked without debug information")
}

func TestOfAGoProgramOnlyItsModuleIsItsOwn(t *testing.T) {
	for name, own := range map[string]bool{
		"main.main": true, "main.(*box).put": true, "example.com/m/deep.Do": true, "example.com/m.init": true, "example.com/m_test.TestX": true,
		"command-line-arguments.TestY": true, "runtime.mallocgc": false, "sync.(*Mutex).Lock": false, "example.com/mother.Do": false,
		"example.com/m..inittask": false, "mainly.Do": false,
	} {
		require.Equal(t, own, module{isGo: true, path: "example.com/m"}.owns(name), name)
	}
	if runtime.GOARCH != "amd64" || runtime.GOOS != "linux" {
		t.Skip("places are found in amd64 code on Linux")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/m\n\ngo 1.21\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "m.go"), []byte(`package main

import "os"

var shared int

//go:noinline
func touch(p *int) { *p++ }

func main() { touch(&shared); os.Exit(shared - 1) }
`), 0o600))
	build := exec.Command("go", "build", "-o", "m", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	p, err := Read(filepath.Join(dir, "m"))
	require.NoError(t, err)
	require.True(t, p.IsGo)
	for _, s := range p.Sites {
		require.True(t, strings.HasPrefix(s.Symbol, "main."), s.Symbol)
	}
	require.NotEmpty(t, in(p, "main.touch"))
}

func TestRustAndCPlusPlusLibrariesAreNotTheProgramsOwn(t *testing.T) {
	for name, own := range map[string]bool{
		"_ZN4mine4workEv": true, "_ZNSt6vectorIiSaIiEE9push_backEOi": false, "_ZN3std2io5stdio6_print17h0123456789abcdefE": false,
		"_RNvCs1234_4mine4main": true, "_RNvNtCs1234_3std2io5print": false, "__asan_init": false, "_start": false, "main": true,
	} {
		require.Equal(t, own, module{}.owns(name), name)
	}
}

func TestFindLooksBehindAShell(t *testing.T) {
	program := compile(t)
	sh, err := exec.LookPath("sh")
	require.NoError(t, err)
	for _, args := range [][]string{{"sh", "-c", "exec " + program + " 1"}, {"sh", "-c", "cd /; './p' 'x'"}, {"sh", program}} {
		p, err := Find(sh, args, filepath.Dir(program))
		require.NoError(t, err, args)
		require.Equal(t, program, p.Path)
	}
	_, err = Find(sh, []string{"sh", "-c", "echo hello"}, "/")
	require.Error(t, err)
	p, err := Find(program, []string{"p", sh}, "/")
	require.NoError(t, err)
	require.Equal(t, program, p.Path, "the command itself comes first")
}
