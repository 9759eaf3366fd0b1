package sched

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// run is the reader. It owns its thread: the anchors are events of that thread.
func (r *Recorder) run(ready chan<- error) {
	runtime.LockOSThread() // and never unlock: the thread ends with this goroutine
	defer close(r.done)
	if err := r.open(); err != nil {
		ready <- errors.Join(err, r.release())
		return
	}
	// A reader that waits for a CPU loses records. Only root may go first.
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -10)
	ready <- nil
	fds := []unix.PollFd{{Fd: int32(r.bell), Events: unix.POLLIN}}
	for _, ring := range r.rings {
		fds = append(fds, unix.PollFd{Fd: int32(ring.fd), Events: unix.POLLIN})
	}
	for last := false; !last; {
		// The only errors are those of a signal and of memory: look at the rings and try again.
		_, _ = unix.Poll(fds, -1)
		var none [8]byte
		_, _ = unix.Read(r.bell, none[:])
		last = r.turn()
	}
}

func (r *Recorder) open() (err error) {
	if r.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("open eventfd: %w", err)
	}
	if r.rings, err = openRings(r.cfg.CPUs, r.cfg.RingBytes); err != nil {
		return unavailable(err)
	}
	for _, cpu := range r.cfg.CPUs {
		r.merger.feeds = append(r.merger.feeds, feed{cpu: int16(cpu)})
	}
	return nil
}

// turn reads the rings, and then once more if letters wait: a pass deals with what was there before the
// rings were read the time before, and a letter wants all from before it was written.
func (r *Recorder) turn() (last bool) {
	r.mu.Lock()
	letters := r.inbox
	r.inbox = nil
	last = r.closed
	r.mu.Unlock()
	r.pass()
	if len(letters) > 0 {
		r.pass()
	}
	for _, letter := range letters {
		letter()
	}
	// Only now: the name of a process that seems forgotten may have been among the letters.
	r.lines.expire(r.mark)
	return last
}

// pass empties all rings, then deals with what was there before they were emptied the last time.
func (r *Recorder) pass() {
	now := r.now()
	for i, ring := range r.rings {
		feed := &r.merger.feeds[i]
		before := len(feed.buf)
		var ok bool
		if feed.buf, ok = ring.read(feed.buf); !ok {
			r.merger.malformed++
		}
		r.bytes += uint64(len(feed.buf) - before)
	}
	r.merger.upTo(r.mark, r.lines.take)
	r.mark = now
	r.passes++
}
