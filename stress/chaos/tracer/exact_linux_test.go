package tracer

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

// The programs check themselves: each is right under every schedule, and wrong if the tracer loses, doubles or
// changes anything. Exit code 0 is the whole answer; a line on stderr says what was wrong.
var correct = map[string]string{
	"signals come once each, in order, with their values": `
static int next, bad;
static void on(int s, siginfo_t *i, void *c) { (void)s; (void)c; if (i->si_value.sival_int != next++ || i->si_code != SI_QUEUE) bad = 1; }
int main(void) {
	struct sigaction a = {0}; a.sa_sigaction = on; a.sa_flags = SA_SIGINFO | SA_RESTART; sigaction(SIGRTMIN, &a, NULL);
	pid_t me = getpid(); int st;
	pid_t k = fork();
	if (!k) { for (int i = 0; i < 100; i++) { union sigval v = {.sival_int = i}; while (sigqueue(me, SIGRTMIN, v)) usleep(100); } _exit(0); }
	while (waitpid(k, &st, 0) < 0) ;
	usleep(0);
	CHECK(next == 100); CHECK(!bad); CHECK(st == 0); return 0;
}`,
	"a stopped child is seen to stop, go on and end": `
int main(void) {
	int st; pid_t k = fork();
	if (!k) for (;;) pause();
	for (int i = 0; i < 5; i++) {
		kill(k, SIGSTOP); CHECK(waitpid(k, &st, WUNTRACED) == k); CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
		kill(k, SIGCONT); CHECK(waitpid(k, &st, WCONTINUED) == k); CHECK(WIFCONTINUED(st));
	}
	kill(k, SIGTERM); CHECK(waitpid(k, &st, 0) == k); CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGTERM);
	return 0;
}`,
	"an orphaned group is not stopped from the terminal": `
int main(void) { CHECK(getpgrp() == getpid()); CHECK(getsid(0) == getpid()); raise(SIGTSTP); raise(SIGTTIN); return 0; }`,
	"children of every kind give their codes": `
extern char **environ;
int main(void) {
	int st; pid_t k;
	if (!(k = fork())) _exit(3);
	CHECK(waitpid(k, &st, 0) == k && WEXITSTATUS(st) == 3);
	if (!(k = vfork())) _exit(4);
	CHECK(waitpid(k, &st, 0) == k && WEXITSTATUS(st) == 4);
	char *argv[] = {"sh", "-c", "exit 5", NULL};
	CHECK(!posix_spawnp(&k, "sh", NULL, NULL, argv, environ));
	CHECK(waitpid(k, &st, 0) == k && WEXITSTATUS(st) == 5);
	struct { uint64_t flags, pidfd, child, parent, exit_signal, stack, size, tls; } a = {.exit_signal = SIGCHLD};
	k = syscall(435, &a, sizeof a);
	if (!k) _exit(6);
	if (k > 0) CHECK(waitpid(k, &st, 0) == k && WEXITSTATUS(st) == 6);
	CHECK(waitpid(-1, &st, 0) == -1 && errno == ECHILD);
	return 0;
}`,
	"a thread that is not the leader executes": `
static char *self;
static void *go(void *x) { (void)x; char *argv[] = {self, "again", NULL}; execv("/proc/self/exe", argv); return NULL; }
static void *idle(void *x) { for (;;) pause(); return x; }
int main(int argc, char **argv) {
	pthread_t t, u; self = argv[0];
	if (argc > 1) { CHECK(getpid() == syscall(SYS_gettid)); pthread_create(&t, NULL, (void *(*)(void *))getpid, NULL); pthread_join(t, NULL); return 0; }
	pthread_create(&u, NULL, idle, NULL); pthread_create(&t, NULL, go, NULL);
	pthread_join(t, NULL); return 9;
}`,
	"the leader ends before its threads": `
static void *late(void *x) { usleep(1000); exit(0); return x; }
int main(void) { pthread_t t; pthread_create(&t, NULL, late, NULL); pthread_exit(NULL); }`,
	"a filter of the test's own is obeyed": `
int main(void) {
	struct sock_filter f[] = {
		{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_getpriority}, {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRACE | 7},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_sched_yield}, {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EDOM},
		{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
	struct sock_fprog p = {sizeof f / sizeof *f, f};
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p));
	CHECK(syscall(SYS_getpriority, 0, 0) == -1 && errno == ENOSYS);
	CHECK(sched_yield() == -1 && errno == EDOM);
	pthread_t t; CHECK(!pthread_create(&t, NULL, (void *(*)(void *))getpid, NULL)); pthread_join(t, NULL);
	CHECK(sched_yield() == -1 && errno == EDOM);
	CHECK(syscall(SYS_getpriority, 0, 0) == -1 && errno == ENOSYS);
	return 0;
}`,
	"a filter of its own that comes late is obeyed": `
int main(void) {
	pthread_t t; CHECK(!pthread_create(&t, NULL, (void *(*)(void *))getpid, NULL)); pthread_join(t, NULL);
	struct sock_filter f[] = {
		{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_sched_yield}, {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRACE | 7},
		{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
	struct sock_fprog p = {sizeof f / sizeof *f, f};
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p));
	CHECK(sched_yield() == -1 && errno == ENOSYS);
	CHECK(!pthread_create(&t, NULL, (void *(*)(void *))getpid, NULL)); pthread_join(t, NULL);
	return 0;
}`,
	"calls that never restart are not interrupted": `
static int p[2], e; static atomic_int bad;
static void *waiter(void *x) {
	struct epoll_event ev; (void)x;
	for (int i = 0; i < 40; i++) if (epoll_wait(e, &ev, 1, 5) < 0) bad = errno;
	return NULL;
}
int main(void) {
	pthread_t t[3]; pipe(p); e = epoll_create1(0); struct epoll_event ev = {.events = EPOLLIN}; epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev);
	for (int i = 0; i < 3; i++) pthread_create(&t[i], NULL, waiter, NULL);
	for (int i = 0; i < 3; i++) pthread_join(t[i], NULL);
	CHECK(bad == 0); return 0;
}`,
	"a sleep that a stop interrupts lasts its time": `
int main(void) {
	struct timespec a, b; pid_t me = getpid(), k = fork(); int st;
	if (!k) { for (int i = 0; i < 5; i++) { usleep(10000); kill(me, SIGSTOP); usleep(1000); kill(me, SIGCONT); } _exit(0); }
	clock_gettime(CLOCK_MONOTONIC, &a);
	struct timespec d = {.tv_nsec = 200000000}; CHECK(!nanosleep(&d, NULL));
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK((b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec >= 200000000L);
	CHECK(waitpid(k, &st, 0) == k && st == 0); return 0;
}`,
	"a timer's signals come while it is held": `
static volatile int n;
static void on(int s) { (void)s; n++; }
int main(void) {
	struct sigaction a = {0}; a.sa_handler = on; a.sa_flags = SA_RESTART; sigaction(SIGALRM, &a, NULL);
	pthread_t t; pthread_create(&t, NULL, (void *(*)(void *))getpid, NULL);
	struct itimerval v = {{0, 2000}, {0, 2000}}; setitimer(ITIMER_REAL, &v, NULL);
	while (n < 20) pause();
	pthread_join(t, NULL); return 0;
}`,
	"short threads": `
static atomic_int n;
static void *one(void *x) { n++; return x; }
int main(void) {
	pthread_t t[20];
	for (int r = 0; r < 5; r++) {
		for (int i = 0; i < 20; i++) CHECK(!pthread_create(&t[i], NULL, one, NULL));
		for (int i = 0; i < 20; i++) CHECK(!pthread_join(t[i], NULL));
	}
	CHECK(n == 100); return 0;
}`,
	"a small fork bomb": `
static int bomb(int depth) {
	pid_t a, b; int s, t;
	if (!depth) return 1;
	if (!(a = fork())) _exit(bomb(depth - 1));
	if (!(b = fork())) _exit(bomb(depth - 1));
	CHECK(waitpid(a, &s, 0) == a); CHECK(waitpid(b, &t, 0) == b);
	return WEXITSTATUS(s) + WEXITSTATUS(t);
}
int main(void) { CHECK(bomb(6) == 64); return 0; }`,
	"orphans are not in the way": `
int main(void) {
	int p[2]; char c; CHECK(!pipe(p));
	pid_t k = fork();
	if (!k) { if (!fork()) { usleep(1000); write(p[1], "x", 1); _exit(0); } _exit(0); }
	waitpid(k, NULL, 0); CHECK(read(p[0], &c, 1) == 1); return 0;
}`,
	"a process that kills a stopped child": `
int main(void) {
	int st;
	for (int i = 0; i < 20; i++) {
		pid_t k = fork();
		if (!k) for (;;) sched_yield();
		usleep(500); kill(k, SIGKILL); CHECK(waitpid(k, &st, 0) == k && WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
	}
	return 0;
}`,
	"a parent that is killed as it forks leaves a child that goes on": `
int main(void) {
	int st;
	for (int i = 0; i < 50; i++) {
		int p[2]; char c; CHECK(!pipe(p));
		pid_t k = fork();
		if (!k) { for (;;) { pid_t g = fork(); if (!g) _exit(0); waitpid(g, NULL, 0); } }
		usleep(i * 20); kill(k, SIGKILL); CHECK(waitpid(k, &st, 0) == k && WIFSIGNALED(st));
		close(p[1]); CHECK(read(p[0], &c, 1) == 0); close(p[0]);
	}
	return 0;
}`,
	"threads that are born as the process ends": `
static void *more(void *x) { pthread_t t; for (;;) { if (!pthread_create(&t, NULL, (void *(*)(void *))getpid, NULL)) pthread_detach(t); } return x; }
int main(void) {
	int st;
	for (int i = 0; i < 20; i++) {
		pid_t k = fork();
		if (!k) { pthread_t t; pthread_create(&t, NULL, more, NULL); usleep(i * 50); _exit(i); }
		CHECK(waitpid(k, &st, 0) == k && WIFEXITED(st) && WEXITSTATUS(st) == i);
	}
	return 0;
}`,
	"breakpoints are the test's own": `
static volatile int n;
static void on(int s) { (void)s; n++; }
int main(void) {
	pthread_t t; signal(SIGTRAP, on); pthread_create(&t, NULL, (void *(*)(void *))getpid, NULL);
	for (int i = 0; i < 10; i++) raise(SIGTRAP);
	pthread_join(t, NULL); CHECK(n == 10); return 0;
}`,
}

const preamble = `
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#define CHECK(c) do { if (!(c)) { fprintf(stderr, "line %d: %s (errno %d)\n", __LINE__, #c, errno); exit(99); } } while (0)
`

// everyWay are all strategies, with short bounds.
func everyWay(seed uint64) map[string]chaos.Plan {
	plans := map[string]chaos.Plan{}
	for _, name := range []string{chaos.None, chaos.Hold, chaos.Starve, chaos.Preempt, chaos.PCT} {
		plans[name] = chaos.Plan{Version: chaos.PlanVersion, Strategy: name, Seed: seed, MaxHold: 2 * time.Millisecond,
			MaxStarve: 20 * time.Millisecond, Budget: 300 * time.Millisecond, MaxPoints: 1000, MaxDecisions: 100}
	}
	return plans
}

func TestCorrectProgramsStayCorrect(t *testing.T) {
	for name, source := range correct {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			program := compile(t, preamble+source)
			seeds := uint64(1)
			if os.Getenv("HEISEN_SLOW_TESTS") != "" {
				seeds = 20
			}
			for seed := range seeds {
				for strategy, plan := range everyWay(seed + 1) {
					r, out := runUnder(t, plan, nil, program)
					require.Zero(t, r.Status, "%s, seed %d: %s", strategy, seed+1, out)
					require.Empty(t, r.Unsupported)
					require.Empty(t, r.Spoiled)
				}
			}
		})
	}
}

func TestTwoThousandThreads(t *testing.T) {
	program := compile(t, preamble+strings.NewReplacer("r < 5;", "r < 100;", "n == 100", "n == 2000").Replace(correct["short threads"]))
	plan := everyWay(1)[chaos.Hold]
	plan.MaxHold = 100 * time.Microsecond
	r, out := runUnder(t, plan, nil, program)
	require.Zero(t, r.Status, out)
	require.Len(t, r.Threads, 2001)
	require.Positive(t, r.Dropped, "points are counted when there is no more room")
}

func TestProgramThatTracesIsSpoiled(t *testing.T) {
	program := compile(t, preamble+`
int main(void) { puts("begun"); fflush(stdout); return ptrace(PTRACE_TRACEME, 0, 0, 0) ? 1 : 0; }`)
	r, _ := runUnder(t, draft(), nil, program)
	require.Contains(t, r.Spoiled, "ptrace")

	early := compile(t, preamble+`
int main(void) { if (ptrace(PTRACE_TRACEME, 0, 0, 0)) return 1; puts("traced"); return 0; }`)
	r, out := runUnder(t, draft(), nil, early)
	require.Contains(t, r.Unsupported, "ptrace")
	require.Zero(t, code(t, r), "it was begun anew, untraced: %s", out)
	require.Equal(t, "traced\n", out)
	require.Empty(t, r.Spoiled)
}

func TestLeakSanitizerIsSwitchedOffAndOptionsAreKept(t *testing.T) {
	r, out := runUnder(t, draft(), []string{"ASAN_OPTIONS=color=never", "LSAN_OPTIONS="}, "sh", "-c", `echo "$ASAN_OPTIONS $LSAN_OPTIONS"`)
	require.Equal(t, "color=never:detect_leaks=0 detect_leaks=0\n", out)
	require.Contains(t, r.Notes, leaksUnchecked)

	t.Setenv("ASAN_OPTIONS", "")
	t.Setenv("LSAN_OPTIONS", "")
	require.NoError(t, os.Unsetenv("ASAN_OPTIONS"))
	require.NoError(t, os.Unsetenv("LSAN_OPTIONS"))
	r, out = runUnder(t, draft(), nil, "sh", "-c", `echo "$ASAN_OPTIONS $LSAN_OPTIONS"`)
	require.Equal(t, "detect_leaks=0 detect_leaks=0\n", out)
	require.Empty(t, r.Notes, "nothing of it could have made a difference here")
}

func TestSanitizersKeepTheirReports(t *testing.T) {
	asan := compile(t, preamble+`
int main(void) { pthread_t t; pthread_create(&t, NULL, (void *(*)(void *))getpid, NULL); pthread_join(t, NULL);
	volatile char *p = malloc(8); malloc(77); return p[8]; }`, "-fsanitize=address")
	r, out := runUnder(t, everyWay(1)[chaos.Hold], nil, asan)
	require.NotZero(t, r.Status)
	require.Contains(t, out, "heap-buffer-overflow")
	require.NotContains(t, out, "LeakSanitizer has encountered a fatal error")
	require.Contains(t, r.Notes, leaksUnchecked)

	static := compile(t, preamble+`
int main(void) { pthread_t t; pthread_create(&t, NULL, (void *(*)(void *))getpid, NULL); return pthread_join(t, NULL); }`,
		"-fsanitize=address", "-static-libasan")
	r, out = runUnder(t, everyWay(1)[chaos.Hold], nil, static)
	require.Zero(t, code(t, r), out)
	require.Contains(t, r.Notes, leaksUnchecked)

	tsan := compile(t, preamble+`
static int n;
static void *add(void *x) { for (int i = 0; i < 1000; i++) n++; return x; }
int main(void) { pthread_t t, u; pthread_create(&t, NULL, add, NULL); pthread_create(&u, NULL, add, NULL);
	pthread_join(t, NULL); pthread_join(u, NULL); return 0; }`, "-fsanitize=thread")
	r, out = runUnder(t, everyWay(1)[chaos.Hold], nil, tsan)
	if strings.Contains(out, "FATAL: ThreadSanitizer") {
		t.Skip("ThreadSanitizer does not run on this machine: " + out)
	}
	require.Contains(t, out, "data race")
	require.NotZero(t, r.Status)
}
