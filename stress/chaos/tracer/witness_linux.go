package tracer

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"heisen/stress/chaos"
)

const (
	// answerTime is how long a thread is kept where it was while the program prints its stacks.
	answerTime = 3 * time.Second
	// debugTime and debugBytes bound what a debugger may take and say.
	debugTime  = 20 * time.Second
	debugBytes = 1 << 20
)

// witness has the stacks of a process's threads taken where the plan asks for it, once: the program prints them itself
// where its runtime can, else a debugger does. A nil one takes none.
type witness struct {
	at   spot
	held bool // the plan holds a thread there, and just before it goes on is the moment
	met  bool
	// asked tells that stacks are on their way into the output; why says why not; pid is of the process that a debugger
	// shall look at, 0 for none.
	asked bool
	why   string
	pid   int
}

func newWitness(plan *chaos.Plan) (*witness, error) {
	a := plan.Stacks
	if a == nil {
		return nil, nil
	}
	p, ok := pointNamed(a.Kind)
	if !ok {
		return nil, fmt.Errorf("take stacks: no kind of point is called %q: use the heisen that recorded it", a.Kind)
	}
	w := &witness{at: spot{a.Thread, p, a.N, a.Site}, why: "no thread came to that point while one was held"}
	for _, d := range plan.Decisions {
		w.held = w.held || d.Thread == a.Thread && d.Kind == a.Kind && d.N == a.N && d.Site == a.Site
	}
	return w, nil
}

// meets tells whether this is the moment: the thread is there, another one is held, or this one's own hold is over.
func (w *witness) meets(t *task, holding bool) bool {
	if w == nil || w.met || !holding || w.held != (t.held != nil) || w.at != t.last.spot {
		return false
	}
	w.met = true
	return true
}

// opens tells whether a debugger is to look at the test, which must not be traced then.
func (w *witness) opens() bool { return w != nil && w.pid != 0 }

// told is what the report says of it.
func (w *witness) told() (why string, asked bool) {
	if w == nil {
		return "", false
	}
	return w.why, w.asked
}

// ask has the stacks taken of a thread's process, which is held for that long.
func (l *loop) ask(t *task) {
	w := l.witness
	if t.held == nil { // the bounds did not allow it
		w.why = "the thread could not be held where they were to be taken"
		return
	}
	l.holds.remove(t.held)
	t.held.until = l.clock.now() + answerTime
	l.holds.add(t.held)
	l.arm()
	sig := dumpSignal(t.proc.pid)
	switch _, err := exec.LookPath("gdb"); {
	case sig != 0:
		if err := syscall.Kill(t.proc.pid, sig); err != nil {
			w.why = "it could not be signalled: " + err.Error()
			return
		}
		w.why, w.asked = "", true
	case err != nil:
		w.why = "the program's runtime prints no stacks, and there is no gdb"
	default:
		w.pid = t.proc.pid
	}
}

// dumpSignal is what has the runtime of a process print the stacks of all threads, 0 for nothing.
func dumpSignal(pid int) syscall.Signal {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	exe, _ := os.Readlink(filepath.Join(dir, "exe"))
	maps, _ := os.ReadFile(filepath.Join(dir, "maps"))
	environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
	switch {
	case bytes.Contains(maps, []byte("/libjvm.so")):
		return syscall.SIGQUIT
	case strings.HasPrefix(filepath.Base(exe), "python"):
		// faulthandler is asked for in the environment; without it a debugger shows at least the C side.
		if bytes.Contains(environ, []byte("PYTHONFAULTHANDLER=1")) {
			return syscall.SIGABRT
		}
		return 0
	}
	if _, err := buildinfo.ReadFile(filepath.Join(dir, "exe")); err == nil {
		return syscall.SIGQUIT
	}
	return 0
}

// debug has a debugger print the stacks of the process, which the tracer has left stopped, and ends the test.
func (l *loop) debug() {
	w := l.witness
	text, err := backtrace(w.pid)
	if err == nil {
		_, err = os.Stderr.Write(text)
	}
	if err != nil {
		w.why = err.Error()
	} else {
		w.why, w.asked = "", true
	}
	for _, pid := range []int{w.pid, l.root} {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	l.over, l.overAt, l.status = true, l.clock.now(), status(syscall.SIGKILL)
}

// backtrace is what gdb says of all threads of a process, bounded in size and time. It reads no init file and no script
// that a program or its folder carries: -nx leaves out the former, auto-load off the latter.
func backtrace(pid int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), debugTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "gdb", "-nx", "-batch", "-iex", "set auto-load off", "-iex", "set debuginfod enabled off",
		"-p", strconv.Itoa(pid), "-ex", "set width 0", "-ex", "thread apply all bt "+strconv.Itoa(chaos.MostFrames))
	cmd.Dir, cmd.WaitDelay = "/", time.Second
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start gdb: %w: install it, or explain without stacks", err)
	}
	text, err := io.ReadAll(io.LimitReader(out, debugBytes))
	cancelled := ctx.Err()
	cancel()
	_ = cmd.Wait() // what it said counts, also where it was cut short
	if err == nil {
		err = cancelled
	}
	if err == nil && !bytes.Contains(text, []byte("\n#0 ")) {
		err = fmt.Errorf("it shows no stack")
	}
	if err != nil {
		return nil, fmt.Errorf("ask gdb for stacks: %w: see whether gdb -p works here", err)
	}
	return text, nil
}
