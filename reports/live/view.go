// Package live shows a campaign while it runs: one block redrawn in place on a terminal, one plain line
// now and then where there is none.
//
// The view has a goroutine of its own, and only that one writes. The engine's events reach it through a
// channel that drops what does not fit, so neither a slow terminal, nor a stopped one (Ctrl-S), nor a
// reader that is gone can hold up the campaign.
package live

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"heisen/reports/text"
	"heisen/stress"
	"heisen/stress/run"
)

const (
	// drawEvery is how often the block is drawn anew, plainEvery how often a plain line is written.
	drawEvery  = 500 * time.Millisecond
	plainEvery = 30 * time.Second
	// queued is how many events wait for the view before the next are dropped.
	queued = 256
	// patience is how long Suspend, Resume and Close wait for a terminal that does not take output.
	patience = 2 * time.Second
)

// Source is where the figures come from: the engine. It answers false when it has ended.
type Source interface {
	Progress() (stress.Progress, bool)
}

// Config says where and how to show. Out must be set.
type Config struct {
	Out io.Writer
	// Block asks for the redrawn block: Out is a terminal that can move its cursor, and heisen is in the
	// foreground. Without it there are plain lines.
	Block bool
	Style text.Style
	// Size is the terminal's present columns and lines; nil, or an answer of zero, means 80 by 24.
	Size func() (width, height int)
	// Machine says in a few words how loaded the machine is, or why that is not known; nil shows nothing.
	Machine func() string
	// Dir is the campaign's folder, absolute.
	Dir string
	// Every is how often a plain line is written; 0 for every half minute.
	Every time.Duration
	// Status adds what a campaign has found out so far to a plain line; nil, or "", adds nothing.
	Status func() string
}

// View is the live view. Its methods are safe for concurrent use.
type View struct {
	events   chan run.Event
	commands chan func()
	closing  chan struct{}
	done     chan struct{}
	close    sync.Once
	dropped  atomic.Int64

	mu  sync.Mutex
	err error

	show shower // belongs to the goroutine
}

// New returns a view that already takes events and shows them once Start is called.
func New(cfg Config) *View {
	return &View{
		events:   make(chan run.Event, queued),
		commands: make(chan func()),
		closing:  make(chan struct{}),
		done:     make(chan struct{}),
		show:     newShower(cfg),
	}
}

// Start begins to show the source's figures. It must be called once, and Close after it.
func (v *View) Start(source Source) {
	v.show.source = source
	go v.loop()
}

// Emit takes an event without ever waiting; it is a stress.Sink. Events that would change nothing that is
// seen are not queued, so that a thousand passes a second do not push out the one failure.
func (v *View) Emit(e run.Event) {
	if !noticed(e) {
		return
	}
	select {
	case v.events <- e:
	default:
		v.dropped.Add(1)
	}
}

// Dropped is how many events did not fit. The figures come from the engine itself and miss nothing.
func (v *View) Dropped() int64 { return v.dropped.Load() }

// Err is why the view ended before its time, if it did: its reader is gone, or the terminal took no output
// until Close lost patience. The campaign is not affected.
func (v *View) Err() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.err
}

func (v *View) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.err == nil {
		v.err = err
	}
}

// Suspend erases the block and draws nothing more, for the moment before heisen stops itself (Ctrl-Z). What
// happens meanwhile is kept and shown by Resume.
func (v *View) Suspend() { v.ask(v.show.suspend) }

// Resume draws again: the block in the foreground, plain lines in the background, where a write could stop
// the whole process (SIGTTOU, termios(3) TOSTOP).
func (v *View) Resume(foreground bool) { v.ask(func() { v.show.resume(foreground) }) }

// Close erases the block and ends the view, so that what is printed next begins on a clean line. It returns
// after a short while even if the terminal takes no output.
func (v *View) Close() {
	v.close.Do(func() { close(v.closing) })
	select {
	case <-v.done:
	case <-time.After(patience):
		v.fail(fmt.Errorf("end the live view: the terminal took no output for %s", patience))
	}
}

// ask has the goroutine do something and waits until it did, or until patience ends.
func (v *View) ask(what func()) {
	limit := time.After(patience)
	finished := make(chan struct{})
	select {
	case v.commands <- func() { defer close(finished); what() }:
	case <-v.done:
		return
	case <-limit:
		return
	}
	select {
	case <-finished:
	case <-limit:
	}
}

func (v *View) loop() {
	defer close(v.done)
	tick := time.NewTicker(drawEvery)
	defer tick.Stop()
	v.show.begin()
	for open := true; open && v.show.screen.err == nil; {
		select {
		case e := <-v.events:
			v.show.take(e)
		case <-tick.C:
			v.show.tick()
		case do := <-v.commands:
			do()
		case <-v.closing:
			v.drain()
			v.show.end()
			open = false
		}
	}
	if err := v.show.screen.err; err != nil {
		v.fail(fmt.Errorf("write the live view: %w", err))
	}
}

// drain takes what was emitted before Close.
func (v *View) drain() {
	for {
		select {
		case e := <-v.events:
			v.show.take(e)
		default:
			return
		}
	}
}
