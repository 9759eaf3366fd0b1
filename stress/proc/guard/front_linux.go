package guard

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Front starts the supervisor, passes signals on to it and returns when it has ended and nothing of its
// tree is left. The error tells that no supervisor could be started.
//
// The process is a front for the rest of its life: it stays a subreaper, and the signals stay caught, so
// that neither a late Ctrl-C nor a broken pipe changes the exit code it is about to return.
func Front(cfg FrontConfig) (Exit, error) {
	if err := adopt(); err != nil {
		return Exit{}, err
	}
	terminal := openTerminal()
	defer terminal.close()
	control, peer, err := socketpair()
	if err != nil {
		return Exit{}, err
	}
	defer control.Close()
	signals := catch()
	var supervisor *os.Process
	err = shielded(signals, func() (err error) {
		supervisor, err = start(cfg, peer)
		return err
	})
	if err != nil {
		return Exit{}, err
	}
	// The supervisor waits for this, so whatever it does, every signal is caught by then. An error means that
	// it has already ended, and watch tells how.
	foreground := terminal.foreground()
	_ = send(control, hello{foreground})
	state := watch(supervisor, control, signals, &relay{
		foreground: terminal.foreground,
		shown:      foreground,
		job:        thread{},
		after:      time.After,
		wait:       cmp.Or(cfg.SuspendWait, 2*time.Second),
	})
	exit := Exit{Code: state.ExitCode()}
	if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
		exit.Signal = status.Signal()
	}
	exit.Killed, exit.Left = sweep(cmp.Or(cfg.SweepWait, 10*time.Second))
	return exit, nil
}

// start executes this program again in a session of its own, with peer as descriptor 3, and closes peer.
func start(cfg FrontConfig, peer *os.File) (*os.Process, error) {
	defer peer.Close()
	announce, err := announcement(peer, 3)
	if err != nil {
		return nil, err
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, fmt.Errorf("start supervisor: %w", err)
	}
	defer null.Close()
	env := cfg.Env
	if env == nil {
		env = os.Environ()
	}
	// /proc/self/exe names this very program even if its file was replaced since.
	p, err := os.StartProcess("/proc/self/exe", cfg.Args, &os.ProcAttr{
		Env:   append(without(env, variable), announce),
		Files: []*os.File{null, cmp.Or(cfg.Stdout, os.Stdout), cmp.Or(cfg.Stderr, os.Stderr), peer},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return nil, fmt.Errorf("start supervisor: %w", err)
	}
	return p, nil
}

// watch runs the relay until the supervisor has ended.
func watch(supervisor *os.Process, control *os.File, signals <-chan os.Signal, r *relay) *os.ProcessState {
	// A stop is armed on this very thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	done := make(chan struct{})
	defer close(done)
	commands, outgoing := make(chan Command), make(chan Command)
	r.send = func(c Command) { commands <- c }
	go pump(commands, outgoing, done)
	go transmit(control, outgoing, done)
	acks := make(chan byte)
	go acknowledgements(control, acks, done)
	ended := make(chan *os.ProcessState, 1)
	go func() {
		state, _ := supervisor.Wait() // fails only for a process waited for twice
		ended <- state
	}()
	// Checked every second: a shell's fg of a job that already runs sends no signal.
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	defer r.giveUp()
	for {
		select {
		case sig := <-signals:
			r.signal(sig.(unix.Signal))
		case number := <-acks:
			r.acknowledge(number)
		case <-r.deadline:
			r.answer()
		case <-tick.C:
			r.look()
		case state := <-ended:
			return state
		}
	}
}

// transmit writes commands to the control socket. An error means that the supervisor is at its end.
func transmit(control *os.File, commands <-chan Command, done <-chan struct{}) {
	for {
		select {
		case c := <-commands:
			send(control, c)
		case <-done:
			return
		}
	}
}

// acknowledgements reads them until the control socket is closed at either end.
func acknowledgements(control *os.File, acks chan<- byte, done <-chan struct{}) {
	for {
		c, err := receive(control)
		if err != nil {
			return
		}
		if ack, ok := c.(acknowledged); ok {
			select {
			case acks <- ack.number:
			case <-done:
				return
			}
		}
	}
}
