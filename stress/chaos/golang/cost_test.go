package golang

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkOverlay tells how much longer the programs of testdata/cost take with the overlaid runtime than with the
// user's own: each program's best of fifteen rounds in which all ways to run it take turns, and of these the geometric
// mean. "off" is the overlaid binary left alone, "calm" one that traces and decides nothing, and "decides" one that
// asks at every point and never holds.
func BenchmarkOverlay(b *testing.B) {
	dir, err := filepath.Abs("testdata/cost")
	require.NoError(b, err)
	cmd := goCommand(b, "test", ".")
	built, err := Build(b.Context(), cmd, Config{Cache: cacheForTests(b), Dir: dir, Environ: os.Environ(), Chaos: true})
	require.NoError(b, err)
	require.Equal(b, Hooks, built.Overlay.Level, built.Overlay.Why)
	events := filepath.Join(b.TempDir(), "events")
	require.NoError(b, os.WriteFile(events, nil, 0o600))
	decides := Draw(Yield, 1, bounds)
	decides.Kinds, decides.Yield, decides.Queues, decides.Orders = 1<<(2*len(kinds))-1, 0, false, false
	ways := []struct {
		name   string
		binary string
		env    []string
	}{
		{"plain", built.Targets[0].Argv[0], nil},
		{"off", built.Targets[0].Chaos[0], nil},
		{"calm", built.Targets[0].Chaos[0], append(Draw(Calm, 1, bounds).Environ(), EventsVariable+"="+events)},
		{"decides", built.Targets[0].Chaos[0], append(decides.Environ(), EventsVariable+"="+events)},
	}
	for b.Loop() {
		best := map[string]map[string]float64{}
		for range 15 {
			for _, w := range ways {
				if best[w.name] == nil {
					best[w.name] = map[string]float64{}
				}
				for program, ns := range timed(b.Context(), b, w.binary, w.env) {
					if old, ok := best[w.name][program]; !ok || ns < old {
						best[w.name][program] = ns
					}
				}
			}
		}
		for _, kind := range []string{"Channel", "Mutex", "RWMutex", "CPU"} {
			for _, w := range ways[1:] {
				b.ReportMetric(ratio(best["plain"], best[w.name], kind), fmt.Sprintf("%s-%s/plain", kind, w.name))
			}
		}
		for program, ns := range best["plain"] {
			b.Logf("%-22s %9.1f ns, off %.2f, calm %.2f, decides %.2f", program, ns,
				best["off"][program]/ns, best["calm"][program]/ns, best["decides"][program]/ns)
		}
	}
}

// timed runs a binary's benchmarks and gives the nanoseconds of one operation of each.
func timed(ctx context.Context, tb testing.TB, binary string, env []string) map[string]float64 {
	tb.Helper()
	cmd := exec.CommandContext(ctx, binary, "-test.run=^$", "-test.bench=.", "-test.benchtime=50ms")
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(tb, err, string(out))
	all := map[string]float64{}
	for _, m := range regexp.MustCompile(`(?m)^Benchmark(\w+)\S*\s+\d+\s+([0-9.]+) ns/op`).FindAllStringSubmatch(string(out), -1) {
		ns, err := strconv.ParseFloat(m[2], 64)
		require.NoError(tb, err)
		all[m[1]] = ns
	}
	require.NotEmpty(tb, all, string(out))
	return all
}

// ratio is the geometric mean over the programs of one kind.
func ratio(plain, other map[string]float64, kind string) float64 {
	sum, n := 0.0, 0
	for program, ns := range plain {
		if strings.HasPrefix(program, kind) {
			sum += math.Log(other[program] / ns)
			n++
		}
	}
	return math.Exp(sum / float64(n))
}
