// Package serve shows a campaign while it runs: a page for browsers that keeps itself up to date, figures for
// Prometheus, and an answer to whether it goes on.
//
// Whoever looks, the campaign does the same: one goroutine asks the engine for its figures now and then, and everything
// is answered from its latest look. A viewer never reaches the engine. What viewers cost, connections, streams of
// events and time to draw, is bounded, and nothing that a viewer can ask for changes anything.
package serve

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"heisen/reports"
	"heisen/reports/evidence"
	"heisen/reports/history"
	"heisen/reports/live"
	"heisen/stress/run"
	"heisen/stress/starve"
)

// limits bound what viewers can cost.
type limits struct {
	// connections are open at once at most, more wait in the kernel; viewers are streams of events among them.
	connections, viewers int
	// patience is how long a viewer may take to send its request, and to take what is written.
	patience time.Duration
	// look is how often figures are asked for, deep how often the campaign's folder is read while somebody watches.
	// Whatever takes long is done more seldom: it rests for so many times as long as it took.
	look, deep time.Duration
	rest       int
	// stale is how old figures may be before the campaign is said not to answer.
	stale time.Duration
}

var usual = limits{connections: 64, viewers: 16, patience: 10 * time.Second, look: 2 * time.Second, deep: 15 * time.Second,
	rest: 20, stale: 30 * time.Second}

// Depth is what takes too long to be asked for every other second.
type Depth struct {
	// Report is of the campaign's folder: its verdicts and interleavings are taken, its figures are older.
	Report reports.Report
	// Fail is the failure that is drawn, Pass the passing attempt nearest to it; nil for none.
	Fail, Pass *evidence.Attempt
}

// Config says what is shown. Source must be set.
type Config struct {
	// Source is where the figures come from: the engine.
	Source live.Source
	// Deep reads the campaign's folder. It is called by one goroutine, and while somebody watches alone. Nil for none.
	Deep func() (Depth, error)
	// Dir is the campaign's folder, absolute; Kind what it is: hunt or soak.
	Dir, Kind string
	// History is the fold of what earlier sessions recorded; nil for none.
	History *history.History
	// Machine gives the machine's series; nil, with the reason in NoMachine, where there is none.
	Machine   func() []starve.Point
	NoMachine string
	// Status is what the campaign has found out so far, in words; nil, or "", adds nothing.
	Status func() string
	// Soak is what the attempts so far show of a soak's question; nil for a hunt.
	Soak func() *reports.Soak
}

// Server is a dashboard. Emit may be called from the moment it is open, and never blocks.
type Server struct {
	cfg    Config
	door   *Door
	limits limits
	net    net.Listener
	http   *http.Server
	fold   *fold
	pages  pages

	figures atomic.Pointer[figures]
	depth   atomic.Pointer[Depth]
	news    bell // rung after every look
	watched bell // rung by who wants to see
	viewers atomic.Int64

	leaving chan struct{} // closed first: streams end
	closing chan struct{} // then everything else
	once    sync.Once
	ended   sync.WaitGroup
}

func newServer(d *Door, l net.Listener) *Server {
	return &Server{door: d, net: l, limits: usual, fold: newFold(), news: newBell(), watched: newBell(),
		leaving: make(chan struct{}), closing: make(chan struct{})}
}

// URL is where the page is, token and all.
func (s *Server) URL() string { return s.door.url(s.net.Addr()) }

// Start begins to serve. It must be called once at most, and Close after it.
func (s *Server) Start(cfg Config) {
	s.cfg = cfg
	s.http = &http.Server{Handler: s.handler(), ReadTimeout: s.limits.patience, WriteTimeout: s.limits.patience,
		IdleTimeout: s.limits.patience, MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0), Protocols: new(http.Protocols)}
	s.http.Protocols.SetHTTP1(true)
	s.ended.Go(func() { s.fold.loop(cfg.History, s.closing) })
	s.ended.Go(s.look)
	if cfg.Deep != nil {
		s.ended.Go(s.lookDeep)
	}
	s.ended.Go(func() {
		// An error is that of a closed listener, or of one that broke: viewers see it, the campaign goes on.
		_ = s.http.Serve(netutil.LimitListener(s.door.wrap(s.net), s.limits.connections))
	})
}

// Emit takes an event for the pictures over time; it is a stress.Sink.
func (s *Server) Emit(e run.Event) { s.fold.emit(e) }

// End shows a campaign's last figures, and closes. Viewers keep what they see.
func (s *Server) End(r reports.Report) {
	last := figures{report: r, at: time.Now(), over: true}
	if f := s.figures.Load(); f != nil {
		last.progress = f.progress
		last.progress.Running = nil
	}
	s.figures.Store(&last)
	s.Close()
}

// goodbye is how long viewers have to take the last figures.
const goodbye = 2 * time.Second

// Close ends every stream and gives the port back. It takes a moment, however slow viewers are; a look at the folder
// that is under way ends by itself, and nobody waits for it.
func (s *Server) Close() {
	s.once.Do(func() {
		defer close(s.closing)
		close(s.leaving)
		if s.http == nil {
			_ = s.net.Close()
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), goodbye)
		defer cancel()
		if err := s.http.Shutdown(ctx); err != nil {
			_ = s.http.Close()
		}
	})
}

// safely answers what work answers, or that it panicked: a picture that cannot be drawn ends no campaign.
func safely(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("draw the dashboard: %v", p)
		}
	}()
	return work()
}
