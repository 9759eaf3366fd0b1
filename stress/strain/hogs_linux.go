package strain

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// readyLimit is how long a hog may take to begin, filling its memory included.
	readyLimit = 2 * time.Minute
	// restartAfter keeps a hog that cannot live from becoming a fork loop.
	restartAfter = time.Second
	// readyLine is what a hog prints when it is at work; anything else says why it is not.
	readyLine = "ready\n"
)

// Hogs are running processes that load the machine. Methods may be called from any goroutine.
type Hogs struct {
	self  []string
	dir   string
	watch *os.File // the read end, which the hogs inherit as standard input
	alive *os.File // the write end: nobody writes, and it is closed by Close or by heisen's death
	stop  context.CancelFunc
	kept  sync.WaitGroup

	mu     sync.Mutex
	stats  Stats
	live   map[*os.Process]struct{}
	paused bool
}

// Start starts the hogs of a load and returns when all are at work. Call it after proc.Open, which may move
// heisen to another cgroup, and Close before the Supervisor is closed. A load of more memory than can be had
// is refused.
func Start(load Load, cfg Config) (*Hogs, error) {
	self := cfg.Self
	if len(self) == 0 {
		path, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("start load: find heisen's own executable: %w", err)
		}
		self = []string{path, HogCommand}
	}
	if cfg.Available == nil {
		cfg.Available = available
	}
	if err := checkMemory(load.Memory, cfg.Available); err != nil {
		return nil, err
	}
	dir := cmp.Or(cfg.Dir, os.TempDir())
	if err := checkDisk(load, dir); err != nil {
		return nil, err
	}
	watch, alive, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start load: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	h := &Hogs{self: self, dir: dir, watch: watch, alive: alive, stop: stop, live: map[*os.Process]struct{}{}}
	ready := h.keepAll(ctx, load)
	if err := h.await(ready); err != nil {
		return nil, errors.Join(fmt.Errorf("start load: %w", err), h.Close())
	}
	return h, nil
}

// keepAll sets a keeper on each hog. Each sends one value when its hog has begun or could not.
func (h *Hogs) keepAll(ctx context.Context, load Load) (ready chan error) {
	var jobs [][]string
	for range load.CPU {
		jobs = append(jobs, []string{hogCPU})
	}
	if load.Memory > 0 {
		jobs = append(jobs, []string{hogMemory, strconv.FormatInt(load.Memory, 10)})
	}
	for range load.IO {
		jobs = append(jobs, []string{hogIO, h.dir})
	}
	h.stats.Hogs = len(jobs)
	ready = make(chan error, len(jobs)) // has room for all, so that a keeper never waits for Start
	for _, job := range jobs {
		h.kept.Go(func() { h.onOwnThread(func() { h.keep(ctx, job, ready) }) })
	}
	return ready
}

func (h *Hogs) await(ready chan error) error {
	limit := time.NewTimer(readyLimit)
	defer limit.Stop()
	for range h.stats.Hogs {
		select {
		case err := <-ready:
			if err != nil {
				return err
			}
		case <-limit.C:
			return fmt.Errorf("a hog did not begin in %v: ask for less", readyLimit)
		}
	}
	return nil
}

// onOwnThread runs f on a thread that lives as long as f does: the kernel sends a child its parent-death
// signal when the THREAD that forked it dies (prctl(2), PR_SET_PDEATHSIG). It is not the main thread, whose
// list of children the supervisor reads at every attempt's end.
func (h *Hogs) onOwnThread(f func()) {
	runtime.LockOSThread() // and never unlock: the thread ends with its goroutine
	if syscall.Gettid() != os.Getpid() {
		f()
		return
	}
	// While this goroutine holds the main thread, another one cannot get it.
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.onOwnThread(f)
	}()
	<-done
	runtime.UnlockOSThread()
}

// keep starts one hog, and starts it again when it dies.
func (h *Hogs) keep(ctx context.Context, job []string, ready chan<- error) {
	begun := func(err error) { ready <- err }
	for {
		err := h.once(ctx, job, begun)
		if ctx.Err() != nil {
			return
		}
		begun = h.restarted
		h.died(err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(restartAfter):
		}
	}
}

// once runs one hog to its death and says what it died of.
func (h *Hogs) once(ctx context.Context, job []string, begun func(error)) error {
	cmd := exec.CommandContext(ctx, h.self[0], append(h.self[1:len(h.self):len(h.self)], job...)...)
	cmd.Stdin = h.watch
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		err = fmt.Errorf("start a %s hog: %w", job[0], err)
		begun(err)
		return err
	}
	h.enter(cmd.Process)
	line, _ := bufio.NewReaderSize(out, 512).ReadString('\n')
	if line == readyLine {
		h.working(1)
		begun(nil)
	}
	err = cmd.Wait()
	h.leave(cmd.Process)
	if line == readyLine {
		h.working(-1)
		return fmt.Errorf("%s hog: %w", job[0], orEnded(err))
	}
	err = fmt.Errorf("%s hog: %s", job[0], cmp.Or(strings.TrimSpace(line), orEnded(err).Error()))
	begun(err)
	return err
}

func orEnded(err error) error {
	if err == nil {
		return errors.New("ended by itself")
	}
	return err
}

// enter and leave keep the set of hogs that can be signalled; one that is started in a pause joins it.
func (h *Hogs) enter(p *os.Process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.live[p] = struct{}{}
	if h.paused {
		_ = p.Signal(syscall.SIGSTOP)
	}
}

func (h *Hogs) leave(p *os.Process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.live, p)
}

func (h *Hogs) working(change int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Running += change
}

func (h *Hogs) died(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Deaths++
	h.stats.LastDeath = err.Error()
}

func (h *Hogs) restarted(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.stats.Restarts++
	}
}

// Pause stops the hogs, or lets them go on: a campaign that is suspended should leave the machine alone.
func (h *Hogs) Pause(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paused = on
	sig := syscall.SIGCONT
	if on {
		sig = syscall.SIGSTOP
	}
	for p := range h.live {
		_ = p.Signal(sig) // one that has just died needs none
	}
}

// Stats tells how the hogs are now.
func (h *Hogs) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stats
}

// Close kills the hogs and waits until they are gone. It may be called again.
func (h *Hogs) Close() error {
	h.stop()
	h.kept.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.alive == nil {
		return nil
	}
	err := errors.Join(h.alive.Close(), h.watch.Close())
	h.alive, h.watch = nil, nil
	return err
}
