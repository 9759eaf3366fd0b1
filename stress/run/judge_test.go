package run_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

func signal(s syscall.Signal, name string) run.Ending {
	return run.Ending{Signal: int(s), SignalName: name}
}

func TestJudgeByEnding(t *testing.T) {
	term, kill := signal(syscall.SIGTERM, "SIGTERM"), signal(syscall.SIGKILL, "SIGKILL")
	segv := signal(syscall.SIGSEGV, "SIGSEGV")
	core := segv
	core.CoreDumped = true
	timedOut := kill
	timedOut.TimedOut = true
	stopped := kill
	stopped.Stopped = true
	oom := kill
	oom.OOMKills = 2

	cases := []struct {
		name   string
		ending run.Ending
		want   run.Outcome
		cause  string
	}{
		{"exit 0", run.Ending{}, run.Pass, ""},
		{"exit 1", run.Ending{Code: 1}, run.Fail, "exit code 1"},
		{"exit 125 is neither", run.Ending{Code: 125}, run.Skip, "exit code 125"},
		{"a shell's 137 is the test's own exit code", run.Ending{Code: 137}, run.Fail, "exit code 137"},
		{"SIGSEGV", segv, run.Crash, "SIGSEGV"},
		{"SIGSEGV with a core", core, run.Crash, "SIGSEGV (core dumped)"},
		{"SIGKILL from outside", kill, run.Killed, "SIGKILL that heisen did not send"},
		{"SIGTERM from outside", term, run.Killed, "SIGTERM that heisen did not send"},
		{"killed by heisen for its time", timedOut, run.Timeout, "ran past its time-out"},
		{"exits 0 at the dump signal", run.Ending{TimedOut: true}, run.Timeout, "ran past its time-out"},
		{"stopped by heisen", stopped, run.Cancelled, "stopped by heisen"},
		{"out of memory", oom, run.OOM, "the kernel killed 2 of its processes for memory"},
		{"a child died of memory and the test passed", run.Ending{OOMKills: 1}, run.Pass, ""},
		{"cannot start", run.Ending{StartError: errors.New("no such file")}, run.StartFailed, "no such file"},
		{"the machine is out of something", run.Ending{StartError: errors.New("x"), Machine: "out of processes"}, run.HarnessError, "out of processes"},
		{"heisen's own fault beats everything", run.Ending{Code: 1, TimedOut: true, Harness: "lost the group"}, run.HarnessError, "lost the group"},
		{"failed after standing paused", run.Ending{Code: 1, Suspended: time.Second}, run.HarnessError, "it stood paused (Ctrl-Z) and did not pass after that"},
		{"passed after standing paused", run.Ending{Suspended: time.Second}, run.Pass, ""},
	}
	judge, err := run.NewJudge(run.Oracle{})
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out, cause := judge.Outcome(&run.Result{Ending: c.ending})
			require.Equal(t, c.want, out)
			require.Equal(t, c.cause, cause)
		})
	}
}

func TestJudgeByPattern(t *testing.T) {
	cases := []struct {
		name   string
		oracle run.Oracle
		ending run.Ending
		output string
		want   run.Outcome
	}{
		{"fail-on turns a pass", run.Oracle{FailOn: []string{"RACE"}}, run.Ending{}, "a RACE b", run.Fail},
		{"no match leaves the exit code", run.Oracle{FailOn: []string{"RACE"}}, run.Ending{}, "fine", run.Pass},
		{"pass-on turns a failure", run.Oracle{PassOn: []string{"^OK$"}}, run.Ending{Code: 1}, "x\nOK\n", run.Pass},
		{"pass-on turns a crash", run.Oracle{PassOn: []string{"OK"}}, signal(syscall.SIGSEGV, "SIGSEGV"), "OK", run.Pass},
		{"fail-on beats pass-on", run.Oracle{FailOn: []string{"a"}, PassOn: []string{"b"}}, run.Ending{}, "ab", run.Fail},
		{"ignore beats fail-on", run.Oracle{FailOn: []string{"a"}, Ignore: []string{"b"}}, run.Ending{Code: 1}, "ab", run.Skip},
		{"a hang stays a hang", run.Oracle{PassOn: []string{"OK"}, FailOn: []string{"OK"}}, run.Ending{TimedOut: true}, "OK", run.Timeout},
		{"a hang may be ignored", run.Oracle{Ignore: []string{"OK"}}, run.Ending{TimedOut: true}, "OK", run.Skip},
		{"a kill from outside is no pattern's to judge", run.Oracle{FailOn: []string{"x"}}, signal(syscall.SIGKILL, "SIGKILL"), "x", run.Killed},
		{"second pattern of a list", run.Oracle{FailOn: []string{"no", "yes"}}, run.Ending{}, "yes", run.Fail},
		{"an empty match is a match", run.Oracle{FailOn: []string{"^"}}, run.Ending{}, "", run.Fail},
		{"bytes that are no text", run.Oracle{FailOn: []string{"b"}}, run.Ending{}, "\xff\x00b", run.Fail},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			judge, err := run.NewJudge(c.oracle)
			require.NoError(t, err)
			r := run.Result{Ending: c.ending}
			half := len(c.output) / 2
			r.Evidence.Output.Head = []run.Chunk{{Stream: run.Stdout, Data: []byte(c.output[:half])}}
			r.Evidence.Output.Tail = []run.Chunk{{Stream: run.Stderr, Data: []byte(c.output[half:])}}
			out, _ := judge.Outcome(&r)
			require.Equal(t, c.want, out)
		})
	}
}

func TestCauseQuotesWhatMatched(t *testing.T) {
	judge, err := run.NewJudge(run.Oracle{FailOn: []string{"(?s)BAD.*"}})
	require.NoError(t, err)
	r := run.Result{}
	r.Evidence.Output.Head = []run.Chunk{{Data: append([]byte("BAD\x1b]0;title\a"), make([]byte, 500)...)}}
	_, cause := judge.Outcome(&r)
	require.Contains(t, cause, `--fail-on matched "BAD\x1b]0;title\a`)
	require.NotContains(t, cause, "\x1b")
	require.Less(t, len(cause), 400, "long matches are cut")
}

func TestBadPatternNamesItsFlag(t *testing.T) {
	for flag, oracle := range map[string]run.Oracle{
		"--fail-on": {FailOn: []string{"ok", "("}}, "--pass-on": {PassOn: []string{"("}}, "--ignore": {Ignore: []string{"("}},
	} {
		_, err := run.NewJudge(oracle)
		require.ErrorContains(t, err, flag)
	}
}

func TestOutcomesAreAClosedSet(t *testing.T) {
	require.Len(t, run.Outcomes(), 10)
	for _, o := range run.Outcomes() {
		require.True(t, o.Valid())
		require.False(t, o.Failed() && o.Retryable(), "%s: a failure of the test is never tried again", o)
	}
	require.False(t, run.Outcome("PASS").Valid())
	require.Equal(t, "harness-error", run.HarnessError.String())
}
