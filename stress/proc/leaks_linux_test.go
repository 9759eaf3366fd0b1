package proc

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// leakCases leave something behind in every way a test can; each leaves one process that is told by its
// own number of seconds.
var leakCases = []struct {
	name, script, left string
	code               int
}{
	{"Fault02GrandchildHoldsStdout", "sleep 3002 & echo hi", "sleep 3002", 0},
	{"Fault03GrandchildAndExitCode", "sleep 3003 & echo hi; exit 7", "sleep 3003", 7},
	{"Fault04DaemonLeavesGroup", `setsid sh -c 'trap "" TERM HUP; echo up; exec sleep 3004' & while ! [ -e "$HEISEN_SEED" ]; do sleep 0.05; break; done; echo hi`, "sleep 3004", 0},
	{"Fault05ClosedStdio", "sleep 3005 >/dev/null 2>&1 </dev/null & echo hi", "sleep 3005", 0},
	{"StoppedChild", "sleep 3007 & kill -STOP $!; echo hi", "sleep 3007", 0},
	{"DoubleFork", "(setsid sh -c '(sleep 3008 &)' &) ; sleep 0.2; echo hi", "sleep 3008", 0},
	{"ClearedEnvironment", "env -i setsid -f sleep 3009 >/dev/null 2>&1; echo hi", "sleep 3009", 0},
}

func TestLeaks(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		for _, c := range leakCases {
			t.Run(c.name, func(t *testing.T) {
				r := once(t, sh(t, off, c.script))
				require.Equal(t, run.Ending{Code: c.code}, r.Ending)
				require.True(t, r.Leaked())
				require.Contains(t, text(r), "hi\n")
				require.False(t, r.Evidence.HeldOpen)
				require.NotEmpty(t, r.Evidence.Leaks)
				for _, l := range r.Evidence.Leaks {
					require.Positive(t, l.PID)
				}
				require.Contains(t, fmt.Sprint(r.Evidence.Leaks), lastWord(c.left))
				require.False(t, alive(c.left, false))
			})
		}
	})
}

// lastWord is the number of seconds: the shell may not have executed sleep yet when it is named.
func lastWord(text string) string { return text[strings.LastIndexByte(text, ' ')+1:] }

// TestLeaksControl shows that the checks above fail without the mechanisms: nothing is found where nobody
// looks, and what is not killed lives on.
func TestLeaksControl(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		off.kill, off.leaks = true, true
		for _, c := range leakCases[:4] {
			t.Run(c.name, func(t *testing.T) {
				s := open(t, sh(t, off, c.script))
				r := s.Run(attempt(1), nil)
				require.Empty(t, r.Evidence.Leaks)
				eventually(t, c.left+" runs", func() bool { return alive(c.left, false) })
				scrub(t, s, c.left)
			})
		}
	})
}

// TestFault02NaiveReaderHangs shows what the time limit on the output is for.
func TestFault02NaiveReaderHangs(t *testing.T) {
	off := switches{kill: true, leaks: true, drain: true}
	s := open(t, sh(t, off, "sleep 3012 & echo hi"))
	done := make(chan run.Result)
	go func() { done <- s.Run(attempt(1), nil) }()
	eventually(t, "the sleeper runs", func() bool { return alive("sleep 3012", false) })
	select {
	case <-done:
		t.Fatal("returned although the output is held open")
	case <-time.After(4 * drainLimit):
	}
	require.True(t, alive("sleep 3012", true))
	require.False(t, (<-done).Evidence.HeldOpen)
	eventually(t, "zombies are reaped", func() bool { return s.kin.look() == 0 })
}

// A process that is over but not reaped is no leak.
func TestZombieIsNoLeak(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		r := once(t, helper(t, off, "zombie"))
		require.Equal(t, run.Ending{}, r.Ending)
		require.False(t, r.Leaked(), "%+v", r.Evidence)
	})
}

// Many attempts at once, each leaving its own process: every leak goes to its own attempt.
func TestLeaksGoToTheirAttempt(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		s := open(t, sh(t, off, "setsid -f sleep 4{attempt} >/dev/null 2>&1; sleep 5{attempt} & sleep 0.2"))
		var wg sync.WaitGroup
		results := make([]run.Result, 25)
		for i := range results {
			wg.Go(func() { results[i] = s.Run(attempt(int64(100+i)), nil) })
		}
		wg.Wait()
		for i, r := range results {
			require.Equal(t, run.Ending{}, r.Ending)
			require.Len(t, r.Evidence.Leaks, 2, "%+v", r.Evidence.Leaks)
			for _, l := range r.Evidence.Leaks {
				require.True(t, strings.HasSuffix(l.Command, fmt.Sprint(100+i)), "%d: %s", 100+i, l.Command)
			}
		}
		require.Zero(t, s.Strays())
	})
}

// Where two attempts could have started an orphan that carries no trace of either, it is killed as soon
// as none of them runs, and nobody is accused.
func TestStrayIsKilledAndNobodyAccused(t *testing.T) {
	s := open(t, helper(t, switches{cgroup: true}, "role{attempt}"))
	ctl := run.NewControl(run.Orders{Timeout: patience})
	older := background(s, ctl)
	eventually(t, "the older attempt runs", func() bool {
		s.kin.mu.Lock()
		defer s.kin.mu.Unlock()
		return len(s.kin.running) == 1
	})

	r := s.Run(attempt(2), nil)
	require.Empty(t, r.Evidence.Leaks)
	require.True(t, r.Evidence.HeldOpen, "the stray has the output of attempt 2")
	require.True(t, alive("sleep 3020", false))

	ctl.Change(func(o *run.Orders) { o.Stop = run.StopNow })
	require.Empty(t, (<-older).Evidence.Leaks)
	eventually(t, "the stray is gone", func() bool { return !alive("sleep 3020", false) })
	require.EqualValues(t, 1, s.Strays().Count)
	require.Contains(t, s.Strays().Last.Command, "sleep 3020")
	eventually(t, "the stray is reaped", func() bool { return s.kin.look() == 0 })
}

// A test may take its own output back out of the pipe; the reader of all attempts must not block on that.
func TestReadingOwnOutputBlocksNobody(t *testing.T) {
	s := open(t, sh(t, switches{}, "for i in 1 2 3 4 5 6 7 8; do (echo x; head -c 1 /dev/stdout >/dev/null) & done; sleep 0.1; kill $(jobs -p) 2>/dev/null; wait; true"))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r := s.Run(attempt(int64(i+1)), nil)
			if r.Ending.TimedOut {
				t.Error("timed out")
			}
		})
	}
	wg.Wait()
}

// A stray that is slow to die is met again by the next look, which reads a state from before its death.
func TestStrayIsCountedOnce(t *testing.T) {
	cmd := exec.Command("/usr/bin/setsid", "sleep", "3021")
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Wait() }()
	slow := &orphan{stat: stat{PID: cmd.Process.Pid, State: 'S'}}
	k := &kin{fs: "/proc", tracked: true, orphans: map[int]*orphan{cmd.Process.Pid: slow}}
	k.killStrays()
	slow.stat = stat{PID: cmd.Process.Pid, State: 'R'}
	k.killStrays()
	require.EqualValues(t, 1, k.strays.Count)
}
