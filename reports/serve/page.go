package serve

import (
	"bytes"
	_ "embed"
	"net/http"
	"sync"
	"time"

	"heisen/reports/html"
	"heisen/reports/human"
	"heisen/reports/live"
	"heisen/reports/text"
)

//go:embed keep.js
var script string

// pages are what was drawn last: once for all viewers, and not again before that has had its rest.
type pages struct {
	mu           sync.Mutex
	whole, parts drawn
}

// drawn is something made of figures.
type drawn struct {
	of    *figures
	depth *Depth
	rest  time.Time
	// page is the whole page; parts, line and attempts what a stream tells of it.
	page  []byte
	parts []html.Part
	// line is the state of the campaign in one line, attempts names those whose timeline is drawn.
	line, attempts string
}

// fresh tells that drawing again now would be for nothing, or too soon.
func (d *drawn) fresh(f *figures, depth *Depth) bool {
	return d.of != nil && d.depth == depth && (d.of == f || !f.over && time.Now().Before(d.rest))
}

// draw has into made of the latest figures, unless it is.
func (s *Server) draw(into *drawn, with func(*drawn, html.Page) error) (drawn, error) {
	s.pages.mu.Lock()
	defer s.pages.mu.Unlock()
	f, depth := s.figures.Load(), s.depth.Load()
	if into.fresh(f, depth) {
		return *into, nil
	}
	begun := time.Now()
	made := drawn{of: f, depth: depth}
	err := safely(func() error {
		page := s.page(f, depth)
		made.line, made.attempts = s.line(f), page.Drawn()
		return with(&made, page)
	})
	if err != nil {
		return drawn{}, err
	}
	made.rest = time.Now().Add(s.pauseAfter(begun, 0))
	*into = made
	return made, nil
}

// page is the campaign in the words of the report: the figures are the engine's, what compares attempts is the folder's.
func (s *Server) page(f *figures, depth *Depth) html.Page {
	p := html.Page{Report: f.report, History: s.fold.history(), NoMachine: s.cfg.NoMachine, Made: f.at, Live: script}
	if s.cfg.Machine != nil {
		p.Machine = s.cfg.Machine()
	}
	if s.cfg.Soak != nil && !f.over {
		p.Report.Soak = s.cfg.Soak()
	}
	if depth == nil {
		return p
	}
	p.Fail, p.Pass = depth.Fail, depth.Pass
	if !f.over {
		p.Report.Starvation, p.Report.Divergence = depth.Report.Starvation, depth.Report.Divergence
		p.Report.Interleavings, p.Report.Variants = depth.Report.Interleavings, depth.Report.Variants
	}
	return p
}

func (s *Server) line(f *figures) string {
	var line string
	if f.over {
		line = "the campaign has ended (" + text.Reason(f.report.StopReason) + "); heisen report " + f.report.ID + " writes what it found"
	} else {
		line = live.Line(f.progress, f.report)
	}
	if s.cfg.Status != nil {
		if status := s.cfg.Status(); status != "" {
			line += "; " + text.Escape(status)
		}
	}
	if n := s.fold.dropped.Load(); n > 0 {
		line += "; the pictures over time miss " + human.Plural(n, "attempt") + ", which heisen report has"
	}
	return line
}

func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	s.watched.ring()
	if _, err := s.latest(r); err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	made, err := s.draw(&s.pages.whole, func(d *drawn, p html.Page) error {
		var b bytes.Buffer
		err := html.Write(&b, p)
		d.page = b.Bytes()
		return err
	})
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(made.page) // a viewer that is gone has no use for an error
}

// partsOf draws the parts of the page that change.
func (s *Server) partsOf() (drawn, error) {
	return s.draw(&s.pages.parts, func(d *drawn, p html.Page) (err error) {
		d.parts, err = html.Parts(p)
		return err
	})
}
