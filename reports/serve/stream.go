package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// A stream tells a page what of it has changed, as server-sent events:
//
//	part   {"ID", "HTML"}: this element is now so
//	line   "text": the campaign's state
//	drawn  "name": the attempts whose timeline is drawn; another name than the page's asks it to load anew
//	end    "text": the campaign has ended; nothing follows
//
// Nothing is queued for a viewer: each stream remembers what it sent and sends what differs from the latest. One that
// takes nothing for as long as patience lasts is cut.
type stream struct {
	w    http.ResponseWriter
	out  *http.ResponseController
	wait time.Duration
	sent map[string]string
}

// breath is how long a stream is silent at most, so that one that nobody reads any more is noticed.
const breath = 15 * time.Second

func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	if s.viewers.Add(1) > int64(s.limits.viewers) {
		s.viewers.Add(-1)
		w.Header().Set("Retry-After", "60")
		w.Header().Set("Connection", "close")
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("%d others are watching: close one of their pages", s.limits.viewers))
		return
	}
	defer s.viewers.Add(-1)
	s.watched.ring()
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	v := stream{w: w, out: http.NewResponseController(w), wait: s.limits.patience, sent: map[string]string{}}
	for s.tell(&v, r) {
	}
}

// tell sends what is new and waits for more; false at the end of the campaign, of the viewer or of patience.
func (s *Server) tell(v *stream, r *http.Request) bool {
	next := s.news.wait()
	if s.figures.Load() != nil {
		made, err := s.partsOf()
		if err != nil {
			return false // the connection ends, and the page says so
		}
		if v.update(made) != nil || made.of.over {
			return false
		}
	} else if v.write(":\n\n") != nil {
		return false
	}
	select {
	case <-next:
		return true
	case <-time.After(breath):
		return v.write(":\n\n") == nil
	case <-r.Context().Done():
	case <-s.leaving:
		return s.figures.Load() != nil && s.figures.Load().over
	}
	return false
}

func (v *stream) update(made drawn) error {
	for _, p := range made.parts {
		if err := v.send("part", p.ID, p.HTML, p); err != nil {
			return err
		}
	}
	if made.of.over {
		return v.send("end", "end", made.line, made.line)
	}
	if err := v.send("line", "line", made.line, made.line); err != nil {
		return err
	}
	return v.send("drawn", "drawn", made.attempts, made.attempts)
}

// send writes an event unless the latest of that key was the same.
func (v *stream) send(event, key, state string, data any) error {
	if was, ok := v.sent[key]; ok && was == state {
		return nil
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	if err := v.write("event: " + event + "\ndata: " + string(encoded) + "\n\n"); err != nil {
		return err
	}
	v.sent[key] = state
	return nil
}

func (v *stream) write(s string) error {
	if err := v.out.SetWriteDeadline(time.Now().Add(v.wait)); err != nil {
		return err
	}
	if _, err := v.w.Write([]byte(s)); err != nil {
		return err
	}
	return v.out.Flush()
}
