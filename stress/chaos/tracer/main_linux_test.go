package tracer

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"heisen/stress/chaos"
)

// playVariable names the helper program that the test binary plays instead of running tests.
const playVariable = "HEISEN_TRACER_PLAY"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Command {
		if err := Run(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if name := os.Getenv(playVariable); name != "" {
		os.Exit(play(name))
	}
	// Like the supervisor: what outlives a test is this process's to name and end.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, "become a subreaper:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// patience bounds what must come, however slow the machine is.
const patience = 60 * time.Second

// subject is one program under the tracer.
type subject struct {
	t      testing.TB
	cmd    *exec.Cmd
	report string
	out    *os.File
	spare  bool // leave what outlives the test alone
	done   chan struct{}
	err    error
}

// draft is a plan that holds nothing and bounds nothing.
func draft(decisions ...chaos.Decision) chaos.Plan {
	return chaos.Plan{Version: chaos.PlanVersion, Strategy: chaos.None, Replay: true, Decisions: decisions, Seed: 1,
		MaxHold: time.Minute, MaxStarve: time.Minute, Budget: time.Hour, MaxPoints: 100000, MaxDecisions: 1000}
}

// decide is a decision at an address.
func decide(thread, kind string, n int64, hold time.Duration) chaos.Decision {
	return chaos.Decision{Address: chaos.Address{Thread: thread, Kind: kind, N: n}, Hold: hold}
}

// begin starts a program under the tracer, as stress/proc starts an attempt.
func begin(t testing.TB, plan chaos.Plan, env []string, argv ...string) *subject {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	text, err := json.Marshal(plan)
	require.NoError(t, err)
	planFile := filepath.Join(dir, "plan")
	require.NoError(t, os.WriteFile(planFile, text, 0o600))
	path, err := exec.LookPath(argv[0])
	require.NoError(t, err)
	s := &subject{t: t, report: filepath.Join(dir, "report"), done: make(chan struct{})}
	line := append(Wrap(self, planFile, s.report), path)
	line = append(line, argv...)
	s.cmd = exec.Command(line[0], line[1:]...)
	s.cmd.Env = append(os.Environ(), env...)
	// A file, not a pipe: what outlives the test holds it, and would keep Wait from returning.
	s.out, err = os.Create(filepath.Join(dir, "output"))
	require.NoError(t, err)
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	require.NoError(t, s.cmd.Start())
	go func() {
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.done
		_ = s.out.Close()
	})
	return s
}

// end waits for the tracer and reads its report.
func (s *subject) end() *chaos.Report {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatalf("the tracer does not end; output so far: %s\n%s", s.text(), stateOf(s.cmd.Process.Pid))
	}
	require.NoError(s.t, s.err, s.text())
	return s.read()
}

// read reads the report.
func (s *subject) read() *chaos.Report {
	s.t.Helper()
	text, err := os.ReadFile(s.report)
	require.NoError(s.t, err)
	var r chaos.Report
	require.NoError(s.t, json.Unmarshal(text, &r))
	require.Empty(s.t, r.Fault)
	s.bury(&r)
	return &r
}

// bury does the supervisor's part: what outlived the test was left to this process, stopped.
func (s *subject) bury(r *chaos.Report) {
	for _, t := range r.Threads {
		got, err := syscall.Wait4(t.PID, nil, syscall.WNOHANG, nil)
		if got == 0 && err == nil && !s.spare {
			_ = syscall.Kill(t.PID, syscall.SIGKILL)
			_, _ = syscall.Wait4(t.PID, nil, 0, nil)
		}
	}
}

// text is what was written to stdout and stderr.
func (s *subject) text() string {
	text, err := os.ReadFile(s.out.Name())
	require.NoError(s.t, err)
	return string(text)
}

// stateOf shows where every thread of a process and its descendants stands.
func stateOf(pid int) string {
	var b strings.Builder
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	for _, dir := range threads {
		for _, name := range []string{"stat", "wchan", "syscall"} {
			text, _ := os.ReadFile(filepath.Join(dir, name))
			fmt.Fprintf(&b, "%s/%s: %s\n", dir, name, strings.TrimSpace(string(text)))
		}
	}
	for _, child := range childrenOf(pid) {
		b.WriteString(stateOf(child))
	}
	return b.String()
}

// run is begin and end.
func runUnder(t testing.TB, plan chaos.Plan, env []string, argv ...string) (*chaos.Report, string) {
	t.Helper()
	s := begin(t, plan, env, argv...)
	r := s.end()
	return r, s.text()
}

// code is the exit code of the test; it must have exited.
func code(t testing.TB, r *chaos.Report) int {
	t.Helper()
	st := syscall.WaitStatus(r.Status)
	require.True(t, st.Exited(), "status %#x", r.Status)
	return st.ExitStatus()
}

// compile makes a program of C, or skips the test.
func compile(t testing.TB, source string, flags ...string) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler (cc) here")
	}
	dir := t.TempDir()
	file, program := filepath.Join(dir, "p.c"), filepath.Join(dir, "p")
	require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
	line := append([]string{"-O1", "-g", "-pthread", "-o", program, file}, flags...)
	if out, err := exec.Command(cc, line...).CombinedOutput(); err != nil {
		if len(flags) > 0 {
			t.Skipf("cc cannot do %v: %s", flags, out)
		}
		t.Fatalf("%s: %s", err, out)
	}
	return program
}

// names are the points of one thread, by its path's place in the report.
func names(r *chaos.Report, thread int) []string {
	var all []string
	for _, p := range r.Points {
		if p.Thread == thread {
			all = append(all, p.Name)
		}
	}
	return all
}

// play is the helper programs.
func play(name string) int {
	fmt.Fprintln(os.Stderr, "no program is called", name)
	return 2
}
