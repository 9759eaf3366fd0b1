package proc

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// errClosed is an attempt asked for after Close.
var errClosed = errors.New("supervisor is closed")

// Run executes one attempt and blocks to its very end: when it returns, no process of the attempt is left
// and its output is closed. The orders of ctl are obeyed while it runs; with a nil ctl only the attempt's
// own time-out counts. What happened is in the Result, failures to start included.
func (s *Supervisor) Run(a run.Attempt, ctl *run.Control) run.Result {
	if ctl == nil {
		ctl = run.NewControl(run.Orders{Timeout: a.Timeout})
	}
	if err := s.enter(); err != nil {
		return run.Result{Started: time.Now(), Ending: run.Ending{Harness: err.Error()}, Evidence: run.Evidence{DumpAt: -1}}
	}
	defer s.leave()
	c, err := s.start(a)
	if err != nil {
		return s.notStarted(a, err)
	}
	t := trial{Supervisor: s, child: c, dumpAt: -1}
	t.stopper = stopper{dump: s.dump != 0, grace: s.cfg.Spec.Timeout.Grace, lenient: s.cfg.off.kills}
	t.follow(ctl)
	return t.finish()
}

func (s *Supervisor) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.inflight++
	return nil
}

func (s *Supervisor) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inflight--
}

// start brings the attempt's main process to life and under watch.
func (s *Supervisor) start(a run.Attempt) (*child, error) {
	c, err := s.begin(a)
	if err != nil {
		return nil, err
	}
	s.kin.born(c)
	room := c.cell
	err = room.quota.arm()
	if s.cfg.OnStart != nil {
		at := room.place()
		at.Followed, at.Forked = c.followed, c.started
		s.cfg.OnStart(a, c.pid, at)
	}
	if err == nil {
		err = s.poll.watch(c)
	}
	if err != nil {
		// Without its quota or a watch the attempt is worth nothing: take it back as if it had never been.
		t := trial{Supervisor: s, child: c}
		return nil, fmt.Errorf("%w: %w", errHarness, errors.Join(err, t.abandon()))
	}
	return c, nil
}

// begin takes a cell and starts the process in it. Where any thread may fork, only a few attempts at a time do that: a
// forking thread waits in the kernel until its child, which needs a CPU for it, has executed, and the hundreds that
// could not start yet hold no cell, whose descriptors every fork would have to copy.
func (s *Supervisor) begin(a run.Attempt) (*child, error) {
	if !s.cells.layout.laned() {
		s.forking <- struct{}{}
		defer func() { <-s.forking }()
	}
	room, err := s.cells.take()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errHarness, err)
	}
	c := &child{attempt: a, cell: room, exit: make(chan struct{})}
	c.out = output{fds: [2]int{-1, -1}, tape: newTape(s.cfg.Spec.Keep.OutputBytes), eof: make(chan struct{})}
	s.kin.add(c)
	if err := s.launch(c); err != nil {
		s.kin.drop(c)
		return nil, errors.Join(err, s.cells.give(room))
	}
	return c, nil
}

// launch forks and executes. A program file that is still open for writing somewhere (ETXTBSY)
// is tried again for a while: most often a child of another thread has inherited the writer's descriptor
// and will drop it when it executes (https://go.dev/issue/22315).
func (s *Supervisor) launch(c *child) error {
	inv := s.recipe.make(c.attempt)
	deadline := time.Now().Add(busyLimit)
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		err := s.fork(c, inv)
		if err != syscall.ETXTBSY || s.cfg.off.busy || time.Now().After(deadline) {
			return err
		}
		time.Sleep(wait)
	}
}

// fork starts the process on this goroutine's thread where any thread will do. Go keeps the threads it has
// made, so the parent-death signal does not come early; handing every fork to a thread of its own cost two
// switches between threads for each attempt.
func (s *Supervisor) fork(c *child, inv invocation) error {
	lane := c.cell.lane
	if s.follow != nil && (!c.cell.own || c.cell.loose != nil) && s.cfg.Followed(c.attempt) {
		c.followed = true
		if !c.cell.own {
			lane = s.follow.lane
		}
	}
	if !c.cell.own && !c.followed {
		if done, err := s.forkHere(c, inv); done {
			return err
		}
	}
	reply := make(chan error, 1)
	lane.requests <- launch{c: c, inv: inv, reply: reply}
	return <-reply
}

// forkHere is fork on this thread; false where it is not fit for it.
func (s *Supervisor) forkHere(c *child, inv invocation) (done bool, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Gettid() == s.self || s.masked && unblockSignals() != nil {
		return false, nil
	}
	return true, s.spawn.start(c, inv)
}

// notStarted sorts what kept an attempt from starting: the machine, or the command.
func (s *Supervisor) notStarted(a run.Attempt, err error) run.Result {
	r := run.Result{Started: time.Now(), Evidence: run.Evidence{DumpAt: -1}}
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		s.cells.trim()
	}
	if words := exhausted(s.fs, err); words != "" {
		r.Ending.Machine = words
		return r
	}
	var errno syscall.Errno
	if errors.As(err, &errno) && !errors.Is(err, errHarness) {
		r.Ending.StartError = explainStart(s.recipe.make(a), len(s.recipe.shim), errno)
		return r
	}
	r.Ending.Harness = err.Error()
	return r
}

// trial is one attempt from its start to its end.
type trial struct {
	*Supervisor
	*child
	stopper stopper
	dumpAt  int64
	empty   bool // its cgroup was seen empty after its main process had ended
	harness []string
}

// follow carries out orders and time-outs until the attempt's own part is over: the main process has
// ended, and if heisen is stopping it, everything else has too or had its grace.
func (t *trial) follow(ctl *run.Control) {
	timer := time.NewTimer(oomScoreAfter)
	defer timer.Stop()
	exit := t.exit
	scored := false
	for {
		orders, changed := ctl.Watch()
		now := time.Since(t.started)
		act, wait := t.stopper.next(orders, now)
		if act != doNothing {
			t.carryOut(act)
			continue
		}
		switch {
		case t.stopper.phase == killing:
			wait = clearLimit
		case !scored && now >= oomScoreAfter:
			t.raiseOOMScore()
			scored = true
		case !scored && (wait == never || wait > oomScoreAfter-now):
			wait = oomScoreAfter - now
		case wait == never:
			wait = time.Hour
		}
		if exit == nil {
			if t.stopper.phase == killing || len(t.remaining()) == 0 {
				return
			}
			wait = min(wait, 5*time.Millisecond)
		}
		timer.Reset(max(wait, 0))
		select {
		case <-exit:
			if t.stopper.phase == running {
				return
			}
			exit = nil
		case <-changed:
		case <-timer.C:
			if t.stopper.phase == killing && time.Since(t.started) > t.stopper.since+clearLimit {
				t.fault(errLeftBehind)
				return
			}
		}
	}
}

// carryOut does what the stopper decided. Signals to the group are exact: its leader is not reaped yet.
func (t *trial) carryOut(act action) {
	switch act {
	case doSuspend:
		t.suspend(true)
	case doResume:
		t.suspend(false)
	case doDump:
		t.dumpAt = t.out.settle(t.poll, t.started)
		t.signalAwake(t.dump)
	case doTerminate:
		t.signalAwake(syscall.SIGTERM)
	case doKill:
		t.killOnce()
	}
}

// signalAwake signals the attempt's process group and wakes it: a test that stopped itself could neither dump
// nor end.
func (t *trial) signalAwake(sig syscall.Signal) {
	t.signalGroup(sig)
	if !t.cfg.off.wake {
		t.signalGroup(syscall.SIGCONT)
	}
}

func (t *trial) fault(err error) {
	if err != nil {
		t.harness = append(t.harness, err.Error())
	}
}

// signalGroup signals the attempt's process group.
func (t *trial) signalGroup(sig syscall.Signal) {
	_ = syscall.Kill(-t.pid, sig)
}

// suspend stops the whole tree, or lets it go on.
func (t *trial) suspend(on bool) {
	if t.cell.group != nil {
		t.fault(t.cell.group.freeze(on))
		return
	}
	sig := syscall.SIGCONT
	if on {
		sig = syscall.SIGSTOP
	}
	t.signalGroup(sig)
	for _, pid := range t.tree() {
		signalStranger(t.fs, pid, sig, func(s stat) bool { return s.Session != t.kin.session && s.Group != t.pid })
	}
}
