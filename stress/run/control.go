package run

import (
	"sync"
	"time"
)

// Orders is what the engine currently wants of a running attempt.
type Orders struct {
	// Timeout is how long the attempt may take from its start, the time it stood paused not counted.
	Timeout time.Duration
	// Paused asks that the attempt's processes stand still and its clock with them (Ctrl-Z).
	Paused bool
	// Stop asks that the attempt be ended: with the usual graces, or at once.
	Stop StopMode
}

// StopMode is how urgently an attempt is to be ended.
type StopMode int

const (
	// StopNot lets the attempt run.
	StopNot StopMode = iota
	// StopGently sends TERM first and waits the grace.
	StopGently
	// StopNow kills.
	StopNow
)

// Control carries orders from the engine to the runner of one attempt while it runs. Orders are a state,
// not a queue: a runner that looks late sees the latest. It is safe for concurrent use.
type Control struct {
	mu      sync.Mutex
	orders  Orders
	changed chan struct{}
}

// NewControl returns a Control that holds these first orders.
func NewControl(first Orders) *Control {
	return &Control{orders: first, changed: make(chan struct{})}
}

// Watch returns the present orders and a channel that is closed when they change.
func (c *Control) Watch() (Orders, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.orders, c.changed
}

// Change edits the orders and wakes whoever watches, if the edit changed anything.
func (c *Control) Change(edit func(*Orders)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.orders
	edit(&c.orders)
	if c.orders == before {
		return
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// Lengthen returns a Control that follows c, with every time-out made longer, until release is called.
func (c *Control) Lengthen(longer func(time.Duration) time.Duration) (following *Control, release func()) {
	lengthened := func(o Orders) Orders { o.Timeout = longer(o.Timeout); return o }
	orders, changed := c.Watch()
	following = NewControl(lengthened(orders))
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-over:
				return
			case <-changed:
				orders, changed = c.Watch()
				following.Change(func(o *Orders) { *o = lengthened(orders) })
			}
		}
	}()
	return following, func() { close(over); <-done }
}
