package tracer

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

// walking is a plan with single steps from a point.
func walking(steps int64, thread, kind string, n ...int64) chaos.Plan {
	plan := draft()
	for _, n := range n {
		plan.Decisions = append(plan.Decisions, chaos.Decision{Address: chaos.Address{Thread: thread, Kind: kind, N: n, Steps: steps}, Hold: time.Millisecond})
	}
	return plan
}

// A thread that stores its flags while it is stepped stores the trap flag, and sets it again when it restores them.
func TestFlagsStoredDuringStepsDoNotKill(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("only amd64 has a trap flag that programs see")
	}
	program := compile(t, `
#include <pthread.h>
static unsigned long flags[1000];
static void *work(void *x) {
	for (int i = 0; i < 1000; i++) __asm__ volatile("pushfq; popq %0" : "=r"(flags[i]) :: "memory");
	for (int i = 0; i < 1000; i++) __asm__ volatile("pushq %0; popfq; nop; nop" :: "r"(flags[i]) : "memory", "cc");
	int stored = 0;
	for (int i = 0; i < 1000; i++) stored += flags[i] >> 8 & 1;
	return (void *)(long)(stored ? 3 : 4);
}
int main(void) {
	void *result; pthread_t a;
	pthread_create(&a, 0, work, 0); pthread_join(a, &result);
	return (long)result;
}`)
	r, _ := runUnder(t, walking(2000, "0.1", "thread.start", 1), nil, program)
	require.Equal(t, 3, code(t, r), "3: some stored flags had it, as this test needs")
	require.EqualValues(t, 2000, r.Steps)
}

// A step takes far longer than an instruction: where nothing is left to lengthen the attempt by, a walk ends, and no other begins.
func TestStepsStopWhenNothingIsLeftForThem(t *testing.T) {
	program := compile(t, `
#include <pthread.h>
#include <sched.h>
static volatile int n;
static void *work(void *x) { for (int i = 0; i < 20; i++) { sched_yield(); for (int k = 0; k < 20000; k++) n++; } return x; }
int main(void) { pthread_t a; pthread_create(&a, 0, work, 0); pthread_join(a, 0); return 0; }`)
	plan := walking(5000, "0.1", "yield.exit", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	plan.Budget = time.Nanosecond
	r, _ := runUnder(t, plan, nil, program)
	require.Zero(t, code(t, r))
	require.Positive(t, r.Steps)
	require.LessOrEqual(t, r.Steps, int64(stepsToPay))
	require.EqualValues(t, 10, r.Chaos.Skipped)

	plan.Budget = time.Hour
	r, _ = runUnder(t, plan, nil, program)
	require.EqualValues(t, 10*5000, r.Steps)
	require.EqualValues(t, 10, r.Chaos.Made)
}
