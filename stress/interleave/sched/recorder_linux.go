package sched

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/cpus"
)

// Recorder owns the rings and tells attempts apart. Its methods may be called from many goroutines.
//
// All it knows belongs to its reader, a thread that does nothing else: whoever else read a ring, or held a
// lock the reader needs, could be made to wait for a CPU by the very attempts that are recorded, and the
// rings would overflow meanwhile. Others leave letters in the inbox.
type Recorder struct {
	cfg   Config
	start time.Time // two readings of one moment: of Go's clock,
	mono  int64     // and of CLOCK_MONOTONIC
	rings []*ring
	bell  int // an eventfd that wakes the reader
	done  chan struct{}

	mu     sync.Mutex // held for moments
	inbox  []func()
	closed bool
	booked int // attempts attached and not finished

	reader
}

// reader is what only the reader's thread touches.
type reader struct {
	merger merger
	lines  *lineage
	mark   int64 // when the rings were about to be read the last time
	bytes  uint64
	passes uint64
}

// Open maps a ring for every CPU and starts the reader. An error that wraps ErrUnavailable says why this
// machine gives no record and what would change that; ErrBudget, that it has too many CPUs.
func Open(cfg Config) (*Recorder, error) {
	r := &Recorder{cfg: cfg, done: make(chan struct{}), bell: -1}
	if err := r.setUp(); err != nil {
		return nil, err
	}
	ready := make(chan error, 1)
	go r.run(ready)
	if err := <-ready; err != nil {
		<-r.done
		return nil, err
	}
	return r, nil
}

func (r *Recorder) setUp() error {
	if len(r.cfg.CPUs) == 0 {
		list, err := cpus.Allowed()
		if err != nil {
			return err
		}
		r.cfg.CPUs = list
	}
	r.cfg = r.cfg.withDefaults()
	if n := len(r.cfg.CPUs); n > r.cfg.MaxCPUs {
		return fmt.Errorf("%w: %d CPUs, and every thread would carry %d kernel events: confine heisen with taskset", ErrBudget, n, n)
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return fmt.Errorf("read clock: %w", err)
	}
	r.start, r.mono = time.Now(), ts.Nano()
	r.lines = newLineage(r.cfg)
	return nil
}

// now is CLOCK_MONOTONIC by way of Go's clock, which needs no system call.
func (r *Recorder) now() int64 { return r.mono + int64(time.Since(r.start)) }

// instant is the inverse of Time.
func (r *Recorder) instant(t time.Time) int64 { return r.mono + int64(t.Sub(r.start)) }

// Time translates Event.At to a time of Go's, with a monotonic reading.
func (r *Recorder) Time(at int64) time.Time { return r.start.Add(time.Duration(at - r.mono)) }

// RingBytes is the size of each ring the kernel gave.
func (r *Recorder) RingBytes() int { return len(r.rings[0].data) }

// Stats reads the rings and gives the figures so far; nothing but zeros when the Recorder is closed.
func (r *Recorder) Stats() Stats {
	var s Stats
	_ = r.ask(func() {
		s = Stats{
			Records: r.merger.records, Bytes: r.bytes, Lost: r.lines.lost, Strays: r.lines.strays,
			Late: r.merger.late, Malformed: r.merger.malformed, Passes: r.passes,
			Live: len(r.lines.live) - len(r.lines.roots), Unclaimed: len(r.lines.roots),
		}
	})
	return s
}

// Close ends the reader and unmaps the rings. Recordings are finished and Followers closed before.
func (r *Recorder) Close() error {
	if !r.post(func() {}, true) {
		return errClosed
	}
	if err := r.ring(); err != nil {
		return err
	}
	<-r.done
	return r.release()
}

// post leaves a letter for the reader, which deals with it when it next reads the rings; last says that no
// other may come after it.
func (r *Recorder) post(letter func(), last bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.inbox, r.closed = append(r.inbox, letter), last
	return true
}

// ring wakes the reader.
func (r *Recorder) ring() error {
	if _, err := unix.Write(r.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
		return fmt.Errorf("wake the reader of the scheduler's record: %w", err)
	}
	return nil
}

// ask has the reader do something once all that has happened before is dealt with, and waits for it.
func (r *Recorder) ask(something func()) error {
	done := make(chan struct{})
	if !r.post(func() { something(); close(done) }, false) {
		return errClosed
	}
	if err := r.ring(); err != nil {
		return err
	}
	<-done
	return nil
}

func (r *Recorder) release() error {
	errs := []error{closeRings(r.rings)}
	if r.bell >= 0 {
		errs = append(errs, unix.Close(r.bell))
	}
	return errors.Join(errs...)
}
