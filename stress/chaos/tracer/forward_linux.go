package tracer

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// forwarder passes on what the supervisor sends to the attempt's main process and group: that is the tracer, and the
// test has a group of its own. The tracer never dies of it.
type forwarder struct {
	signals chan os.Signal
	done    sync.WaitGroup

	mu    sync.Mutex
	group int
	hurry func() // tells the loop that the test is being stopped
	early []syscall.Signal
}

// forwarded are the signals by which a supervisor or a user may mean the test. SIGCHLD, SIGURG and the alarm are the
// tracer's own; SIGSTOP and SIGKILL reach every process by themselves.
var forwarded = []os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM,
	syscall.SIGTERM, syscall.SIGCONT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGWINCH,
	syscall.SIGVTALRM, syscall.SIGPROF, syscall.SIGXCPU, syscall.SIGIO, syscall.SIGPWR,
}

func newForwarder() (*forwarder, error) {
	f := &forwarder{signals: make(chan os.Signal, 64)}
	signal.Notify(f.signals, forwarded...)
	f.done.Go(func() {
		for s := range f.signals {
			f.pass(s.(syscall.Signal))
		}
	})
	return f, nil
}

func (f *forwarder) pass(s syscall.Signal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.group == 0 {
		f.early = append(f.early, s)
		return
	}
	f.send(s)
}

// send needs the lock. The group cannot be another's: the test is not reaped before close.
func (f *forwarder) send(s syscall.Signal) {
	if f.hurry != nil && s != syscall.SIGCONT && s != syscall.SIGWINCH {
		f.hurry()
	}
	_ = syscall.Kill(-f.group, s)
}

// to passes signals on to a traced test. One that is being stopped or asked for its stacks is not held any longer.
func (f *forwarder) to(l *loop) {
	f.mu.Lock()
	f.hurry = func() {
		l.hurry.Store(true)
		// An alarm that comes just before the loop waits wakes nobody.
		go func() {
			for ; !l.heard.Load(); time.Sleep(retry) {
				_ = unix.Tgkill(os.Getpid(), l.thread, alarm)
			}
		}()
	}
	f.mu.Unlock()
	f.toGroup(l.root)
}

// untraced passes signals on to a test that runs without a tracer, and calls first before the first by which it is
// stopped.
func (f *forwarder) untraced(group int, first func()) {
	f.mu.Lock()
	f.hurry = sync.OnceFunc(first)
	f.mu.Unlock()
	f.toGroup(group)
}

func (f *forwarder) toGroup(group int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.group = group
	for _, s := range f.early {
		f.send(s)
	}
	f.early = nil
}

func (f *forwarder) close() {
	signal.Stop(f.signals)
	close(f.signals)
	f.done.Wait()
}
