// Package recorded holds campaigns as their journals would: fixed events for tests to render. Each goes
// through the journal's own encoding, so that nothing is rendered that a journal could not hold.
package recorded

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
	"heisen/stress/tally"
)

// Dir is the folder that the recorded campaigns are said to be in.
const Dir = "/home/dev/project/.heisen/20260301-120000-quiet-owl"

// Start is when they began.
var Start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Hostile is text a test may print to harm whoever reads it: a clipboard write (OSC 52), a link (OSC 8), a
// window title, a cursor report, an eight-bit CSI, a turn of direction, bytes that are no UTF-8, a new line
// that starts a workflow command, and a log command of another CI.
const Hostile = "\x1b]52;c;QQ==\a\x1b]8;;http://evil\x1b\\\x1b]0;owned\a\x1b[6n\u009b31m\u202etxt\xff\n::error::forged\r##vso[task.complete]"

// Tally folds events after a trip through the journal's encoding.
func Tally(t testing.TB, events []run.Event) *tally.Tally {
	t.Helper()
	folded := tally.New()
	for _, e := range events {
		line, err := run.Encode(e)
		require.NoError(t, err)
		back, err := run.Decode(line)
		require.NoError(t, err)
		folded.Add(back)
	}
	return folded
}

func began(session, epoch int, at time.Duration, args ...string) run.Began {
	return run.Began{
		At: Start.Add(at), Campaign: "20260301-120000-quiet-owl", Epoch: epoch, Session: session, Version: "0.1.0",
		Spec: run.Spec{Command: run.Command{Args: args, Path: "/usr/bin/" + args[0], Dir: "/home/dev/project"},
			Width: 64, Seed: 42, Stop: run.Stop{Runs: 5000}},
		Tier: run.Tier{Name: "A: cgroup v2"},
	}
}

// pass is an attempt that took about 50 ms; the number decides by how much it varies.
func pass(seq int64, at time.Duration) run.Finished {
	return run.Finished{Seq: seq, Try: 1, Slot: int(seq % 64), Running: 64, Seed: run.SeedFor(42, seq), At: Start.Add(at),
		Outcome: run.Pass, Wall: 45_000 + seq*7919%20_000}
}

func failure(seq int64, at time.Duration, o run.Outcome, filed run.Filed) run.Finished {
	e := pass(seq, at)
	e.Outcome, e.Cause, e.Code, e.Wall, e.Filed = o, "exit code 1", 1, 300_000+seq*1000, &filed
	return e
}

// Rare is a campaign of 5,000 runs with three failures of two kinds, that ended by its own rule.
func Rare() []run.Event {
	events := []run.Event{began(1, 1, 0, "python3", "-m", "unittest", "test.test_queue")}
	for seq := int64(1); seq <= 5000; seq++ {
		at := time.Duration(seq) * 30 * time.Millisecond
		switch seq {
		case 50:
			events = append(events, run.TimeoutSet{Timeout: 30 * time.Second, Passes: 50, P99: 65_000})
			fallthrough
		default:
			events = append(events, pass(seq, at))
		case 17, 4096:
			bundle := map[int64]string{17: "bundles/9f31c0de/17", 4096: "bundles/9f31c0de/4096"}[seq]
			events = append(events, failure(seq, at, run.Fail, run.Filed{Signature: "9f31c0de",
				Title: "QueueTest.test_shrinking: AssertionError: 3 != 4", Bundle: bundle, Hash: "00"}))
		case 2500:
			e := failure(seq, at, run.Crash, run.Filed{Signature: "77aa12bc", Title: "SIGSEGV in queue_pop", Bundle: "bundles/77aa12bc/2500"})
			e.Cause, e.Signal, e.Code, e.Leaked = "SIGSEGV", "SIGSEGV", 0, true
			events = append(events, e)
		case 100:
			e := pass(seq, at)
			e.Filed = &run.Filed{Bundle: "passes/100", Hash: "00"}
			events = append(events, e)
		}
	}
	return append(events, run.Ended{At: Start.Add(151 * time.Second), Reason: run.ReasonRuns, Elapsed: 151 * time.Second})
}

// Clean is a campaign of 200 runs without a failure that is still going on, or whose heisen was killed.
func Clean() []run.Event {
	events := []run.Event{began(1, 1, 0, "./queue_test")}
	for seq := int64(1); seq <= 200; seq++ {
		events = append(events, pass(seq, time.Duration(seq)*30*time.Millisecond))
	}
	return events
}

// Troubled is a campaign with everything that casts doubt on figures: heisen killed and resumed, a second
// epoch, a machine out of resources, kills from outside, and a test that prints hostile text.
func Troubled() []run.Event {
	first := began(1, 1, 0, "./queue test", "--name=it's", "\x1b[2J")
	events := []run.Event{first}
	for seq := int64(1); seq <= 40; seq++ {
		events = append(events, pass(seq, time.Duration(seq)*time.Second))
	}
	odd := failure(41, 41*time.Second, run.Fail, run.Filed{Signature: "0123abcd", Title: Hostile, Bundle: "bundles/0123abcd/41"})
	odd.Epoch = 1
	events = append(events, odd)

	second := began(2, 2, time.Hour, "./queue test", "--new")
	second.NotCollected = map[string]string{"psi": "no /proc/pressure"}
	second.Spec.Timeout.Fixed = 5 * time.Second
	second.Tier = run.Tier{Name: "D: process group and subreaper", Lacks: []string{"out-of-memory kills are told from the exit code alone", "a fork bomb is not contained"}}
	events = append(events, second,
		run.MachineFault{Fault: "out of file descriptors: raise the limit with ulimit -n, or use a smaller -j", Wait: time.Second},
		run.MachineFault{Fault: "out of file descriptors: raise the limit with ulimit -n, or use a smaller -j", Wait: 2 * time.Second},
		run.Retried{Seq: 44, Try: 1, Outcome: run.Killed, Cause: "SIGKILL that heisen did not send"},
		run.Retried{Seq: 45, Try: 1, Outcome: run.HarnessError, Cause: "out of memory"},
		run.Retried{Seq: 45, Try: 2, Outcome: run.HarnessError, Cause: "out of memory"})
	for i, o := range []run.Outcome{run.Pass, run.Timeout, run.Killed, run.OOM, run.Skip, run.HarnessError, run.Pass, run.Skip} {
		seq := int64(42 + i)
		e := pass(seq, time.Hour+time.Duration(i)*time.Second)
		e.Epoch, e.Outcome = 2, o
		if o == run.Timeout {
			e.Wall = 5_000_000
			e.Filed = &run.Filed{Signature: "feedbeef", Title: "hang in queue_pop", Tail: "waiting\n"}
		}
		events = append(events, e)
	}
	return append(events, run.Ended{At: Start.Add(time.Hour + 90*time.Second), Reason: run.ReasonInterrupted, Cancelled: 12,
		Elapsed: 90 * time.Second})
}

// Unjudged is a campaign whose every attempt said nothing about the test.
func Unjudged() []run.Event {
	events := []run.Event{began(1, 1, 0, "./skips")}
	for seq := int64(1); seq <= 3; seq++ {
		e := pass(seq, time.Second)
		e.Outcome, e.Cause = run.Skip, "exit code 125"
		events = append(events, e)
	}
	return append(events, run.Ended{At: Start.Add(2 * time.Second), Reason: run.ReasonRuns, Elapsed: 2 * time.Second})
}

// NotStarted is a campaign whose command could not be executed.
func NotStarted() []run.Event {
	e := pass(1, 0)
	e.Outcome, e.Cause, e.Wall = run.StartFailed, "exec ./no: permission denied", 0
	return []run.Event{began(1, 1, 0, "./no"), e,
		run.Ended{At: Start.Add(time.Second), Reason: run.ReasonStart, Detail: "exec ./no: permission denied", Elapsed: time.Second}}
}
