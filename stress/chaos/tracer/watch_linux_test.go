package tracer

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
	places "heisen/stress/chaos/code"
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

// watching is a plan with breakpoints at all places of a function of the program.
func watching(t *testing.T, program, symbol string) chaos.Plan {
	t.Helper()
	p, err := places.Read(program)
	if err != nil {
		t.Skip("no place for a breakpoint: ", err)
	}
	plan := draft()
	plan.Replay, plan.Strategy, plan.Program, plan.TrapsUnblocked = false, chaos.AtBreakpoints, p.Path, p.IsGo
	for _, s := range p.Sites {
		if s.Symbol == symbol && len(plan.Breakpoints) < chaos.MostBreakpoints {
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
func lost(t *testing.T, program string) chaos.Plan {
	t.Helper()
	plan := watching(t, program, "add")
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
	program := compile(t, twoAdders)
	plan := lost(t, program)
	none := plan
	none.Decisions = nil
	r, _ := runUnder(t, none, nil, program)
	require.Zero(t, r.Chaos.Made)
	require.Empty(t, r.Reached, "a replay that decides nothing sets no breakpoint: every stop is a delay")
}

func TestTheStrategyHoldsAtBreakpointsAndSaysWhere(t *testing.T) {
	program := compile(t, twoAdders)
	plan := watching(t, program, "add")
	plan.MaxHold, plan.Budget = 2*time.Millisecond, time.Second
	made := int64(0)
	for plan.Seed = 1; plan.Seed <= 20 && made == 0; plan.Seed++ {
		r, _ := runUnder(t, plan, nil, program)
		allowed(t, r)
		made += r.Chaos.Made
		require.Len(t, r.Reached, len(plan.Breakpoints))
		for _, m := range r.Made {
			require.Equal(t, "instruction", m.Kind)
			require.Contains(t, r.Drawn, m.Site)
			require.Positive(t, m.N)
			require.LessOrEqual(t, m.Hold, plan.MaxHold)
		}
	}
	require.Positive(t, made, "twenty seeds and not one hold")
}

// A loop goes by one place a hundred thousand times.
func TestALoopIsStoppedAFewTimesOnly(t *testing.T) {
	program := compile(t, strings.Replace(twoAdders, "total++;", "for (int i = 0; i < 100000; i++) total++;", 1))
	plan := watching(t, program, "add")
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
func TestAHandlerForSIGTRAPIsLeftAlone(t *testing.T) {
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
	plan := watching(t, program, "add")
	for plan.Seed = 1; plan.Seed <= 5; plan.Seed++ {
		r, _ := runUnder(t, plan, nil, program)
		allowed(t, r)
		require.Equal(t, 42, code(t, r))
		require.Contains(t, strings.Join(r.Notes, "\n"), "a handler for SIGTRAP")
	}
}

func TestOtherProgramsHaveNoBreakpoints(t *testing.T) {
	program := compile(t, twoAdders)
	plan := watching(t, program, "add")
	plan.Program = "/bin/sh"
	r, _ := runUnder(t, plan, nil, program)
	for _, reached := range r.Reached {
		require.Zero(t, reached.Times)
	}
}

// What outlives the test is let go of; a breakpoint left in it would kill it.
func TestWhatOutlivesTheTestHasNoBreakpoint(t *testing.T) {
	program := compile(t, `
#include <pthread.h>
#include <unistd.h>
static volatile int total;
static void *add(void *x) { total++; return x; }
int main(void) {
	pthread_t a, b;
	if (!fork()) { setsid(); for (;;) { usleep(1000); add(0); } }
	pthread_create(&a, 0, add, 0); pthread_create(&b, 0, add, 0);
	pthread_join(a, 0); pthread_join(b, 0);
	return total;
}`)
	plan := watching(t, program, "add")
	plan.Budget = time.Second
	r, _ := runUnder(t, plan, nil, program)
	allowed(t, r)
	require.Contains(t, []int{1, 2}, code(t, r))
}
