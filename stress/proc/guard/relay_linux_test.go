package guard

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// world is a model of the kernel and of os/signal around one relay: signals that are sent become bits, and
// bits reach the relay in batches, lowest number first, whatever their order was.
type world struct {
	relay *relay
	bits  map[unix.Signal]bool
	queue []unix.Signal
	last  unix.Signal // of SIGTSTP and SIGCONT, as they were sent
	armed bool
	stops int
	wrong int // stops although the last signal was SIGCONT
	sent  []Command
	leaky bool // mutant: a fence overtakes the signals before it
}

func newWorld() *world {
	w := &world{bits: map[unix.Signal]bool{}, last: unix.SIGCONT}
	w.relay = &relay{
		send:       func(c Command) { w.sent = append(w.sent, c) },
		foreground: func() bool { return true },
		job:        w,
		after:      func(time.Duration) <-chan time.Time { return nil },
	}
	return w
}

func (w *world) user(sig unix.Signal) {
	w.last, w.bits[sig] = sig, true
	if sig == unix.SIGCONT {
		w.armed = false
	}
}

func (w *world) Arm() { w.armed = true }

func (w *world) Disarm() {
	if w.armed {
		w.armed, w.bits[unix.SIGTSTP] = false, true
	}
}

func (w *world) Stop() {
	if !w.armed {
		return
	}
	w.armed = false
	w.stops++
	if w.last == unix.SIGCONT {
		w.wrong++
	}
	w.user(unix.SIGCONT)
}

func (w *world) Fence() {
	if w.leaky {
		w.queue = append([]unix.Signal{fenceSignal}, w.queue...)
		return
	}
	w.bits[fenceSignal] = true
}

// batch moves all bits into the queue, as runtime.signal_recv does.
func (w *world) batch() {
	for _, sig := range []unix.Signal{unix.SIGCONT, unix.SIGTSTP, fenceSignal} {
		if w.bits[sig] {
			w.queue = append(w.queue, sig)
			delete(w.bits, sig)
		}
	}
}

// deliver hands the relay its next signal.
func (w *world) deliver() {
	if len(w.queue) == 0 {
		w.batch()
	}
	if len(w.queue) > 0 {
		sig := w.queue[0]
		w.queue = w.queue[1:]
		w.relay.signal(sig)
	}
}

// settle lets everything come through, answers included.
func (w *world) settle() {
	for len(w.queue) > 0 || len(w.bits) > 0 || w.relay.suspending {
		w.deliver()
		w.relay.acknowledge(w.relay.number)
	}
}

func TestRelayNeverStopsAContinuedJob(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		for _, step := range rapid.SliceOfN(rapid.IntRange(0, 4), 1, 60).Draw(t, "steps") {
			switch step {
			case 0:
				w.user(unix.SIGTSTP)
			case 1:
				w.user(unix.SIGCONT)
			case 2:
				w.batch()
			case 3:
				w.deliver()
			case 4:
				w.relay.acknowledge(w.relay.number)
			}
		}
		w.settle()
		require.Zero(t, w.wrong, "stopped after a SIGCONT")
		if len(w.sent) > 0 {
			require.Equal(t, Resume{true}, w.sent[len(w.sent)-1])
		}
		stops := w.stops
		w.user(unix.SIGTSTP)
		w.settle()
		require.Equal(t, stops+1, w.stops, "a lone SIGTSTP must stop")
	})
}

// The control: with a fence that does not hold signals back, the model does find a wrong stop.
func TestRelayNeedsItsFence(t *testing.T) {
	w := newWorld()
	w.leaky = true
	w.user(unix.SIGTSTP)
	w.batch()
	w.user(unix.SIGCONT)
	w.settle()
	require.Equal(t, 1, w.wrong)
}

func TestRelayStopsOnlyWhenAnswered(t *testing.T) {
	w := newWorld()
	w.user(unix.SIGTSTP)
	for range 5 {
		w.deliver()
	}
	require.Zero(t, w.stops)
	w.relay.acknowledge(w.relay.number - 1)
	require.Zero(t, w.stops, "an old answer")
	w.relay.acknowledge(w.relay.number)
	require.Equal(t, 1, w.stops)

	w.settle()
	w.user(unix.SIGTSTP)
	for range 5 {
		w.deliver()
	}
	w.relay.answer() // the time is up
	require.Equal(t, 2, w.stops)
}

func TestRelayNoticesTheForeground(t *testing.T) {
	w := newWorld()
	w.relay.look()
	w.relay.look()
	require.Equal(t, []Command{Resume{true}}, w.sent)
}

func TestPushKeepsWhatCounts(t *testing.T) {
	kinds := []Command{Interrupt{}, Terminate{}, Quit{}, Resize{}, Suspend{number: 1}, Resume{true}, Resume{false}}
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOf(rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 6})).Draw(t, "commands")
		var queue, firm, kept []Command
		var last Command
		for _, i := range all {
			queue = push(queue, kinds[i])
			if state(kinds[i]) == 0 {
				firm = append(firm, kinds[i])
			}
			if state(kinds[i]) == 1 {
				last = kinds[i]
			}
		}
		var states []Command
		for _, c := range queue {
			switch state(c) {
			case 0:
				kept = append(kept, c)
			case 1:
				states = append(states, c)
			}
		}
		require.Equal(t, firm, kept)
		if last != nil {
			require.Equal(t, []Command{last}, states)
		}
	})
}
