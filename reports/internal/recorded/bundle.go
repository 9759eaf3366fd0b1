package recorded

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/reports/evidence"
	"heisen/repro/bundle"
	"heisen/repro/provenance"
	"heisen/stress/interleave"
	"heisen/stress/run"
)

// Secret is in the failing attempt's output, in a shape that is known.
const Secret = "ghp_0123456789abcdefghij"

// Markup is text a test may print to harm who reads it in a browser or a tracker.
const Markup = "</script><img src=x onerror=alert(1)>```\n````@octocat [x](http://evil.example) #1 <!--"

const ms = time.Millisecond

// Attempts writes a failing and a passing attempt of the Rare campaign as bundles and reads them back. They part at
// the passing one's second event.
func Attempts(t testing.TB) (fail, pass *evidence.Attempt) {
	t.Helper()
	passing, failing := trace("open", "read", "close"), trace("open", "close "+Markup)
	d := interleave.Between(interleave.Canonical(passing), interleave.Canonical(failing))
	f := contents(17, run.Fail, failing)
	f.Manifest.Signature = &bundle.Signature{ID: "9f31c0de", Title: "QueueTest.test_shrinking: AssertionError: 3 != 4"}
	f.Divergence, f.Plan = d, []byte(plan)
	f.Manifest.Chaos = &run.Chaos{Strategy: "hold", Made: 2}
	return written(t, "9f31c0de/00000017", f), written(t, "pass/00000100", contents(100, run.Pass, passing))
}

// plan is a plan.json whose tracer's clock began 2 ms after the attempt.
const plan = `{"strategy":"hold","seed":7,"drawn":"exits of futex, 70 % of them","made":[
 {"thread":"0.1","kind":"futex.exit","n":1,"hold_ns":3000000,"at_ns":3000000,"held_ns":3000000,"tid":101,"name":"worker","call":"futex <b>"},
 {"thread":"0","kind":"futex.exit","n":9,"hold_ns":1000000,"at_ns":7000000,"held_ns":1000000,"tid":100}]}`

// trace is two threads, of which the second is told of by name.
func trace(names ...string) *run.Trace {
	t := &run.Trace{Threads: []run.Thread{
		{PID: 100, TID: 100, Parent: -1, Name: "python3", FirstRun: 0, Exited: 20 * ms},
		{PID: 100, TID: 101, Parent: 0, Name: "worker </svg>", Created: 2 * ms, FirstRun: 3 * ms, Exited: 18 * ms}}}
	for i, name := range names {
		t.Points = append(t.Points, run.Point{At: time.Duration(4+4*i) * ms, Thread: 1, Source: run.FromTest, Name: name})
	}
	t.Points = append(t.Points, run.Point{At: 5 * ms, Thread: 1, Source: run.FromTracer, Name: "futex.exit"})
	return t
}

func contents(seq int64, o run.Outcome, t *run.Trace) bundle.Contents {
	line := func(at time.Duration, s run.Stream, text string) run.Chunk {
		return run.Chunk{Stream: s, At: at, Data: []byte(text + "\n")}
	}
	return bundle.Contents{
		Manifest: bundle.Manifest{
			Heisen: "0.1.0", Campaign: "20260301-120000-quiet-owl", Epoch: 1, Variant: interleave.Canonical(t).Variant,
			Attempt:     bundle.Attempt{Seq: seq, Try: 1, Seed: 42, Running: 64},
			Command:     bundle.Command{Given: []bundle.Text{"python3", "-m", "unittest", "it's"}, Args: []bundle.Text{"python3", "-m", "unittest", "it's"}, Path: "/usr/bin/python3", Dir: "/home/dev/project"},
			Environment: bundle.Environment{Values: map[string]bundle.Text{"LANG": "C", "WEIRD": bundle.Text("a|b`" + Hostile)}},
			Git:         provenance.Git{Revision: "0123456789abcdef0123456789abcdef01234567", Dirty: true},
			Host:        provenance.Host{OS: "linux", Arch: "amd64", Kernel: "6.18", Distribution: "Debian 12", CPUs: 2, CPUModel: "Fast | CPU", Memory: 2 << 30},
			Tier:        run.Tier{Name: "A: cgroup v2"},
			Ending:      bundle.Ending{Outcome: o, Cause: "exit code 1", Code: 1},
			Timing:      bundle.Timing{Started: Start, Wall: 20_000},
		},
		Output: &run.Output{Head: []run.Chunk{line(ms, run.Stdout, "test_shrinking ... FAIL"), line(9*ms, run.Stderr, "token="+Secret), line(10*ms, run.Stderr, Markup),
			line(11*ms, run.Stderr, Hostile)}, Total: 200},
		DumpAt: -1, Trace: t,
		Spans: func() []run.Span {
			return []run.Span{{Thread: 0, CPU: 0, From: 0, To: 2 * ms}, {Thread: 1, CPU: 1, From: 3 * ms, To: 5 * ms, Preempted: true}, {Thread: 1, CPU: 0, From: 8 * ms, To: 18 * ms}}
		},
	}
}

func written(t testing.TB, place string, c bundle.Contents) *evidence.Attempt {
	t.Helper()
	dir := t.TempDir()
	ref, err := bundle.Write(dir, place, c)
	require.NoError(t, err)
	a, err := evidence.Read(filepath.Join(dir, ref.Path))
	require.NoError(t, err)
	return a
}
