package kernels

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Goroutines read the loop's variable, which the loop moves on as soon as they said that they run.
func loopState(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		var current atomic.Int64
		var sum atomic.Int64
		var done sync.WaitGroup
		started := make(chan bool)
		for i := range int64(4) {
			current.Store(i)
			mine := i
			done.Add(1)
			go func() {
				defer done.Done()
				started <- true
				if fixed {
					sum.Add(1 << (8 * mine))
				} else {
					sum.Add(1 << (8 * current.Load()))
				}
			}()
			<-started
			time.Sleep(500 * time.Microsecond)
		}
		done.Wait()
		if sum.Load() != 0x01010101 {
			t.Errorf("jobs done: %#x", sum.Load())
		}
	}
}

func TestLoopState(t *testing.T) { sides(t, loopState(false), loopState(true)) }

// Two look whether there is room, each with the lock, and then both take it, each with the lock.
type room struct {
	mu   sync.Mutex
	used int
}

func (r *room) free() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.used < 1 }
func (r *room) take()      { r.mu.Lock(); defer r.mu.Unlock(); r.used++ }
func (r *room) takeIfFree() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used < 1 {
		r.used++
	}
}

func checkThenAct(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		r := &room{}
		var done sync.WaitGroup
		for range 2 {
			done.Add(1)
			go func() {
				defer done.Done()
				if fixed {
					r.takeIfFree()
				} else if r.free() {
					r.take()
				}
			}()
		}
		done.Wait()
		if r.used > 1 {
			t.Errorf("%d in a room for one", r.used)
		}
	}
}

func TestCheckThenAct(t *testing.T) { sides(t, checkThenAct(false), checkThenAct(true)) }

// The goroutine counts itself in; whoever waits first sees nothing to wait for.
func addInside(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		var group sync.WaitGroup
		var finished atomic.Int64
		for range 2 {
			if fixed {
				group.Add(1)
			}
			go func() {
				if !fixed {
					group.Add(1)
				}
				defer group.Done()
				finished.Add(1)
			}()
		}
		time.Sleep(2 * time.Millisecond)
		group.Wait()
		if n := finished.Load(); n != 2 {
			t.Errorf("%d of 2 finished", n)
		}
	}
}

func TestAddInside(t *testing.T) { sides(t, addInside(false), addInside(true)) }

// A server adds to the group that its shutdown already waits for.
func addAfterWait(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		var group sync.WaitGroup
		var mu sync.Mutex
		var closed bool
		var after atomic.Bool
		var late atomic.Int64
		requests := make(chan int, 2)
		served := make(chan bool)
		go func() {
			defer close(served)
			for range requests {
				mu.Lock()
				refuse := closed
				if fixed && !refuse {
					group.Add(1)
				}
				mu.Unlock()
				if refuse {
					continue
				}
				if !fixed {
					group.Add(1)
				}
				if after.Load() {
					late.Add(1)
				}
				group.Done()
			}
		}()
		requests <- 1
		requests <- 2
		close(requests)
		time.Sleep(time.Millisecond)
		mu.Lock()
		closed = true
		mu.Unlock()
		group.Wait()
		after.Store(true)
		<-served
		if late.Load() > 0 {
			t.Error("a request was served after the shutdown")
		}
	}
}

func TestAddAfterWait(t *testing.T) { sides(t, addAfterWait(false), addAfterWait(true)) }

// A sender looks whether the channel is closed, and sends when it no longer is open.
func closeAndSend(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		var mu sync.Mutex
		var closed bool
		c := make(chan int, 2)
		send := func(v int) {
			mu.Lock()
			if closed {
				mu.Unlock()
				return
			}
			if fixed {
				defer mu.Unlock()
			} else {
				mu.Unlock()
			}
			c <- v
		}
		ended := make(chan bool)
		go func() { send(1); send(2); ended <- true }()
		mu.Lock()
		closed = true
		mu.Unlock()
		mu.Lock()
		close(c)
		mu.Unlock()
		<-ended
	}
}

func TestCloseAndSend(t *testing.T) { sides(t, closeAndSend(false), closeAndSend(true)) }

// Two close a channel that each found open.
func closeTwice(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		done := make(chan bool)
		var once sync.Once
		var group sync.WaitGroup
		stop := func() {
			defer group.Done()
			if fixed {
				once.Do(func() { close(done) })
				return
			}
			select {
			case <-done:
			default:
				close(done)
			}
		}
		group.Add(2)
		go stop()
		go stop()
		group.Wait()
	}
}

func TestCloseTwice(t *testing.T) { sides(t, closeTwice(false), closeTwice(true)) }

// An idle timer is stopped without asking whether it had gone off, and its function takes the new connection.
func timerReset(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		var mu sync.Mutex
		open, epoch := true, 0
		arm := func(mine int) *time.Timer {
			return time.AfterFunc(5*time.Millisecond, func() {
				mu.Lock()
				defer mu.Unlock()
				if !fixed || epoch == mine {
					open = false
				}
			})
		}
		timer := arm(0)
		time.Sleep(2 * time.Millisecond)
		mu.Lock()
		timer.Stop()
		open, epoch = true, 1
		mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		if !open {
			t.Error("a connection that was just opened was closed as idle")
		}
	}
}

func TestTimerReset(t *testing.T) { sides(t, timerReset(false), timerReset(true)) }

// The constructor starts its goroutine before it has set what the goroutine uses.
func useBeforeSet(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		var handler atomic.Pointer[func() int]
		work, answer := make(chan int, 1), make(chan int)
		serve := func() {
			<-work
			if h := handler.Load(); h != nil {
				answer <- (*h)()
			} else {
				answer <- 0
			}
		}
		h := func() int { return 7 }
		if fixed {
			handler.Store(&h)
		}
		go serve()
		work <- 1
		if !fixed {
			handler.Store(&h)
		}
		if v := <-answer; v != 7 {
			t.Errorf("answered %d", v)
		}
	}
}

func TestUseBeforeSet(t *testing.T) { sides(t, useBeforeSet(false), useBeforeSet(true)) }

// A counter is loaded and stored, each atomically.
func lostUpdate(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		var n atomic.Int64
		var done sync.WaitGroup
		for range 2 {
			done.Add(1)
			go func() {
				defer done.Done()
				if fixed {
					n.Add(1)
				} else {
					n.Store(n.Load() + 1)
				}
			}()
		}
		done.Wait()
		if n.Load() != 2 {
			t.Errorf("counted %d of 2", n.Load())
		}
	}
}

func TestLostUpdate(t *testing.T) { sides(t, lostUpdate(false), lostUpdate(true)) }
