package guard_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"heisen/stress/proc/guard"
)

// The test binary plays the guarded program: with scenarioVar set it is front and supervisor, as cmd
// would be, and writes what happens to it into the log named by logVar.
const (
	scenarioVar = "GUARD_TEST_SCENARIO"
	logVar      = "GUARD_TEST_LOG"
	tagVar      = "GUARD_TEST_TAG"
	noReaperVar = "GUARD_TEST_NO_SUBREAPER"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(scenarioVar); name != "" {
		os.Exit(program(name))
	}
	clean()
	goleak.VerifyTestMain(m)
}

// clean undoes what a background job of a script inherits, ignored SIGINT and SIGHUP, for all that the
// tests start: exec resets a caught signal.
func clean() {
	for _, sig := range []os.Signal{unix.SIGINT, unix.SIGHUP} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
}

// note appends a line to the log of this run of the program.
func note(format string, args ...any) {
	f, err := os.OpenFile(os.Getenv(logVar), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintf(f, format+"\n", args...)
}

func program(name string) int {
	if name == "naive" {
		return naive()
	}
	link, err := guard.Attach()
	if errors.Is(err, guard.ErrNotSupervised) {
		return front()
	}
	if err != nil {
		note("attach: %v", err)
		return 1
	}
	defer link.Close()
	note("supervisor pid=%d foreground=%v", os.Getpid(), link.Foreground())
	return scenarios[name](link)
}

func front() int {
	note("front pid=%d", os.Getpid())
	if os.Getenv(noReaperVar) != "" {
		go withoutSubreaper()
	}
	exit, err := guard.Front(guard.FrontConfig{Args: os.Args})
	if err != nil {
		note("front: %v", err)
		return 1
	}
	_, err = fmt.Println("front done")
	note("exit code=%d signal=%d killed=%d left=%d broken=%v", exit.Code, exit.Signal, exit.Killed, len(exit.Left),
		errors.Is(err, unix.EPIPE))
	if exit.Signal != 0 {
		return 3
	}
	return exit.Code
}

// withoutSubreaper is the negative control: it switches adoption off again once the tree stands.
func withoutSubreaper() {
	for {
		if text, _ := os.ReadFile(os.Getenv(logVar)); strings.Contains(string(text), "ready\n") {
			break
		}
		time.Sleep(time.Millisecond)
	}
	note("subreaper off err=%v", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0))
}

var scenarios = map[string]func(*guard.Link) int{
	"obey":    obey,
	"mute":    mute,
	"flood":   flood,
	"tree":    tree,
	"inspect": inspect,
	"killer":  killer,
	"nested":  nested,
	"spawn":   spawn,
}

// obey logs every command until one of them ends it.
func obey(link *guard.Link) int {
	note("ready")
	return follow(link)
}

func follow(link *guard.Link) int {
	interrupts := 0
	for c := range link.Commands() {
		note("%s", strings.TrimPrefix(fmt.Sprintf("%T", c), "guard."))
		switch c := c.(type) {
		case guard.Suspend:
			c.Ack()
		case guard.Resume:
			note("resumed foreground=%v", c.Foreground)
		case guard.Interrupt:
			if interrupts++; interrupts == 2 {
				return 130
			}
		case guard.Terminate:
			return 7
		case guard.FrontGone:
			return 8
		}
	}
	return 1
}

// mute never acknowledges anything.
func mute(link *guard.Link) int {
	note("ready")
	for c := range link.Commands() {
		note("%s", strings.TrimPrefix(fmt.Sprintf("%T", c), "guard."))
		if _, ok := c.(guard.Terminate); ok {
			return 7
		}
	}
	return 1
}

// flood writes until nobody reads any more.
func flood(*guard.Link) int {
	note("ready")
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		if _, err := fmt.Println("a line of output"); errors.Is(err, unix.EPIPE) {
			return 9
		}
		time.Sleep(time.Millisecond)
	}
	return 1
}

// tree leaves a child, a grandchild in a session of its own and one whose parent is gone, all deaf to TERM.
func tree(link *guard.Link) int {
	cmd := exec.Command("sh", "-c", `trap "" TERM HUP
setsid sh -c 'sleep 600 & echo up; wait' &
(setsid sleep 600 & echo up)
sleep 600 & echo up; wait`)
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return 1
	}
	lines := bufio.NewScanner(out)
	for range 3 {
		lines.Scan()
	}
	note("ready")
	return follow(link)
}

// inspect logs what the supervisor and a child of it find.
func inspect(*guard.Link) int {
	sid, _ := unix.Getsid(0)
	stat, _ := os.ReadFile("/proc/self/stat")
	_, rest, _ := strings.Cut(string(stat), ") ")
	note("leader=%v tty=%s", sid == os.Getpid(), strings.Fields(rest)[4])
	out, err := exec.Command("sh", "-c", `grep -E "SigIgn|SigBlk" /proc/self/status; ls -l /proc/self/fd; env`).Output()
	note("child err=%v\n%s", err, out)
	return 0
}

// killer runs tests that signal their own group: in a session of their own, then in the supervisor's.
func killer(link *guard.Link) int {
	away := exec.Command("sh", "-c", "kill -TERM 0; sleep 600")
	away.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	note("away %v", away.Run())
	// A signal of its own behind whatever came from there: it must be the first to arrive.
	unix.Kill(os.Getpid(), unix.SIGQUIT)
	note("first %T", <-link.Commands())
	note("ready")
	note("beside %v", exec.Command("sh", "-c", "kill -TERM 0; sleep 600").Run())
	return follow(link)
}

// nested runs the program inside itself, with the environment it had itself.
func nested(*guard.Link) int {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "HEISEN_GUARD="+startedWith("HEISEN_GUARD"), scenarioVar+"=inspect")
	note("nested %v", cmd.Run())
	return 5
}

// startedWith reads a variable as it was at exec, which os.Unsetenv does not change.
func startedWith(name string) string {
	environ, _ := os.ReadFile("/proc/self/environ")
	for _, entry := range strings.Split(string(environ), "\x00") {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// spawn starts /bin/true over and over while it obeys.
func spawn(link *guard.Link) int {
	var spawned atomic.Int64
	stop := make(chan struct{})
	defer close(stop)
	for range 2 {
		go churn(&spawned, stop)
	}
	go count(&spawned)
	note("ready")
	return follow(link)
}

// naive is the single process that the package exists to avoid.
func naive() int {
	var spawned atomic.Int64
	for range 2 {
		go churn(&spawned, nil)
	}
	note("front pid=%d", os.Getpid())
	note("ready")
	count(&spawned)
	return 0
}

func churn(spawned *atomic.Int64, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		cmd := exec.Command("/bin/true")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if cmd.Run() == nil {
			spawned.Add(1)
		}
	}
}

// count keeps the number of spawns in a file beside the log.
func count(spawned *atomic.Int64) {
	for {
		os.WriteFile(os.Getenv(logVar)+".count", []byte(strconv.FormatInt(spawned.Load(), 10)), 0o600)
		time.Sleep(5 * time.Millisecond)
	}
}
