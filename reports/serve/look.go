package serve

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"heisen/reports"
	"heisen/stress"
)

// figures are one look at the engine.
type figures struct {
	at       time.Time
	progress stress.Progress
	report   reports.Report
	// over tells that the campaign has ended, and that these are its last.
	over bool
}

// bell wakes all who wait for it.
type bell struct {
	mu   *sync.Mutex
	next *chan struct{}
}

func newBell() bell {
	c := make(chan struct{})
	return bell{&sync.Mutex{}, &c}
}

func (b bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(*b.next)
	*b.next = make(chan struct{})
}

// wait gives what is closed when the bell rings next.
func (b bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.next
}

// look asks the engine for its figures, as often whether anybody watches or not, until it has ended.
func (s *Server) look() {
	for {
		begun, before := time.Now(), s.figures.Load()
		p, ok := s.cfg.Source.Progress()
		if !ok {
			return
		}
		r := reports.Build(p.Tally, reports.Facts{Dir: s.cfg.Dir, Running: true, Elapsed: p.Elapsed})
		if !s.figures.CompareAndSwap(before, &figures{at: time.Now(), progress: p, report: r}) {
			return // End has stored the last ones meanwhile
		}
		s.news.ring()
		if !s.pause(s.pauseAfter(begun, s.limits.look)) {
			return
		}
	}
}

// lookDeep reads the campaign's folder for as long as somebody watches.
func (s *Server) lookDeep() {
	for {
		wanted := s.watched.wait()
		if s.viewers.Load() == 0 {
			select {
			case <-wanted:
			case <-s.closing:
				return
			}
		}
		begun := time.Now()
		err := safely(func() error {
			d, err := s.cfg.Deep()
			if err == nil {
				s.depth.Store(&d)
			}
			return err
		})
		if err == nil {
			s.news.ring()
		}
		if !s.pause(s.pauseAfter(begun, s.limits.deep)) {
			return
		}
	}
}

// pauseAfter is how long to rest after work that began then, so that it takes a small share of one CPU.
func (s *Server) pauseAfter(begun time.Time, least time.Duration) time.Duration {
	return max(least, time.Since(begun)*time.Duration(s.limits.rest))
}

// pause waits, and tells whether to go on.
func (s *Server) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.closing:
		return false
	}
}

// latest waits for the first look, if there was none yet.
func (s *Server) latest(r *http.Request) (*figures, error) {
	for {
		next := s.news.wait()
		if f := s.figures.Load(); f != nil {
			return f, nil
		}
		select {
		case <-next:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-s.leaving:
			return nil, fmt.Errorf("the campaign has ended")
		case <-time.After(s.limits.patience / 2):
			return nil, fmt.Errorf("the campaign is about to begin: ask again")
		}
	}
}

// serveHealth says whether the campaign goes on. It tells no more, and takes no token.
func (s *Server) serveHealth(w http.ResponseWriter) {
	f := s.figures.Load()
	switch {
	case f == nil:
		http.Error(w, "about to begin", http.StatusServiceUnavailable)
	case f.over:
		http.Error(w, "ended", http.StatusServiceUnavailable)
	case time.Since(f.at) > s.limits.stale:
		http.Error(w, fmt.Sprintf("the engine has not answered for %v", time.Since(f.at).Round(time.Second)), http.StatusServiceUnavailable)
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintln(w, "ok")
	}
}
