package proc

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// What a descriptor in the poller's epoll set stands for; the low bits of its token.
const (
	tokenExit = iota
	tokenStdout
	tokenStderr
	tokenKinds
)

// poller watches the pidfds and output pipes of all attempts with one epoll set, one goroutine and one
// buffer, so that an attempt costs no goroutine and no buffer of its own. The epoll descriptor itself
// sleeps in the Go runtime's netpoller: no thread is blocked.
type poller struct {
	epoll int
	file  *os.File
	done  chan struct{}

	mu       sync.Mutex
	next     uint64
	children map[uint64]*child
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create epoll set: %w: raise the limit on open files", err)
	}
	// os.NewFile gives only non-blocking descriptors to the netpoller.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("set up epoll set: %w", err)
	}
	p := &poller{
		epoll: fd, file: os.NewFile(uintptr(fd), "epoll"),
		done: make(chan struct{}), children: map[uint64]*child{},
	}
	conn, err := p.file.SyscallConn()
	if err != nil {
		p.file.Close()
		return nil, fmt.Errorf("set up epoll set: %w", err)
	}
	go p.loop(conn)
	return p, nil
}

// close ends the loop. No child may be watched any more.
func (p *poller) close() error {
	err := p.file.Close()
	<-p.done
	return err
}

// watch registers a child that was just started. Its output may be recorded and its exit told before
// watch returns.
func (p *poller) watch(c *child) error {
	fds := [tokenKinds]int{c.pidfd, c.out.fds[0], c.out.fds[1]} // the loop may close them from here on
	p.mu.Lock()
	p.next++
	c.token = p.next * tokenKinds
	p.children[p.next] = c
	p.mu.Unlock()
	// The exit last: when it is told, the pipes are read to their end and may be closed.
	for _, kind := range []int{tokenStdout, tokenStderr, tokenExit} {
		event := unix.EpollEvent{Events: unix.EPOLLIN}
		if kind == tokenExit {
			// A pidfd stays readable for ever and wakes its waiters again when the zombie is reaped.
			event.Events |= unix.EPOLLONESHOT
		}
		putToken(&event, c.token+uint64(kind))
		if err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fds[kind], &event); err != nil {
			p.forget(c)
			return fmt.Errorf("watch process: %w", err)
		}
	}
	return nil
}

// forget makes the poller ignore whatever the epoll set still says about a child. A closed descriptor can
// linger in the set as long as some child between fork and exec has a copy of it.
func (p *poller) forget(c *child) {
	p.mu.Lock()
	delete(p.children, c.token/tokenKinds)
	p.mu.Unlock()
}

func (p *poller) child(token uint64) *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.children[token/tokenKinds]
}

func (p *poller) loop(conn syscall.RawConn) {
	defer close(p.done)
	events := make([]unix.EpollEvent, 128)
	buf := make([]byte, 64<<10)
	// Read parks this goroutine until the epoll descriptor is readable, each time the function says false.
	// It returns when the file is closed.
	_ = conn.Read(func(fd uintptr) bool {
		for {
			n, err := unix.EpollWait(int(fd), events, 0)
			if err == unix.EINTR {
				continue
			}
			if n <= 0 {
				return false
			}
			for _, event := range events[:n] {
				p.dispatch(tokenOf(event), buf)
			}
		}
	})
}

func (p *poller) dispatch(token uint64, buf []byte) {
	c := p.child(token)
	if c == nil {
		return
	}
	switch token % tokenKinds {
	case tokenExit:
		c.ended = time.Since(c.started)
		// Most often what is in the pipes now is their end, and the attempt need not wait for it.
		c.out.read(p, run.Stdout, c.started, buf)
		c.out.read(p, run.Stderr, c.started, buf)
		close(c.exit)
	case tokenStdout:
		c.out.read(p, run.Stdout, c.started, buf)
	case tokenStderr:
		c.out.read(p, run.Stderr, c.started, buf)
	}
}

// The epoll event's 64 bits of user data are two halves in x/sys/unix.
func putToken(e *unix.EpollEvent, token uint64) {
	e.Fd, e.Pad = int32(uint32(token)), int32(uint32(token>>32))
}

func tokenOf(e unix.EpollEvent) uint64 {
	return uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32
}
