package proc

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// remaining lists what runs of the attempt beside its main process, which has ended.
func (t *trial) remaining() []int {
	if t.cell.group == nil {
		return t.kin.of(t.child)
	}
	if populated, err := t.cell.group.populated(); err == nil && !populated {
		t.empty = true
		return nil
	}
	var pids []int
	for _, pid := range t.cell.group.pids() {
		if s, err := t.fs.stat(pid); err == nil && !s.over() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// killOnce sends SIGKILL to all of the attempt that can be reached now and tells whether anything is left.
// It is repeated until nothing is: a killed process's children can appear only then (tier D).
func (t *trial) killOnce() (left bool) {
	if t.cfg.off.round != nil {
		t.cfg.off.round(t.pid)
	}
	t.signalGroup(syscall.SIGKILL)
	if t.cell.group == nil {
		return t.kin.kill(t.child)
	}
	populated, err := t.cell.group.populated()
	if err == nil && !populated {
		return false
	}
	t.fault(t.cell.group.kill())
	return true
}

// clear kills until nothing of the attempt is left, then reaps what died.
func (t *trial) clear() error {
	if t.cfg.off.kill {
		return nil
	}
	if t.empty { // only heisen puts processes into the cgroup, so nothing can appear in it any more
		t.kin.look()
		return nil
	}
	deadline := time.Now().Add(clearLimit)
	killed := false
	for wait := 100 * time.Microsecond; t.killOnce(); wait = min(2*wait, 20*time.Millisecond) {
		killed = true
		if time.Now().After(deadline) {
			return errLeftBehind
		}
		time.Sleep(wait)
	}
	if t.cell.group == nil {
		return nil
	}
	// What was killed in the cgroup leaves it before it can be reaped.
	for wait := time.Millisecond; t.kin.lookDying(killed) && time.Now().Before(deadline); {
		time.Sleep(wait)
	}
	return nil
}

// leaks names what outlived the main process for longer than it takes to exit.
func (t *trial) leaks() []run.Leak {
	if t.cfg.off.leaks || t.stopper.phase != running {
		return nil
	}
	pids := t.remaining()
	for wait, waited := time.Millisecond, time.Duration(0); len(pids) > 0 && waited < leakTolerance; wait *= 2 {
		time.Sleep(wait)
		waited += wait
		pids = t.remaining()
	}
	leaks := make([]run.Leak, 0, len(pids))
	for _, pid := range pids {
		leaks = append(leaks, run.Leak{PID: pid, Command: t.fs.command(pid)})
	}
	if len(leaks) == 0 {
		return nil
	}
	return leaks
}

// finish ends an attempt whose main process is a zombie: nothing of it is left afterwards, and everything
// known about it is in the result.
func (t *trial) finish() run.Result {
	r := run.Result{Started: t.started}
	leaks := t.leaks()
	err := t.clear()
	t.fault(err)
	clean := err == nil
	limit := drainLimit
	if t.cfg.off.drain {
		limit = time.Hour
	}
	held := t.out.finish(t.poll, t.started, limit)
	if t.cfg.OnZombie != nil {
		t.cfg.OnZombie(t.attempt, t.pid)
	}
	stood := t.stopper.pausedFor(t.ended)
	r.Wall = max(t.ended-stood, 0)
	r.Ending = run.Ending{TimedOut: t.stopper.timedOut, Stopped: t.stopper.stopped, Suspended: stood,
		StopTook: t.stopper.stoppingFor(t.ended)}
	status, usage, err := t.reap()
	t.fault(err)
	describe(&r, status, usage)
	t.out.mu.Lock()
	r.Evidence = run.Evidence{Output: t.out.tape.output(), DumpAt: t.dumpAt, Leaks: leaks, HeldOpen: held}
	t.out.mu.Unlock()
	r.Ending.OOMKills = t.oomKills(r.Ending)
	t.retire(clean && err == nil)
	if len(t.harness) > 0 {
		r.Ending.Harness = fmt.Sprint(t.harness[0])
	}
	return r
}

// retire gives everything back. A cell that is not empty is set aside for Close.
func (t *trial) retire(clean bool) {
	t.poll.forget(t.child)
	_ = syscall.Close(t.pidfd)
	t.kin.drop(t.child)
	if clean && t.cells.give(t.cell) == nil {
		return
	}
	t.Supervisor.mu.Lock()
	defer t.Supervisor.mu.Unlock()
	t.retired = append(t.retired, t.cell)
}

// abandon takes back an attempt that was started but cannot be watched.
func (t *trial) abandon() error {
	err := t.clear()
	_, _, reaped := t.reap()
	err = errors.Join(err, reaped)
	t.out.finish(t.poll, t.started, 0)
	t.retire(err == nil)
	return err
}

// oomKills counts the attempt's processes that the kernel killed for memory: by its own cgroup's counter
// where it has one, else by the whole machine's, if the main process died of a SIGKILL heisen did not send.
func (t *trial) oomKills(e run.Ending) int {
	if t.cell.oom != nil {
		return t.cell.oomKills()
	}
	if e.Signal != int(syscall.SIGKILL) || t.stopper.phase == killing {
		return 0
	}
	return t.vmstat.claim(time.Now())
}

// reap takes the main process from the process table. It may have to be waited for: until a tracer of
// someone else's lets go of it, a zombie cannot be reaped.
func (t *trial) reap() (syscall.WaitStatus, syscall.Rusage, error) {
	deadline := time.Now().Add(clearLimit)
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		status, usage, err := reap(t.pid)
		if !errors.Is(err, errLeftBehind) || time.Now().After(deadline) {
			return status, usage, err
		}
		time.Sleep(wait)
	}
}

// describe translates the wait status and the accounting.
func describe(r *run.Result, status syscall.WaitStatus, usage syscall.Rusage) {
	if status.Signaled() {
		r.Ending.Signal = int(status.Signal())
		r.Ending.SignalName = unix.SignalName(status.Signal())
		r.Ending.CoreDumped = status.CoreDump()
	} else {
		r.Ending.Code = status.ExitStatus()
	}
	r.Usage = run.Usage{
		User:   time.Duration(usage.Utime.Nano()),
		System: time.Duration(usage.Stime.Nano()),
		MaxRSS: usage.Maxrss << 10, // getrusage(2): kilobytes

		MinorFaults: usage.Minflt, MajorFaults: usage.Majflt,
		Voluntary: usage.Nvcsw, Involuntary: usage.Nivcsw,
	}
}

// signalStranger signals a process that is not this process's own child, exactly: the pidfd is opened
// first, so what is checked after that is what is signalled. It does nothing where check says no.
func signalStranger(proc procFS, pid int, sig syscall.Signal, check func(stat) bool) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	s, err := proc.stat(pid)
	if err != nil || !check(s) {
		return false
	}
	return unix.PidfdSendSignal(fd, sig, nil, 0) == nil
}
