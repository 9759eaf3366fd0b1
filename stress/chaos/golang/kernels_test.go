package golang

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// bounds are a hunt's own.
var bounds = Bounds{MaxHold: 50 * time.Millisecond, MaxStarve: 200 * time.Millisecond, Budget: 2 * time.Second}

// slow skips what builds more than the one overlay that the default tests share.
func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("HEISEN_SLOW_TESTS") == "" {
		t.Skip("builds runtimes and runs kernels for minutes: set HEISEN_SLOW_TESTS=1")
	}
}

// cacheForTests is one for all tests of all runs: an overlaid runtime takes a minute to build.
func cacheForTests(t testing.TB) string {
	t.Helper()
	dir, err := os.UserCacheDir()
	require.NoError(t, err)
	return filepath.Join(dir, "heisen", "go")
}

// goCommand recognises a command of the user's go; GO names another one.
func goCommand(t testing.TB, argv ...string) Command {
	t.Helper()
	path, err := exec.LookPath("go")
	require.NoError(t, err)
	if other := os.Getenv("HEISEN_TEST_GO"); other != "" {
		path = other
	}
	c := Recognise(append([]string{"go"}, argv...), path)
	require.NotEqual(t, NotGo, c.Kind, c.Why)
	return c
}

func buildKernels(t *testing.T, leaks bool) *Built {
	t.Helper()
	dir, err := filepath.Abs("testdata/kernels")
	require.NoError(t, err)
	b, err := Build(t.Context(), goCommand(t, "test", "-timeout=0", "."),
		Config{Cache: cacheForTests(t), Dir: dir, Environ: os.Environ(), Chaos: true, Leaks: leaks})
	require.NoError(t, err)
	require.Equal(t, Hooks, b.Overlay.Level, b.Overlay.Why)
	return b
}

// attempts runs a program n times, four at once, and counts failures. env gives attempt i's own.
func attempts(ctx context.Context, n int, dir string, argv []string, env func(i int) []string) (failures int) {
	var mu sync.Mutex
	var group sync.WaitGroup
	next := make(chan int)
	for range 4 {
		group.Go(func() {
			for i := range next {
				if _, err := attempt(ctx, dir, argv, env(i)); err != nil {
					mu.Lock()
					failures++
					mu.Unlock()
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
	return failures
}

func attempt(ctx context.Context, dir string, argv, env []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// kernelNames are the tests in testdata/kernels.
func kernelNames(t *testing.T) []string {
	t.Helper()
	var names []string
	files, err := filepath.Glob("testdata/kernels/*_test.go")
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)`).FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// only is argv with one side of one kernel chosen.
func only(argv []string, kernel, side string) []string {
	return append(slices.Clone(argv), "-test.run=^"+kernel+"$/^"+side+"$")
}

func share(k, n int) string { return fmt.Sprintf("%d of %d", k, n) }

// TestKernels measures every kernel plain and under each strategy, and holds the promises: the fixed sides
// never fail, and in the median chaos fails ten times as often as plain reruns.
func TestKernels(t *testing.T) {
	slow(t)
	n := 100
	if v, err := strconv.Atoi(os.Getenv("HEISEN_KERNEL_RUNS")); err == nil {
		n = v
	}
	const campaign = 20260712
	b := buildKernels(t, true)
	target := b.Targets[0]
	drawn := func(s Strategy) func(int) []string {
		return func(i int) []string {
			set := Draw(s, run.SeedFor(campaign, int64(i+1)), bounds)
			set.Leaks = true
			return set.Environ()
		}
	}
	mixed := func(i int) []string { return drawn(Strategies[i%len(Strategies)])(i) }
	calm := func(int) []string { return Settings{Leaks: true}.Environ() }
	t.Logf("%s, seed %d, hooks %v\n%-16s %-12s %-12s %s", b.Version, campaign, b.Overlay.Hooked, "kernel", "plain", "chaos", "by strategy")
	var ratios []float64
	for _, k := range kernelNames(t) {
		if only := os.Getenv("HEISEN_KERNEL"); only != "" && !strings.Contains(k, only) {
			continue
		}
		broken, fixed := only(target.Chaos, k, "broken"), only(target.Chaos, k, "fixed")
		plain := attempts(t.Context(), n, target.Dir, broken, calm)
		chaos := attempts(t.Context(), n, target.Dir, broken, mixed)
		var by []string
		for _, s := range Strategies {
			by = append(by, string(s)+" "+share(attempts(t.Context(), n/4, target.Dir, broken, drawn(s)), n/4))
		}
		wrong := attempts(t.Context(), n, target.Dir, fixed, mixed)
		t.Logf("%-16s %-12s %-12s %s; fixed %s", strings.TrimPrefix(k, "Test"), share(plain, n), share(chaos, n), strings.Join(by, ", "), share(wrong, n))
		require.Zero(t, wrong, "the fixed side of %s failed", k)
		ratios = append(ratios, float64(chaos)/max(float64(plain), 1))
	}
	slices.Sort(ratios)
	if n < 100 {
		return // too few to tell ten times from none
	}
	require.GreaterOrEqual(t, ratios[len(ratios)/2], 10.0, "chaos against plain in the median kernel, none taken as one")
}
