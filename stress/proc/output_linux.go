package proc

import (
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// output is the read side of an attempt's two pipes and what came out of them.
type output struct {
	mu   sync.Mutex
	fds  [2]int // stdout, stderr; -1 where closed
	open int
	tape *tape
	eof  chan struct{} // closed when both streams have ended
}

// read takes what is there of one stream now, at most one buffer full: the epoll set is level-triggered
// and comes back, after the other attempts had their turn.
func (o *output) read(p *poller, stream run.Stream, started time.Time, buf []byte) (more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.readLocked(p.epoll, stream, started, buf)
}

func (o *output) readLocked(epoll int, stream run.Stream, started time.Time, buf []byte) (more bool) {
	fd := o.fds[stream-run.Stdout]
	if fd < 0 {
		return false
	}
	n, err := syscall.Read(fd, buf)
	switch {
	case n > 0:
		o.tape.write(stream, time.Since(started), buf[:n])
		return true
	case err == syscall.EAGAIN || err == syscall.EINTR:
		// Someone else read it: a test may open its own /dev/stdout. That is why the read end does not block.
		return false
	}
	o.shut(epoll, stream)
	return false
}

// shut closes one stream's read end. It is taken out of the epoll set by name, because close alone does
// not do that while a child between fork and exec has a copy, and a level-triggered end of file would
// keep the loop spinning until then.
func (o *output) shut(epoll int, stream run.Stream) {
	fd := &o.fds[stream-run.Stdout]
	if *fd < 0 {
		return
	}
	_ = unix.EpollCtl(epoll, unix.EPOLL_CTL_DEL, *fd, nil)
	_ = syscall.Close(*fd)
	*fd = -1
	if o.open--; o.open == 0 {
		close(o.eof)
	}
}

// settle reads whatever is in the pipes at this moment and returns how many bytes have come in all. What
// the test writes meanwhile may be part of it; a flood is not waited out.
func (o *output) settle(p *poller, started time.Time) int64 {
	buf := make([]byte, 64<<10)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, stream := range []run.Stream{run.Stdout, run.Stderr} {
		o.readLocked(p.epoll, stream, started, buf)
	}
	return o.tape.total
}

// finish waits for the end of both streams, for a limited time, and closes what is still open then. It
// tells whether some process held a stream open.
func (o *output) finish(p *poller, started time.Time, limit time.Duration) (held bool) {
	select {
	case <-o.eof:
		return false
	default:
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-o.eof:
		return false
	case <-timer.C:
	}
	// Between fork and exec every child of this process has a copy of every descriptor. The lock is held
	// while there are such children, so after this none of those that could matter is left.
	syscall.ForkLock.RLock()
	//lint:ignore SA2001 waiting is all that is wanted
	syscall.ForkLock.RUnlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	buf := make([]byte, 64<<10)
	for _, stream := range []run.Stream{run.Stdout, run.Stderr} {
		// A pipe holds 64 KiB unless enlarged to at most 1 MiB (fcntl F_SETPIPE_SZ): a writer outside the
		// attempt's reach could go on for ever.
		for i := 0; i < 32 && o.readLocked(p.epoll, stream, started, buf); i++ {
		}
	}
	held = o.open > 0
	o.shut(p.epoll, run.Stdout)
	o.shut(p.epoll, run.Stderr)
	return held
}
