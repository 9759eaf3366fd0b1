package guard_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// patience is generous: a test waits for a condition, and only a broken one waits this long.
const patience = 40 * time.Second

// guarded is one run of the test binary as front and supervisor.
type guarded struct {
	t   *testing.T
	log string
	tag string
	cmd *exec.Cmd
}

// prepare makes the environment of a run; whatever it starts is found again by its tag.
func prepare(t *testing.T, scenario string, env ...string) *guarded {
	g := &guarded{t: t, log: filepath.Join(t.TempDir(), "log")}
	g.tag = fmt.Sprintf("%s=%d-%s", tagVar, os.Getpid(), t.Name())
	exe, err := os.Executable()
	require.NoError(t, err)
	g.cmd = exec.Command(exe, "guarded")
	g.cmd.Env = append(os.Environ(), append(env, scenarioVar+"="+scenario, logVar+"="+g.log, g.tag)...)
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	t.Cleanup(g.cleanup)
	return g
}

// launch prepares and starts a run in a process group of its own, without a terminal.
func launch(t *testing.T, scenario string, env ...string) *guarded {
	g := prepare(t, scenario, env...)
	require.NoError(t, g.cmd.Start())
	return g
}

// cleanup kills whatever carries the tag, also after a failed test.
func (g *guarded) cleanup() {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		pids := g.alive()
		if len(pids) == 0 {
			break
		}
		for _, pid := range pids {
			unix.Kill(pid, unix.SIGKILL)
		}
	}
	if g.cmd.Process != nil && g.cmd.ProcessState == nil {
		g.cmd.Wait()
	}
}

// alive lists the processes of this run, zombies not among them.
func (g *guarded) alive() []int {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	var pids []int
	for _, file := range files {
		environ, _ := os.ReadFile(file)
		if bytes.Contains(environ, []byte(g.tag+"\x00")) {
			pid, _ := strconv.Atoi(strings.Split(file, "/")[2])
			pids = append(pids, pid)
		}
	}
	return pids
}

func (g *guarded) text() string {
	text, _ := os.ReadFile(g.log)
	return string(text)
}

// await waits until the log holds a line n times.
func (g *guarded) await(line string, n int) {
	g.t.Helper()
	g.until(func() bool { return g.lines(line) >= n }, "%d times %q in the log", n, line)
}

func (g *guarded) lines(line string) int {
	n := 0
	for got := range strings.Lines(g.text()) {
		if got == line+"\n" {
			n++
		}
	}
	return n
}

func (g *guarded) until(ok func() bool, format string, args ...any) {
	g.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			require.FailNow(g.t, "waited in vain for "+fmt.Sprintf(format, args...), "log:\n%s", g.text())
		}
	}
}

// pid reads "front pid=" or "supervisor pid=" from the log.
func (g *guarded) pid(who string) int {
	g.t.Helper()
	pattern := regexp.MustCompile(`(?m)^` + who + ` pid=(\d+)`)
	g.until(func() bool { return pattern.MatchString(g.text()) }, "the pid of the %s", who)
	pid, _ := strconv.Atoi(pattern.FindStringSubmatch(g.text())[1])
	return pid
}

// signal sends one signal to the front alone.
func (g *guarded) signal(sig unix.Signal) {
	g.t.Helper()
	require.NoError(g.t, unix.Kill(g.pid("front"), sig))
}

// code waits for the front and returns its exit code.
func (g *guarded) code() int {
	g.t.Helper()
	ended := make(chan struct{})
	go func() { defer close(ended); g.cmd.Wait() }()
	select {
	case <-ended:
		return g.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		log := g.text()
		g.cmd.Process.Kill()
		<-ended
		require.FailNow(g.t, "the front does not end", "log:\n%s", log)
		return -1
	}
}

// stopped tells whether a process stands still by job control (state T in proc(5)).
func stopped(pid int) bool {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(rest, "T")
}

// console is a pseudo-terminal with an interactive bash on it.
type console struct {
	g      *guarded
	master *os.File
	shell  *exec.Cmd
	mu     sync.Mutex
	out    bytes.Buffer
}

// bash starts an interactive shell that knows the program as $PROG.
func bash(g *guarded) *console {
	t := g.t
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	c := &console{g: g, master: master}
	number := 0
	raw, err := master.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
		number, _ = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
	}))
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	defer slave.Close()
	c.shell = exec.Command("bash", "--norc", "--noprofile", "-i")
	c.shell.Env = append(g.cmd.Env, "PROG="+g.cmd.Path, "PS1=PROMPT ", "TERM=dumb", "HISTFILE=")
	c.shell.Stdin, c.shell.Stdout, c.shell.Stderr = slave, slave, slave
	c.shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, c.shell.Start())
	ended := make(chan struct{})
	go func() { defer close(ended); c.read() }()
	t.Cleanup(func() {
		g.cleanup() // the shell carries the tag too
		c.shell.Wait()
		master.Close()
		<-ended
	})
	c.await("PROMPT ", 1)
	return c
}

// read collects output until the last holder of the slave is gone (EIO).
func (c *console) read() {
	buf := make([]byte, 4096)
	for {
		n, err := c.master.Read(buf)
		c.mu.Lock()
		c.out.Write(buf[:n])
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *console) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.String()
}

func (c *console) write(keys string) {
	c.g.t.Helper()
	_, err := c.master.WriteString(keys)
	require.NoError(c.g.t, err)
}

// await waits until the text was shown n times.
func (c *console) await(text string, n int) {
	c.g.t.Helper()
	for end := time.Now().Add(patience); strings.Count(c.text(), text) < n; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			require.FailNow(c.g.t, "waited in vain for "+text, "terminal:\n%s\nlog:\n%s", c.text(), c.g.text())
		}
	}
}
