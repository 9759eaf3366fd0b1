package serve

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/reports/internal/recorded"
	"heisen/stress/run"
)

// crowd asks for so many streams, from 100 clients at once, and keeps each that it gets until the last was asked for. It
// gives the most that were open, and how many were turned away.
func crowd(t *testing.T, s *Server, streams int) (open, refused int64) {
	t.Helper()
	var asked, most, away atomic.Int64
	var all, asking sync.WaitGroup
	leave := make(chan struct{})
	for range 100 {
		asking.Add(1)
		all.Go(func() {
			defer asking.Done()
			for asked.Add(1) <= int64(streams) {
				c := &http.Client{Transport: &http.Transport{}}
				res, err := c.Get(s.at("/events"))
				if err != nil {
					t.Error(err)
					return
				}
				if res.StatusCode != http.StatusOK {
					away.Add(1)
					_, _ = io.Copy(io.Discard, res.Body)
					res.Body.Close()
					c.CloseIdleConnections()
					continue
				}
				most.Add(1)
				all.Go(func() {
					<-leave
					res.Body.Close()
					c.CloseIdleConnections()
				})
			}
		})
	}
	asking.Wait()
	close(leave)
	all.Wait()
	return most.Load(), away.Load()
}

// Ten thousand streams are asked for while the engine tells its events: a few are given, and the engine waits for none
// and is asked no more often than without them.
func TestFault55TenThousandStreams(t *testing.T) {
	streams := 10_000
	if testing.Short() {
		streams = 500
	}
	l := quick()
	l.look = 20 * time.Millisecond
	s, e := serving(t, l, Config{}, recorded.Rare()[:30]...)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := range int64(200_000) {
			s.Emit(run.Finished{Seq: 1000 + i, At: recorded.Start, Outcome: run.Pass})
		}
	}()
	open, refused := crowd(t, s, streams)
	<-ended // Emit never blocked, whether its events were folded or dropped
	require.EqualValues(t, l.viewers, open)
	require.EqualValues(t, streams-l.viewers, refused)
	require.Equal(t, int64(1), e.most.Load(), "one goroutine looks at the engine, however many watch")
	require.Eventually(t, func() bool { return s.viewers.Load() == 0 }, patience, time.Millisecond, "who has left is no viewer")

	// Control: without the bound every one of them has a stream.
	unbound := l
	unbound.viewers, unbound.connections = 1<<20, 1<<20
	s, _ = serving(t, unbound, Config{}, recorded.Rare()[:30]...)
	open, _ = crowd(t, s, 300)
	require.Greater(t, open, int64(l.viewers))
}

// The engine's events are dropped when there is no room for them; it is not kept waiting.
func TestEmitNeverBlocks(t *testing.T) {
	f := newFold() // nobody folds
	for i := range int64(queued + 1000) {
		f.emit(run.Finished{Seq: i})
	}
	require.EqualValues(t, 1000, f.dropped.Load())
}

// slow opens a stream and never reads it.
func slow(t *testing.T, s *Server) {
	t.Helper()
	c, err := net.Dial("tcp", s.net.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.(*net.TCPConn).SetReadBuffer(4096))
	fmt.Fprintf(c, "GET /events?token=%s HTTP/1.1\r\nHost: localhost\r\n\r\n", s.door.token)
}

// narrow gives connections little room in the kernel, so that a viewer who takes nothing is noticed after a few pages.
type narrow struct{ net.Listener }

func narrowly(l net.Listener) net.Listener { return narrow{l} }

func (l narrow) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(4096)
	}
	return c, err
}

func TestFault55SlowViewersAreCut(t *testing.T) {
	l := quick()
	l.viewers, l.patience = 2, time.Second
	s, _ := servingAt(t, narrowly, l, Config{}, recorded.Rare()[:1000]...)
	slow(t, s)
	slow(t, s)
	require.Eventually(t, func() bool { return s.viewers.Load() == 2 }, patience, time.Millisecond)
	require.Eventually(t, func() bool { return s.viewers.Load() == 0 }, patience, time.Millisecond, "both are cut")
	watch(t, client(t), s)

	// Control: with endless patience they keep their places, however long the campaign goes on, and the next finds none.
	l.patience = time.Hour
	s, e := servingAt(t, narrowly, l, Config{}, recorded.Rare()[:1000]...)
	slow(t, s)
	slow(t, s)
	require.Eventually(t, func() bool { return s.viewers.Load() == 2 }, patience, time.Millisecond)
	seen := e.lookedAt()
	require.Eventually(t, func() bool { return e.lookedAt() > seen+100 }, patience, time.Millisecond)
	code, _, _ := get(t, client(t), s.at("/events"))
	require.Equal(t, http.StatusServiceUnavailable, code)
}

// Whoever connects and says nothing is cut, too, and a campaign that ends waits for no viewer.
func TestFault55SilentAndStuckViewersHoldNothingUp(t *testing.T) {
	l := quick()
	l.connections, l.patience = 2, time.Second
	s, _ := servingAt(t, narrowly, l, Config{}, recorded.Rare()[:1000]...)
	for range 2 {
		c, err := net.Dial("tcp", s.net.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		fmt.Fprint(c, "GET / HT")
	}
	code, _, _ := get(t, client(t), s.URL())
	require.Equal(t, http.StatusOK, code, "the silent have lost their connections")

	l.patience = time.Hour
	s, _ = servingAt(t, narrowly, l, Config{}, recorded.Rare()[:1000]...)
	slow(t, s)
	require.Eventually(t, func() bool { return s.viewers.Load() == 1 }, patience, time.Millisecond)
	done := make(chan struct{})
	go func() { s.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("the end waits for a viewer who takes nothing")
	}
}
