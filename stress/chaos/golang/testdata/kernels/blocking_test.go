package kernels

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// sides runs a kernel's two sides by name.
func sides(t *testing.T, broken, fixed func(t *testing.T)) {
	t.Run("broken", broken)
	t.Run("fixed", fixed)
}

// A method that holds the lock calls another that takes it, on a path taken only if the entry went stale
// between a check and the lock.
type cache struct {
	mu    sync.Mutex
	stale bool
	value int
}

func (c *cache) isStale() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.stale }
func (c *cache) expire()       { c.mu.Lock(); defer c.mu.Unlock(); c.stale = true }
func (c *cache) refresh()      { c.mu.Lock(); defer c.mu.Unlock(); c.renew() }
func (c *cache) renew()        { c.stale, c.value = false, c.value+1 }

func (c *cache) get(again func()) int {
	if c.isStale() {
		c.refresh()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stale {
		again()
	}
	return c.value
}

func doubleLock(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		c, done := &cache{}, make(chan bool)
		go func() { c.expire(); done <- true }()
		again := c.refresh
		if fixed {
			again = c.renew
		}
		for range 4 {
			c.get(again)
		}
		<-done
	}
}

func TestDoubleLock(t *testing.T) { sides(t, doubleLock(false), doubleLock(true)) }

// Two transfers take the same two locks in opposite orders.
func lockOrder(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		var a, b sync.Mutex
		var done sync.WaitGroup
		move := func(x, y *sync.Mutex) {
			defer done.Done()
			x.Lock()
			y.Lock()
			y.Unlock()
			x.Unlock()
		}
		done.Add(2)
		go move(&a, &b)
		if fixed {
			go move(&a, &b)
		} else {
			go move(&b, &a)
		}
		done.Wait()
	}
}

func TestLockOrder(t *testing.T) { sides(t, lockOrder(false), lockOrder(true)) }

// A reader reads again inside; a writer that asks in between has priority over the second read.
func readerAgain(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		var mu sync.RWMutex
		var done sync.WaitGroup
		size := func() { mu.RLock(); mu.RUnlock() }
		done.Add(2)
		go func() {
			defer done.Done()
			mu.RLock()
			if !fixed {
				size()
			}
			mu.RUnlock()
			if fixed {
				size()
			}
		}()
		go func() {
			defer done.Done()
			mu.Lock()
			mu.Unlock()
		}()
		done.Wait()
	}
}

func TestReaderAgain(t *testing.T) { sides(t, readerAgain(false), readerAgain(true)) }

// The producer ends without closing when it finds the stop flag; the consumer ranges for ever.
func unclosed(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		var stop atomic.Bool
		items := make(chan int, 8)
		go func() {
			if fixed {
				defer close(items)
			}
			for i := range 4 {
				if stop.Load() {
					return
				}
				items <- i
			}
			if !fixed {
				close(items)
			}
		}()
		time.Sleep(2 * time.Millisecond)
		stop.Store(true)
		for range items {
		}
	}
}

func TestUnclosed(t *testing.T) { sides(t, unclosed(false), unclosed(true)) }

// A worker that is told to stop may take one more job, and then nobody reads its answer.
func stopSelect(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		jobs, stop, ended := make(chan int, 1), make(chan bool), make(chan bool)
		answers := make(chan int)
		go func() {
			defer close(ended)
			for {
				select {
				case <-stop:
					return
				case j := <-jobs:
					if fixed {
						select {
						case answers <- j:
						case <-stop:
							return
						}
					} else {
						answers <- j
					}
				}
			}
		}()
		jobs <- 1
		select {
		case <-answers:
		case <-time.After(5 * time.Millisecond):
		}
		close(stop)
		<-ended
	}
}

func TestStopSelect(t *testing.T) { sides(t, stopSelect(false), stopSelect(true)) }

// A context is made anew for a retry, and the old one's cancel function is lost with a goroutine waiting on it.
func lostCancel(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		var mu sync.Mutex
		var cancel context.CancelFunc
		var workers sync.WaitGroup
		start := func() {
			mu.Lock()
			defer mu.Unlock()
			if fixed && cancel != nil {
				cancel()
			}
			ctx, c := context.WithCancel(context.Background())
			cancel = c
			workers.Add(1)
			go func() { defer workers.Done(); <-ctx.Done() }()
		}
		started := func() bool { mu.Lock(); defer mu.Unlock(); return cancel != nil }
		var callers sync.WaitGroup
		for range 2 {
			callers.Add(1)
			go func() {
				defer callers.Done()
				if !started() {
					start()
				}
			}()
		}
		callers.Wait()
		mu.Lock()
		cancel()
		mu.Unlock()
		workers.Wait()
	}
}

func TestLostCancel(t *testing.T) { sides(t, lostCancel(false), lostCancel(true)) }

// The waiter looks at the flag without the lock that the signaller holds, and waits after the only signal.
func missedSignal(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		var mu sync.Mutex
		var ready atomic.Bool
		c := sync.NewCond(&mu)
		go func() {
			if fixed {
				mu.Lock()
				defer mu.Unlock()
			}
			ready.Store(true)
			c.Signal()
		}()
		mu.Lock()
		for !ready.Load() {
			c.Wait()
		}
		mu.Unlock()
	}
}

func TestMissedSignal(t *testing.T) { sides(t, missedSignal(false), missedSignal(true)) }

// A semaphore of two is taken twice by each of two workers.
func semaphore(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		slots := make(chan bool, 2)
		var one sync.Mutex
		var done sync.WaitGroup
		for range 2 {
			done.Add(1)
			go func() {
				defer done.Done()
				if fixed {
					one.Lock()
				}
				slots <- true
				slots <- true
				if fixed {
					one.Unlock()
				}
				<-slots
				<-slots
			}()
		}
		done.Wait()
	}
}

func TestSemaphore(t *testing.T) { sides(t, semaphore(false), semaphore(true)) }
