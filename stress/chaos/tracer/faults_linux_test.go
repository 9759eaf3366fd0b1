package tracer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

// heldProgram says its number and then starts a thread that the plan holds for a minute.
const heldProgram = `
static void *on_hold(void *x) { return x; }
int main(void) {
	pthread_t t; printf("%d\n", getpid()); fflush(stdout);
	pthread_create(&t, NULL, on_hold, NULL); pthread_join(t, NULL); return 7;
}`

// midHold starts it and waits until its second thread stands in a stop of the tracer's; it gives the process's number.
func midHold(t *testing.T) (*subject, int) {
	t.Helper()
	s := begin(t, draft(decide("0.1", "thread.start", 1, time.Minute)), nil, compile(t, preamble+heldProgram))
	var pid int
	eventually(t, func() bool {
		for _, p := range childrenOf(s.cmd.Process.Pid) {
			tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p))
			for _, stat := range tasks {
				text, _ := os.ReadFile(stat)
				if len(tasks) == 2 && !strings.Contains(stat, fmt.Sprintf("task/%d/", p)) && bytes.Contains(text, []byte(") t ")) {
					pid = p
					return true
				}
			}
		}
		return false
	})
	return s, pid
}

// childrenOf are the children of all threads of a process: the tracer forks the test in whichever thread it stays in.
func childrenOf(pid int) (all []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(text)) {
			n, _ := strconv.Atoi(field)
			all = append(all, n)
		}
	}
	return all
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come to that")
		}
	}
}

func TestTracerKilledInMidHoldLeavesNothing(t *testing.T) {
	s, pid := midHold(t)
	require.NoError(t, s.cmd.Process.Kill())
	<-s.done
	require.Error(t, s.err)
	require.NoFileExists(t, s.report, "no report: the attempt does not count")
	eventually(t, func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || bytes.Contains(text, []byte(") Z "))
	})
}

func TestTestKilledInMidHoldIsReportedAsKilled(t *testing.T) {
	// A thread stands in a stop a little before the tracer makes a hold of it: a test killed then was not held at all.
	for range 20 {
		s, pid := midHold(t)
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		r := s.end()
		require.Equal(t, syscall.SIGKILL, syscall.WaitStatus(r.Status).Signal())
		require.Less(t, r.Chaos.Longest, time.Minute.Microseconds())
		if len(r.Made) > 0 {
			require.Len(t, r.Made, 1)
			require.True(t, r.Made[0].CutOff, "a replay holds it for the whole minute")
			return
		}
	}
	t.Fatal("the hold was never made before the kill")
}

func TestAHoldThatEndsByItselfIsNotCutOff(t *testing.T) {
	r, _ := runUnder(t, draft(decide("0.1", "thread.start", 1, time.Millisecond)), nil, compile(t, preamble+heldProgram))
	require.Len(t, r.Made, 1)
	require.False(t, r.Made[0].CutOff)
	require.GreaterOrEqual(t, r.Made[0].Held, time.Millisecond)
}

func TestSupervisorsSignalsReachTheTestAndEndHolds(t *testing.T) {
	s, pid := midHold(t)
	require.NoError(t, syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM))
	r := s.end()
	require.Equal(t, syscall.SIGTERM, syscall.WaitStatus(r.Status).Signal(), "process %d", pid)
	require.Less(t, r.Chaos.Longest, time.Minute.Microseconds())
}

func TestWhatOutlivesTheTestIsLeftToTheSupervisor(t *testing.T) {
	s := begin(t, draft(), nil, "sh", "-c", "sleep 300 & echo $!; exit 3")
	s.spare = true
	r := s.end()
	require.Equal(t, 3, code(t, r))
	pid, err := strconv.Atoi(strings.TrimSpace(s.text()))
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		_, _ = syscall.Wait4(pid, nil, 0, nil)
	})
	eventually(t, func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		require.NoError(t, err, "it is still there, for the supervisor to name as a leak")
		return bytes.Contains(text, []byte(") T "))
	})
}

// steady makes the same calls in the same order whatever is held, so that its decisions can be compared.
const steady = `
int main(void) {
	int p[2], st; char c; CHECK(!pipe(p));
	sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, NULL); // SIGCHLD comes when the child ends, wherever the parent is
	for (int i = 0; i < 20; i++) {
		pid_t k = fork();
		if (!k) { CHECK(write(p[1], "x", 1) == 1); _exit(0); }
		CHECK(waitpid(k, &st, 0) == k && st == 0); CHECK(read(p[0], &c, 1) == 1);
	}
	return 0;
}`

func addresses(r *chaos.Report) []string {
	var all []string
	for _, m := range r.Made {
		all = append(all, fmt.Sprintf("%s %s %d +%d", m.Thread, m.Kind, m.N, m.Steps))
	}
	return all
}

func TestOneSeedMakesOnePlanAndAReplayMakesItAgain(t *testing.T) {
	program := compile(t, preamble+steady)
	for _, strategy := range []string{chaos.Hold, chaos.Preempt} {
		var kept *chaos.Report
		plan := everyWay(0)[strategy]
		plan.Budget = time.Hour
		for plan.Seed = 1; kept == nil || len(kept.Made) < 3; plan.Seed++ {
			require.Less(t, plan.Seed, uint64(50))
			kept, _ = runUnder(t, plan, nil, program)
		}
		plan.Seed--
		for range 3 {
			again, _ := runUnder(t, plan, nil, program)
			require.ElementsMatch(t, addresses(kept), addresses(again), "seed %d of %s", plan.Seed, strategy)
		}
		replay := plan
		replay.Replay, replay.Seed = true, 0
		for _, m := range kept.Made {
			replay.Decisions = append(replay.Decisions, m.Decision)
		}
		again, _ := runUnder(t, replay, nil, program)
		require.ElementsMatch(t, addresses(kept), addresses(again), "replay of seed %d of %s", plan.Seed, strategy)
	}
}

func TestBudgetBoundsWhatAnAttemptIsLengthenedBy(t *testing.T) {
	plan := draft()
	for n := range int64(20) {
		plan.Decisions = append(plan.Decisions, decide("0", "clone.exit", n+1, 10*time.Millisecond))
	}
	plan.Budget = 35 * time.Millisecond
	r, _ := runUnder(t, plan, nil, compile(t, preamble+steady))
	require.Zero(t, code(t, r))
	require.EqualValues(t, 3, r.Chaos.Made)
	require.EqualValues(t, 17, r.Chaos.Skipped)
	require.EqualValues(t, 20, r.Chaos.Planned)
	require.Equal(t, 30*time.Millisecond, r.Lengthened)
}

// stubborn ignores what it is asked to stop by, and tells when it does.
const stubborn = `
static void *spin(void *x) { for (;;) pause(); return x; }
int main(void) {
	signal(SIGQUIT, SIG_IGN); signal(SIGTERM, SIG_IGN);
	pthread_t t; pthread_create(&t, NULL, spin, NULL);
	for (volatile long i = 0; i < 30000000; i++) ;
	puts("deaf"); fflush(stdout); pthread_join(t, NULL); return 0;
}`

// TestATestThatWillNotStopLeavesAnUnfinishedReport: it is killed together with its tracer, which must have written by then.
func TestATestThatWillNotStopLeavesAnUnfinishedReport(t *testing.T) {
	program := compile(t, preamble+stubborn)
	early := compile(t, preamble+strings.Replace(stubborn, "main(void) {", "main(void) { ptrace(PTRACE_TRACEME, 0, 0, 0);", 1))
	for traced, path := range map[bool]string{true: program, false: early} {
		s := begin(t, everyWay(1)[chaos.Hold], nil, path)
		eventually(t, func() bool { return strings.Contains(s.text(), "deaf") })
		require.NoFileExists(t, s.report)
		require.NoError(t, syscall.Kill(-s.cmd.Process.Pid, syscall.SIGQUIT))
		eventually(t, func() bool { _, err := os.Stat(s.report); return err == nil })
		require.NoError(t, s.cmd.Process.Kill())
		<-s.done
		r := s.read()
		require.True(t, r.Unfinished)
		require.Empty(t, r.Spoiled)
		require.Equal(t, traced, r.Unsupported == "", r.Unsupported)
		require.Equal(t, traced, r.Chaos.Stops > 0)
		require.Positive(t, r.Usage.MaxRSS)
		require.Positive(t, r.Usage.MinorFaults)
	}
}

// TestATestThatStopsLeavesAWholeReport: the unfinished one is written over.
func TestATestThatStopsLeavesAWholeReport(t *testing.T) {
	s := begin(t, everyWay(1)[chaos.Hold], nil, "sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done")
	eventually(t, func() bool { return strings.Contains(s.text(), "ready") })
	require.NoError(t, syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM))
	r := s.end()
	require.False(t, r.Unfinished)
	require.Equal(t, 5, code(t, r))
}
