package proc

import (
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

const ignoring = `trap "" TERM QUIT; echo ready; while :; do sleep 0.05; done`

func TestFault01IgnoresQuitAndTerm(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		s := open(t, sh(t, off, ignoring))
		ctl := run.NewControl(run.Orders{Timeout: 300 * time.Millisecond})
		r := s.Run(attempt(1), ctl)
		// That it died of KILL shows that it survived QUIT and TERM: without the last step it would run on.
		require.Equal(t, "SIGKILL", r.Ending.SignalName)
		require.True(t, r.Ending.TimedOut)
		require.False(t, r.Ending.Stopped)
		require.Equal(t, "ready\n", text(r))
		require.EqualValues(t, len("ready\n"), r.Evidence.DumpAt)
		require.GreaterOrEqual(t, r.Wall, 700*time.Millisecond, "time-out and two graces")
		require.Empty(t, r.Evidence.Leaks, "heisen ended it: nothing was left behind")
	})
}

// TestFault01Control leaves out the last step: the test goes on after both signals and both graces, until it
// is ordered to stop at once.
func TestFault01Control(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		off.kills = true
		s := open(t, sh(t, off, ignoring))
		ctl := run.NewControl(run.Orders{Timeout: 100 * time.Millisecond})
		done := background(s, ctl)
		select {
		case <-done:
			t.Fatal("it ended although nothing killed it")
		case <-time.After(time.Second): // the time-out and two graces are half of it
		}
		ctl.Change(func(o *run.Orders) { o.Stop = run.StopNow })
		require.Equal(t, "SIGKILL", (<-done).Ending.SignalName)
	})
}

// stopsItself stands still until it is woken, and tells of a QUIT that it takes.
const stopsItself = `trap 'echo dumped; exit 9' QUIT; echo before; kill -STOP $$; echo after`

func TestFault10StopsItself(t *testing.T) {
	for _, c := range []struct {
		name  string
		sleep bool
		want  run.Ending
		says  bool
	}{
		{"woken", false, run.Ending{TimedOut: true, Code: 9}, true},
		{"control: not woken", true, run.Ending{TimedOut: true, Signal: 9, SignalName: "SIGKILL"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachTier(t, func(t *testing.T, off switches) {
				off.wake = c.sleep
				var pid atomic.Int64
				cfg := sh(t, off, stopsItself)
				cfg.OnStart = func(_ run.Attempt, p int, _ Place) { pid.Store(int64(p)) }
				s := open(t, cfg)
				ctl := run.NewControl(run.Orders{})
				done := background(s, ctl)
				eventually(t, "it stopped itself", func() bool { return pid.Load() > 0 && stateOf(int(pid.Load())) == 'T' })
				ctl.Change(func(o *run.Orders) { o.Timeout = time.Nanosecond })
				r := <-done
				r.Ending.StopTook = 0
				require.Equal(t, c.want, r.Ending)
				require.True(t, strings.HasPrefix(text(r), "before\n"))
				require.Equal(t, c.says, strings.Contains(text(r), "dumped\n"))
			})
		})
	}
}

// bomb forks for ever, cannot be ended by QUIT or TERM, and goes on where a fork fails: the shell then
// exits, and its trap executes it anew. $0 is the bomb itself.
const bomb = `trap "" QUIT TERM; trap 'exec sh -c "$0" "$0"' EXIT; while :; do sh -c "$0" "$0" & done 2>/dev/null`

// living lists what runs in a session.
func living(session int) (found []int) {
	proc := procFS("/proc")
	pids, _ := proc.pids()
	for _, pid := range pids {
		if s, err := proc.stat(pid); err == nil && s.Session == session && !s.over() {
			found = append(found, pid)
		}
	}
	return found
}

// TestFault06ForkBombIsContained: the limit holds, the first round of killing reaches all there is, and nothing
// is left. "Dead in 1 s" is checked as that order and not as a time: what still dies in later rounds was there in
// the second, so that no process of the bomb forked after the first.
func TestFault06ForkBombIsContained(t *testing.T) {
	const most = 40
	eachTier(t, func(t *testing.T, off switches) {
		var rounds [][]int
		off.round = func(pid int) { rounds = append(rounds, living(pid)) }
		cfg := testConfig(t, "/bin/sh", "-c", bomb, bomb)
		cfg.off = off
		cfg.Spec.Limits.Processes = most
		var main atomic.Int64
		cfg.OnStart = func(_ run.Attempt, pid int, _ Place) { main.Store(int64(pid)) }
		// RLIMIT_NPROC counts all of the user's tasks: what ends of those that were there makes room for the bomb.
		others := userTasks("/proc", os.Getuid())
		s := open(t, cfg)
		ctl := run.NewControl(run.Orders{})
		done := background(s, ctl)
		eventually(t, "the bomb explodes", func() bool { return main.Load() > 0 && len(living(int(main.Load()))) >= most/2 })
		ctl.Change(func(o *run.Orders) { o.Timeout = time.Nanosecond })
		r := <-done
		require.Empty(t, living(int(main.Load())), "left at the attempt's end")
		require.True(t, r.Ending.TimedOut)
		require.Equal(t, "SIGKILL", r.Ending.SignalName)
		require.Empty(t, r.Ending.Harness)
		require.GreaterOrEqual(t, len(rounds), 2)
		require.LessOrEqual(t, len(rounds[0]), most+others)
		for _, round := range rounds[2:] {
			for _, pid := range round {
				require.Contains(t, rounds[1], pid, "forked after the first round of killing")
			}
		}
	})
}

// TestFault06Control kills nothing: the bomb goes on after its attempt's end.
func TestFault06Control(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		off.kill, off.leaks = true, true
		cfg := testConfig(t, "/bin/sh", "-c", `sh -c "$0" "$0" >/dev/null 2>&1 &`, bomb)
		cfg.off = off
		cfg.Spec.Limits.Processes = 20
		main := 0
		cfg.OnStart = func(_ run.Attempt, pid int, _ Place) { main = pid }
		s := open(t, cfg)
		require.Equal(t, run.Ending{}, s.Run(attempt(1), nil).Ending)
		eventually(t, "the bomb explodes after the attempt", func() bool { return len(living(main)) >= 10 })
		// The group's number cannot have been given away: it has members.
		require.NoError(t, syscall.Kill(-main, syscall.SIGKILL))
		eventually(t, "the bomb is gone", func() bool { return s.kin.look() == 0 && len(living(main)) == 0 })
		require.False(t, slices.Contains(living(main), main))
	})
}
