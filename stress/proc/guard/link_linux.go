package guard

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Link is the supervisor's end of the control socket. It is safe for concurrent use.
type Link struct {
	control    *os.File
	signals    chan os.Signal
	incoming   chan Command
	commands   chan Command
	done       chan struct{}
	close      sync.Once
	running    sync.WaitGroup
	foreground atomic.Bool
}

// Attach connects a supervisor with its front. In any other process, also one that merely inherited the
// environment of a supervisor, it returns ErrNotSupervised. Either way the variable is removed from the
// environment, and no child inherits the socket.
//
// SIGINT, SIGTERM, SIGHUP and SIGQUIT sent to the supervisor itself become commands. They, SIGPIPE and the
// terminal's stop signals are caught from here on, for the children's sake as well: exec resets a caught
// signal to its default, but leaves an ignored one ignored (execve(2)), and the os/exec of Go passes on
// whatever was ignored when it started. Blocked signals are inherited unchanged.
//
// The supervisor leads a session without a controlling terminal. It would acquire one by opening a free
// terminal without O_NOCTTY, so it should open none.
func Attach() (*Link, error) {
	value, set := os.LookupEnv(variable)
	if !set {
		return nil, ErrNotSupervised
	}
	os.Unsetenv(variable)
	control := inherited(value)
	if control == nil {
		return nil, ErrNotSupervised
	}
	l := &Link{
		control:  control,
		signals:  make(chan os.Signal, 64),
		incoming: make(chan Command),
		commands: make(chan Command),
		done:     make(chan struct{}),
	}
	if err := l.greet(); err != nil {
		control.Close()
		return nil, err
	}
	// Executed as /proc/self/exe, its name in ps would be "exe". Only a name: no harm if it fails.
	_ = os.WriteFile("/proc/self/comm", []byte(filepath.Base(os.Args[0])), 0)
	hangup := !signal.Ignored(unix.SIGHUP)
	signal.Notify(l.signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGPIPE,
		unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU)
	l.running.Go(func() { pump(l.incoming, l.commands, l.done) })
	l.running.Go(l.read)
	l.running.Go(func() { l.listen(hangup) })
	return l, nil
}

// greet reads the front's first message, which comes once the front catches its signals. If the front dies
// before that, it is an error: nothing has begun.
func (l *Link) greet() error {
	first, err := receive(l.control)
	if err != nil {
		return fmt.Errorf("attach to front: %w", err)
	}
	said, ok := first.(hello)
	if !ok {
		return fmt.Errorf("attach to front: unexpected first message %T", first)
	}
	l.foreground.Store(said.foreground)
	return nil
}

// Commands returns what the front and the user ask for, in order. The channel is never closed; after
// FrontGone only signals sent to the supervisor itself can follow.
func (l *Link) Commands() <-chan Command { return l.commands }

// Foreground tells whether the front's job was its terminal's foreground job when that was last heard of.
func (l *Link) Foreground() bool { return l.foreground.Load() }

// Close ends the link. The front goes on waiting for this process to exit.
func (l *Link) Close() error {
	var err error
	l.close.Do(func() {
		signal.Stop(l.signals)
		close(l.done)
		err = l.control.Close()
		l.running.Wait()
	})
	return err
}

// read passes on what the front sends until it closes its end, which only its death does.
func (l *Link) read() {
	for {
		c, err := receive(l.control)
		if err != nil {
			l.put(FrontGone{})
			return
		}
		switch got := c.(type) {
		case Resume:
			l.foreground.Store(got.Foreground)
		case Suspend:
			got.ack = func(number byte) { send(l.control, acknowledged{number}) }
			c = got
		}
		l.put(c)
	}
}

// listen makes commands of the signals sent to this very process.
func (l *Link) listen(hangup bool) {
	for {
		select {
		case sig := <-l.signals:
			switch {
			case sig == unix.SIGINT:
				l.put(Interrupt{})
			case sig == unix.SIGTERM, sig == unix.SIGHUP && hangup:
				l.put(Terminate{})
			case sig == unix.SIGQUIT:
				l.put(Quit{})
			}
		case <-l.done:
			return
		}
	}
}

func (l *Link) put(c Command) {
	select {
	case l.incoming <- c:
	case <-l.done:
	}
}
