package tracer

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
	chaoscode "heisen/stress/chaos/code"
)

// Each of two threads adds to the same number once, without a lock. Neither makes a system call between its load and its store.
const twoAdders = `
#include <pthread.h>
static volatile int total;
static void *add(void *x) { total++; return x; }
int main(void) {
	pthread_t a, b;
	pthread_create(&a, 0, add, 0); pthread_create(&b, 0, add, 0);
	pthread_join(a, 0); pthread_join(b, 0);
	return total;
}`

// eachWay runs a test with breakpoints in the processor's registers, where those work, and with breakpoints in the code.
func eachWay(t *testing.T, run func(t *testing.T, inCode bool)) {
	t.Helper()
	t.Run("registers", func(t *testing.T) {
		if err := ProbeBreakpoints(); err != nil {
			t.Skip("no debug registers: ", err)
		}
		run(t, false)
	})
	t.Run("code", func(t *testing.T) {
		if trapLength == 0 {
			t.Skip(errNoBreakpoints)
		}
		run(t, true)
	})
}

// watching is a plan with breakpoints at all places of a function of the program.
func watching(t *testing.T, program, symbol string, inCode bool) chaos.Plan {
	t.Helper()
	p, err := chaoscode.Read(program)
	if err != nil {
		t.Skip("no place for a breakpoint: ", err)
	}
	plan := draft()
	plan.InCode = inCode
	plan.Replay, plan.Strategy, plan.Program, plan.TrapsUnblocked = false, chaos.AtBreakpoints, p.Path, p.IsGo
	for _, s := range p.Sites {
		if s.Symbol == symbol && len(plan.Breakpoints) < chaos.DebugRegisters {
			plan.Breakpoints = append(plan.Breakpoints, chaos.Breakpoint{Site: s.String(), Offset: s.Offset})
		}
	}
	require.NotEmpty(t, plan.Breakpoints)
	return plan
}

// allowed skips the test where the machine has no debug registers to give.
func allowed(t *testing.T, r *chaos.Report) {
	t.Helper()
	for _, n := range r.Notes {
		if strings.HasPrefix(n, "no breakpoint can be set here") {
			t.Skip(n)
		}
	}
}

// lost finds a plan that holds the first thread between its load and its store, where a hold of a second loses an update. On
// a busy machine the other thread may be over before: then it is tried again.
func lost(t *testing.T, program string, inCode bool) chaos.Plan {
	t.Helper()
	plan := watching(t, program, "add", inCode)
	for n := range 20 * len(plan.Breakpoints) {
		b := plan.Breakpoints[n%len(plan.Breakpoints)]
		try := plan
		try.Replay = true
		try.Decisions = []chaos.Decision{{Address: chaos.Address{Thread: "0.1", Kind: "instruction", Site: b.Site, N: 1}, Hold: time.Second}}
		r, _ := runUnder(t, try, nil, program)
		allowed(t, r)
		if code(t, r) == 1 && len(r.Made) == 1 {
			require.Equal(t, b.Site, r.Made[0].Site)
			require.Equal(t, try.Decisions[0].Address, r.Made[0].Address)
			require.GreaterOrEqual(t, r.Made[0].Held, time.Second)
			require.Len(t, r.Reached, 1, "nothing else is armed in a replay")
			return try
		}
	}
	t.Fatal("no place was between the load and the store")
	return plan
}

func TestABreakpointHoldsAThreadBetweenLoadAndStore(t *testing.T) {
	eachWay(t, holdsBetweenLoadAndStore)
}

func holdsBetweenLoadAndStore(t *testing.T, inCode bool) {
	program := compile(t, twoAdders)
	plan := lost(t, program, inCode)
	none := plan
	none.Decisions = nil
	r, _ := runUnder(t, none, nil, program)
	require.Zero(t, r.Chaos.Made)
	require.Empty(t, r.Reached, "a replay that decides nothing sets no breakpoint: every stop is a delay")
}

func TestTheStrategyHoldsAtBreakpointsAndSaysWhere(t *testing.T) { eachWay(t, strategyHolds) }

func strategyHolds(t *testing.T, inCode bool) {
	program := compile(t, twoAdders)
	plan := watching(t, program, "add", inCode)
	plan.MaxHold, plan.Budget = 2*time.Millisecond, time.Second
	made := int64(0)
	for plan.Seed = 1; plan.Seed <= 20 && made == 0; plan.Seed++ {
		r, _ := runUnder(t, plan, nil, program)
		allowed(t, r)
		made += r.Chaos.Made
		require.Len(t, r.Reached, len(plan.Breakpoints))
		stops := int64(0)
		for _, reached := range r.Reached {
			stops += reached.Times
		}
		require.EqualValues(t, stops, len(r.Made), "a stop delays a thread, held or not: a replay needs them all")
		require.Equal(t, stops, r.Chaos.Made)
		for _, m := range r.Made {
			require.Equal(t, "instruction", m.Kind)
			require.Contains(t, r.Drawn, m.Site)
			require.Positive(t, m.N)
			require.Positive(t, m.Hold)
			require.LessOrEqual(t, m.Hold, plan.MaxHold)
		}
	}
	require.Positive(t, made, "twenty seeds and not one hold")
}

// Goroutines are run by any thread, so visits to a breakpoint of a Go program are counted together: two threads that come by once
// make two of them.
func TestVisitsOfAnyThreadAreCountedTogether(t *testing.T) { eachWay(t, countsVisitsTogether) }

func countsVisitsTogether(t *testing.T, inCode bool) {
	// One after the other: while a thread steps over a breakpoint in the code, it is not there for others.
	const together, inTurn = "pthread_create(&b, 0, add, 0);\n\tpthread_join(a, 0);", "pthread_join(a, 0); pthread_create(&b, 0, add, 0);"
	require.Contains(t, twoAdders, together)
	program := compile(t, strings.Replace(twoAdders, together, inTurn, 1))
	plan := watching(t, program, "add", inCode)
	plan.Replay, plan.TrapsUnblocked = true, true
	for _, visit := range []struct {
		thread string
		n      int64
		made   int
	}{{chaos.AnyThread, 2, 1}, {chaos.AnyThread, 3, 0}, {"0.2", 1, 0}} {
		plan.Decisions = []chaos.Decision{{Address: chaos.Address{Thread: visit.thread, Kind: "instruction", Site: plan.Breakpoints[0].Site, N: visit.n}, Hold: 5 * time.Millisecond}}
		r, _ := runUnder(t, plan, nil, program)
		allowed(t, r)
		require.Len(t, r.Made, visit.made, "%+v", visit)
		if visit.made > 0 {
			require.Equal(t, plan.Decisions[0].Address, r.Made[0].Address)
		}
	}
	plan.Replay, plan.Decisions, plan.MaxHold = false, nil, time.Millisecond
	for plan.Seed = 1; plan.Seed <= 5; plan.Seed++ {
		r, _ := runUnder(t, plan, nil, program)
		seen := map[chaos.Address]bool{}
		for _, m := range r.Made {
			require.Equal(t, chaos.AnyThread, m.Thread)
			require.False(t, seen[m.Address], "%v", m.Address)
			seen[m.Address] = true
		}
		require.Contains(t, r.Drawn, "of visits at each place")
	}
}

// A loop goes by one place a hundred thousand times.
func TestALoopIsStoppedAFewTimesOnly(t *testing.T) { eachWay(t, loopStops) }

func loopStops(t *testing.T, inCode bool) {
	program := compile(t, strings.Replace(twoAdders, "total++;", "for (int i = 0; i < 100000; i++) total++;", 1))
	plan := watching(t, program, "add", inCode)
	plan.MaxHold = time.Microsecond
	for plan.Seed = 1; plan.Seed <= 10; plan.Seed++ {
		r, _ := runUnder(t, plan, nil, program)
		allowed(t, r)
		for _, reached := range r.Reached {
			require.LessOrEqual(t, reached.Times, int64(2*mostStops))
			require.LessOrEqual(t, reached.Threads, 2)
		}
	}
}

// A program's own SIGTRAP, from an instruction or by a signal, is its own as ever.
func TestAHandlerForSIGTRAPIsLeftAlone(t *testing.T) { eachWay(t, leavesHandlers) }

func leavesHandlers(t *testing.T, inCode bool) {
	program := compile(t, `
#include <pthread.h>
#include <signal.h>
static volatile int traps, total;
static void count(int sig) { traps++; }
static void *add(void *x) { total++; __asm__("int3"); raise(SIGTRAP); return x; }
int main(void) {
	signal(SIGTRAP, count);
	pthread_t a, b;
	pthread_create(&a, 0, add, 0); pthread_join(a, 0);
	pthread_create(&b, 0, add, 0); pthread_join(b, 0);
	return traps * 10 + total;
}`)
	plan := watching(t, program, "add", inCode)
	for plan.Seed = 1; plan.Seed <= 5; plan.Seed++ {
		r, _ := runUnder(t, plan, nil, program)
		allowed(t, r)
		require.Equal(t, 42, code(t, r))
		require.Contains(t, strings.Join(r.Notes, "\n"), "a handler for SIGTRAP")
	}
}

func TestOtherProgramsHaveNoBreakpoints(t *testing.T) { eachWay(t, leavesOtherPrograms) }

func leavesOtherPrograms(t *testing.T, inCode bool) {
	program := compile(t, twoAdders)
	plan := watching(t, program, "add", inCode)
	plan.Program = "/bin/sh"
	r, _ := runUnder(t, plan, nil, program)
	for _, reached := range r.Reached {
		require.Zero(t, reached.Times)
	}
}

// What outlives the test is let go of; a breakpoint left in it would kill it.
func TestWhatOutlivesTheTestHasNoBreakpoint(t *testing.T) { eachWay(t, leavesSurvivors) }

func leavesSurvivors(t *testing.T, inCode bool) {
	program := compile(t, `
#include <pthread.h>
#include <unistd.h>
static volatile int total;
static void *add(void *x) { total++; return x; }
int main(void) {
	pthread_t a, b;
	int parent = getpid();
	if (!fork()) {
		setsid();
		while (getppid() == parent) { usleep(1000); add(0); }
		for (int i = 0; i < 1000; i++) { usleep(100); add(0); }
		_exit(7);
	}
	pthread_create(&a, 0, add, 0); pthread_create(&b, 0, add, 0);
	pthread_join(a, 0); pthread_join(b, 0);
	return total;
}`)
	plan := watching(t, program, "add", inCode)
	plan.Budget = time.Second
	s := begin(t, plan, nil, program)
	s.spare = true
	r := s.end()
	allowed(t, r)
	require.Contains(t, []int{1, 2}, code(t, r))
	child := r.Threads[1].PID
	require.NoError(t, syscall.Kill(child, syscall.SIGCONT))
	var st syscall.WaitStatus
	_, err := syscall.Wait4(child, &st, 0, nil)
	require.NoError(t, err)
	require.True(t, st.Exited(), "status %#x", uint32(st))
	require.Equal(t, 7, st.ExitStatus())
}

// Threads, signal handlers and children that run through breakpoints all the time compute what they always do.
func TestBreakpointsChangeNoResult(t *testing.T) {
	program := compile(t, busy)
	eachWay(t, func(t *testing.T, inCode bool) {
		plan := watching(t, program, "add", inCode)
		plan.MaxHold, plan.Budget = 100*time.Microsecond, time.Second
		met := int64(0)
		for plan.Seed = 1; plan.Seed <= 10; plan.Seed++ {
			r, out := runUnder(t, plan, nil, program)
			allowed(t, r)
			require.Zero(t, code(t, r), out)
			for _, reached := range r.Reached {
				met += reached.Times
			}
		}
		require.Positive(t, met)
	})
}

// busy has four threads add under a lock, handlers of signals that come at any instruction call the same function, and
// children use it, who have a copy of its code; 0 where every sum is right.
const busy = `
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile long total;
__attribute__((noinline)) static long add(volatile long *to, long n) {
	long before = *to;
	*to = before + n;
	return *to - before;
}
static void tick(int sig) { volatile long mine = 0; if (add(&mine, 3) != 3) _exit(9); }
static void *work(void *x) {
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&lock);
		if (add(&total, 1) != 1) _exit(8);
		pthread_mutex_unlock(&lock);
		if (i % 500 == 0) {
			int st, pid = fork();
			if (!pid) { volatile long mine = 0; for (int k = 0; k < 100; k++) add(&mine, 2); _exit(mine == 200 ? 0 : 1); }
			if (waitpid(pid, &st, 0) != pid || st) _exit(7);
		}
	}
	return x;
}
int main(void) {
	pthread_t t[4];
	struct sigaction act = {0};
	act.sa_handler = tick; act.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &act, 0);
	for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, work, 0);
	for (int i = 0; i < 400; i++) { usleep(50); pthread_kill(t[i % 4], SIGUSR1); }
	for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
	return total == 8000 ? 0 : 1;
}`

func TestTheProbeOfBreakpointsSaysWhatTheyDo(t *testing.T) {
	err := ProbeBreakpoints()
	program := compile(t, twoAdders)
	plan := watching(t, program, "add", false)
	plan.MaxHold, plan.Budget = time.Millisecond, time.Second
	reached := int64(0)
	for plan.Seed = 1; plan.Seed <= 20 && reached == 0; plan.Seed++ {
		r, _ := runUnder(t, plan, nil, program)
		for _, at := range r.Reached {
			reached += at.Times
		}
	}
	require.Equal(t, err == nil, reached > 0, "the probe: %v", err)
}
