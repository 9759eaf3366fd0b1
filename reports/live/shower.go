package live

import (
	"time"

	"heisen/reports"
	"heisen/reports/text"
	"heisen/stress"
	"heisen/stress/run"
)

// shower decides what is shown when. It belongs to the view's goroutine.
type shower struct {
	cfg       Config
	source    Source
	screen    screen
	notices   notices
	block     bool // redraw a block; else plain lines
	suspended bool
	lastPlain time.Time
	// progress and report are the latest look at the engine; seen tells that there was one.
	progress stress.Progress
	report   reports.Report
	seen     bool
}

func newShower(cfg Config) shower {
	if cfg.Size == nil {
		cfg.Size = func() (int, int) { return 0, 0 }
	}
	if cfg.Every <= 0 {
		cfg.Every = plainEvery
	}
	return shower{
		cfg:     cfg,
		screen:  screen{w: cfg.Out, size: cfg.Size},
		notices: notices{style: cfg.Style, known: map[string]bool{}},
		block:   cfg.Block,
	}
}

// begin draws for the first time. Failures of sessions before this one are no news.
func (s *shower) begin() {
	s.lastPlain = time.Now()
	if !s.look() {
		return
	}
	for _, sig := range s.report.Signatures {
		s.notices.known[sig.ID] = true
	}
	if s.block {
		s.draw()
	}
}

// take reacts to one event: it notes what is worth a line, and looks at the engine at once when a failure
// may be the first of its kind.
func (s *shower) take(e run.Event) {
	now := time.Now()
	if fin, ok := e.(run.Finished); ok {
		if !s.notices.expects(fin) {
			return
		}
		s.look()
		s.notices.known[fin.Filed.Signature] = true
	} else {
		s.notices.take(e, now)
	}
	s.draw()
}

// tick looks at the engine when a block or a plain line is due.
func (s *shower) tick() {
	due := s.block || time.Since(s.lastPlain) >= s.cfg.Every
	if s.suspended || !due || !s.look() {
		return
	}
	s.notices.status = true
	s.draw()
}

// look gets the present figures, and with them the failures of kinds not seen before: events may have been
// dropped, figures are not.
func (s *shower) look() bool {
	p, ok := s.source.Progress()
	if !ok {
		return false
	}
	first := !s.seen
	s.progress, s.seen = p, true
	s.report = reports.Build(p.Tally, reports.Facts{Dir: s.cfg.Dir, Running: true, Elapsed: p.Elapsed})
	if !first {
		s.notices.failures(s.report, time.Now())
	}
	return true
}

// draw writes the notices and, under them, the block or a plain line.
func (s *shower) draw() {
	if s.suspended {
		return
	}
	lines, status := s.notices.flush()
	if s.block {
		s.screen.update(lines, s.frame())
		return
	}
	if status && s.seen {
		line := Line(s.progress, s.report)
		if s.cfg.Status != nil {
			if status := s.cfg.Status(); status != "" {
				line += "; " + text.Escape(status)
			}
		}
		lines = append(lines, line)
		s.lastPlain = time.Now()
	}
	s.screen.update(lines, nil)
}

func (s *shower) frame() []string {
	if !s.seen {
		return nil
	}
	machine := ""
	if s.cfg.Machine != nil {
		machine = s.cfg.Machine()
	}
	width, height := s.screen.bounds()
	return frame(s.progress, s.report, machine, width, height, s.cfg.Style)
}

func (s *shower) suspend() {
	s.screen.update(nil, nil)
	s.suspended = true
}

func (s *shower) resume(foreground bool) {
	s.suspended = false
	s.block = s.cfg.Block && foreground
	s.screen.forget()
	s.look()
	s.notices.status = true
	s.draw()
}

// end leaves the notices and nothing else.
func (s *shower) end() {
	lines, _ := s.notices.flush()
	s.screen.update(lines, nil)
}
