package tracer

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

func TestExitCodeSignalAndUsageAreTheTests(t *testing.T) {
	r, out := runUnder(t, draft(), nil, "sh", "-c", "echo hello; exit 7")
	require.Equal(t, 7, code(t, r))
	require.Equal(t, "hello\n", out)
	require.Positive(t, r.Tracing)
	require.Positive(t, r.Usage.MaxRSS)
	require.Positive(t, r.Ended)

	r, _ = runUnder(t, draft(), nil, "sh", "-c", "kill -SEGV $$")
	require.Equal(t, syscall.SIGSEGV, syscall.WaitStatus(r.Status).Signal())
}

func TestWhatCannotBeExecutedWasNotRun(t *testing.T) {
	file := t.TempDir() + "/not-a-program"
	require.NoError(t, os.WriteFile(file, []byte("\x00\x01"), 0o700))
	r, _ := runUnder(t, draft(), nil, file)
	require.True(t, r.NotRun)
	require.Equal(t, int(syscall.ENOEXEC), r.StartErrno)
}

// The main thread waits for the one that its argument names, and ends the process without looking at the other.
const twoThreads = `
#include <pthread.h>
#include <unistd.h>
static void *say(void *x) { write(1, x, 1); return NULL; }
int main(int argc, char **argv) {
	pthread_t t[2];
	pthread_create(&t[0], NULL, say, "a"); pthread_create(&t[1], NULL, say, "b");
	pthread_join(t[argv[1][0] == 'b'], NULL); write(1, "!", 1);
	_exit(3);
}`

// A hold of a minute is never over here: what the output lacks was held to the end, however slow the machine is.
func TestHoldKeepsAThreadFromItsFirstInstruction(t *testing.T) {
	program := compile(t, twoThreads)
	for thread, want := range map[string]string{"0.1": "b!", "0.2": "a!"} {
		var r *chaos.Report
		for tries := 0; r == nil || len(r.Made) == 0; tries++ {
			require.Less(t, tries, 100)
			var out string
			r, out = runUnder(t, draft(decide(thread, "thread.start", 1, time.Minute)), nil, program, want[:1])
			require.Equal(t, want, out)
			// Without a hold the process ended before the other thread had its first moment on a CPU.
		}
		require.Equal(t, 3, code(t, r), "the process ended while a thread of it was held")
		require.Len(t, r.Made, 1)
		require.Equal(t, thread, r.Made[0].Thread)
		require.Less(t, r.Made[0].Held, time.Minute)
		require.NotEmpty(t, r.Made[0].Meanwhile, "the other wrote meanwhile")
		require.Equal(t, r.Made[0].Held.Microseconds(), r.Chaos.Held)
	}
}

func TestHoldLastsAsLongAsDecided(t *testing.T) {
	waitsForBoth := strings.Replace(twoThreads, `write(1, "!", 1);`, "pthread_join(t[1], NULL);", 1)
	decided := map[string]time.Duration{"0.1": 50 * time.Millisecond, "0.2": 20 * time.Millisecond}
	r, out := runUnder(t, draft(decide("0.1", "thread.start", 1, decided["0.1"]), decide("0.2", "thread.start", 1, decided["0.2"])),
		nil, compile(t, waitsForBoth), "a")
	require.Len(t, out, 2)
	require.Len(t, r.Made, 2)
	for _, made := range r.Made { // in the order in which the threads came to their first stop
		require.GreaterOrEqual(t, made.Held, decided[made.Thread])
		delete(decided, made.Thread)
	}
	require.Empty(t, decided)
	require.GreaterOrEqual(t, r.Lengthened, 50*time.Millisecond)
	require.EqualValues(t, 2, r.Chaos.Made)
}

func TestPathsCountChildrenByCreation(t *testing.T) {
	program := compile(t, `
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
static void *nest(void *x) { if (!fork()) _exit(0); wait(NULL); return NULL; }
int main(void) {
	pthread_t a, b;
	pthread_create(&a, NULL, nest, NULL); pthread_join(a, NULL);
	if (!fork()) _exit(0);
	wait(NULL);
	pthread_create(&b, NULL, nest, NULL); pthread_join(b, NULL);
	return 0;
}`)
	var holds = draft()
	for _, path := range []string{"0.1", "0.1.1", "0.2", "0.3", "0.3.1"} {
		holds.Decisions = append(holds.Decisions, decide(path, "thread.start", 1, time.Millisecond))
	}
	r, _ := runUnder(t, holds, nil, program)
	require.Zero(t, code(t, r))
	var made []string
	for _, m := range r.Made {
		made = append(made, m.Thread)
	}
	require.Equal(t, []string{"0.1", "0.1.1", "0.2", "0.3", "0.3.1"}, made)
	require.Len(t, r.Threads, 6)
}

func TestPreludeIsLetThrough(t *testing.T) {
	r, _ := runUnder(t, draft(), nil, python(t), "-c", "import threading; t = threading.Thread(target=print, args=(1,)); t.start(); t.join()")
	require.Zero(t, code(t, r))
	main := names(r, 0)
	require.Contains(t, main, "clone.entry")
	require.Less(t, r.Chaos.Stops, int64(200), "the hundreds of reads and opens before the first thread cost no stop")
}

// python is the interpreter itself, not a script that leads to it.
func python(t *testing.T) string {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Skip("no python3 here")
	}
	return strings.TrimSpace(string(out))
}

func TestReadsOfFilesAreNoPoints(t *testing.T) {
	r, _ := runUnder(t, draft(), nil, "sh", "-c", "echo x | cat; cat /etc/passwd >/dev/null")
	for _, p := range r.Points {
		if strings.HasPrefix(p.Name, "pipe.") {
			fd, err := strconv.Atoi(strings.TrimPrefix(p.Fields[0], "fd "))
			require.NoError(t, err)
			require.Less(t, fd, 10)
		}
	}
	require.NotZero(t, len(r.Points))
}

func TestProbeWorksHereOrSaysHowToAllowIt(t *testing.T) {
	if err := Probe(); err != nil {
		require.ErrorContains(t, err, "hold threads: ")
		require.NotContains(t, err.Error(), "\n")
	}
}

// BenchmarkStops measures what it costs a thread to stop at the entry and at the exit of a system call: where all CPUs have
// something to run, as in a hunt, and alone, where each stop and each going on wakes a CPU that sleeps. The costs are
// CPU time: where more run than there are CPUs, each has its share of them.
func BenchmarkStops(b *testing.B) {
	program := compile(b, `
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
static void *spin(void *x) {
	struct timespec from, to;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < 20000; i++) sched_yield();
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%ld\n", ((to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec) / 20000);
	return x;
}
int main(void) {
	pthread_t t;
	return pthread_create(&t, 0, spin, 0) || pthread_join(t, 0);
}`)
	plan := draft()
	plan.MaxPoints = 2000
	cpus := runtime.NumCPU()
	for _, width := range []int{1, cpus, 8 * cpus} {
		b.Run(fmt.Sprintf("at-once-%d", width), func(b *testing.B) {
			share := float64(min(width, cpus)) / float64(width)
			var plain, traced float64
			for b.Loop() {
				out, err := exec.Command(program).Output()
				require.NoError(b, err)
				plain += number(b, string(out))
				var all []*subject
				for range width {
					all = append(all, begin(b, plan, nil, program))
				}
				for _, s := range all {
					require.Greater(b, s.end().Chaos.Stops, int64(40000))
					traced += number(b, s.text()) * share / float64(width)
				}
			}
			n := float64(b.N)
			b.ReportMetric((traced-plain)/n/1000, "µs/entry-and-exit")
			b.ReportMetric(plain/n/1000, "µs/plain-call")
		})
	}
}

func number(tb testing.TB, text string) float64 {
	tb.Helper()
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	require.NoError(tb, err, text)
	return f
}

// BenchmarkHoldsNothing measures how many times longer a test takes under a plan that holds nothing, alone and with eight
// at once on each CPU, in pairs. The test must be one that does not fail (CPython's of 3.9.18, not of 3.8):
// HEISEN_BENCH_COMMAND='python3 -m unittest test.test__xxsubinterpreters' go test -run XXX -bench HoldsNothing -benchtime 9x ./stress/chaos/tracer
func BenchmarkHoldsNothing(b *testing.B) {
	line := strings.Fields(os.Getenv("HEISEN_BENCH_COMMAND"))
	if len(line) == 0 {
		b.Skip("HEISEN_BENCH_COMMAND names no test to run")
	}
	for _, width := range []int{1, 8 * runtime.NumCPU()} {
		b.Run(fmt.Sprintf("at-once-%d", width), func(b *testing.B) {
			var plain, traced, ratios []float64
			for b.Loop() {
				alone, with := untraced(b, width, line), holdingNothing(b, width, line)
				plain, traced, ratios = append(plain, alone), append(traced, with), append(ratios, with/alone)
			}
			b.Logf("seconds plain %.2f, traced %.2f", plain, traced)
			b.ReportMetric(median(plain), "s/plain")
			b.ReportMetric(median(traced), "s/traced")
			b.ReportMetric(median(ratios), "traced/plain")
		})
	}
}

// untraced runs so many copies at once and gives the seconds until all have ended.
func untraced(b *testing.B, width int, line []string) float64 {
	b.Helper()
	began := time.Now()
	var all []*exec.Cmd
	for range width {
		cmd := exec.Command(line[0], line[1:]...)
		require.NoError(b, cmd.Start())
		all = append(all, cmd)
	}
	for _, cmd := range all {
		require.NoError(b, cmd.Wait())
	}
	return time.Since(began).Seconds()
}

// holdingNothing does the same under a plan that holds nothing.
func holdingNothing(b *testing.B, width int, line []string) float64 {
	b.Helper()
	plan := draft()
	plan.Replay, plan.MaxPoints, plan.MaxDecisions = false, 2000, 2000
	began := time.Now()
	var all []*subject
	for range width {
		all = append(all, begin(b, plan, nil, line...))
	}
	for _, s := range all {
		r := s.end()
		require.Zero(b, code(b, r), s.text())
		require.Zero(b, r.Chaos.Made)
	}
	return time.Since(began).Seconds()
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
