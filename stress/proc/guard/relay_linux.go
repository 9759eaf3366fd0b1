package guard

import (
	"time"

	"golang.org/x/sys/unix"
)

// fenceSignal is raised by the front at itself to learn that all earlier signals have come through. It
// must have a higher number than SIGCONT and lie in the same word of the runtime's set of pending signals
// (runtime/sigqueue.go delivers a word at a time, lowest first). Nobody else sends SIGIO to a process that
// did not ask for it.
const fenceSignal = unix.SIGIO

// job stops this process as the kernel's job control would.
type job interface {
	// Arm makes a stop pending. The kernel itself withdraws it when a SIGCONT comes (signal(7)).
	Arm()
	// Disarm gives the stop up; it may still come back as one SIGTSTP among the signals.
	Disarm()
	// Stop lets the pending stop happen, if it still is pending, and returns when the job was continued.
	Stop()
	// Fence raises fenceSignal.
	Fence()
}

// relay turns the front's signals into commands. The one hard case is Ctrl-Z: the front must first ask the
// supervisor to be quiet and only then really stop, and a SIGCONT in between must win. os/signal does not
// keep the order of two signals, so the relay asks the kernel (an armed stop is withdrawn by SIGCONT) and,
// for what came before the arming, waits until a fence has come through behind it.
type relay struct {
	send       func(Command)
	foreground func() bool
	job        job
	after      func(time.Duration) <-chan time.Time
	wait       time.Duration

	shown      bool // the foreground state told last
	number     byte // of the latest Suspend
	suspending bool // a stop is armed
	answered   bool // acknowledged, or waited for long enough
	continued  bool // a SIGCONT came whose fence has not
	fences     int  // 0, 1 raised, 2 raised and to be raised once more
	deadline   <-chan time.Time
}

// signal handles one signal of the front. SIGPIPE is caught only so that it does not kill.
func (r *relay) signal(sig unix.Signal) {
	switch sig {
	case unix.SIGINT:
		r.send(Interrupt{})
	case unix.SIGTERM, unix.SIGHUP:
		r.send(Terminate{})
	case unix.SIGQUIT:
		r.send(Quit{})
	case unix.SIGWINCH:
		r.send(Resize{})
	case unix.SIGTSTP:
		r.suspend()
	case unix.SIGCONT:
		r.resume()
	case fenceSignal:
		r.fenced()
	}
}

// suspend begins to stop. A SIGTSTP beside a SIGCONT whose order is unknown is dropped: a job that runs can
// be stopped again, one that stands still although it was continued looks hung.
func (r *relay) suspend() {
	if r.suspending || r.continued {
		return
	}
	r.suspending, r.answered = true, false
	r.number++
	r.job.Arm()
	r.fence()
	r.send(Suspend{number: r.number})
	r.deadline = r.after(r.wait)
}

func (r *relay) resume() {
	r.giveUp()
	r.continued = true
	r.fence()
	r.tell()
}

// giveUp forgets a stop that has not happened.
func (r *relay) giveUp() {
	if r.suspending {
		r.suspending, r.deadline = false, nil
		r.job.Disarm()
	}
}

// acknowledge takes the supervisor's answer; one to an earlier Suspend means nothing any more.
func (r *relay) acknowledge(number byte) {
	if r.suspending && number == r.number {
		r.answer()
	}
}

// answer notes that the supervisor need not be waited for any longer.
func (r *relay) answer() {
	r.answered, r.deadline = true, nil
	r.stop()
}

// fence asks to be told when every signal up to now has come through. Two fences could merge into one
// signal, so a second is raised only when the first is back.
func (r *relay) fence() {
	if r.fences++; r.fences == 1 {
		r.job.Fence()
	}
	r.fences = min(r.fences, 2)
}

func (r *relay) fenced() {
	switch r.fences {
	case 2:
		r.fences = 1
		r.job.Fence()
	case 1:
		r.fences = 0
		r.continued = false
		r.stop()
	}
}

// stop stops this process if the supervisor has answered and no earlier SIGCONT can still be on its way.
func (r *relay) stop() {
	if !r.suspending || !r.answered || r.fences > 0 {
		return
	}
	r.job.Stop()
	r.suspending = false
	r.tell()
}

// tell says that the front runs, and where.
func (r *relay) tell() {
	r.shown = r.foreground()
	r.send(Resume{r.shown})
}

// look notices a job moved between foreground and background without a signal: fg of a running job.
func (r *relay) look() {
	if !r.suspending && r.foreground() != r.shown {
		r.tell()
	}
}
