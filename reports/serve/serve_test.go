package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/reports/html"
	"heisen/reports/internal/recorded"
	"heisen/reports/text"
	"heisen/repro/soak"
	"heisen/stress"
	"heisen/stress/contrast"
	"heisen/stress/run"
	"heisen/stress/starve"
	"heisen/stress/tally"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// engine is a campaign of recorded events.
type engine struct {
	now, most atomic.Int64 // who ask at once

	mu    sync.Mutex
	tally *tally.Tally
	looks int
	over  bool
}

func (e *engine) Progress() (stress.Progress, bool) {
	e.most.Store(max(e.most.Load(), e.now.Add(1)))
	defer e.now.Add(-1)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.looks++
	_, latest := e.tally.Began()
	return stress.Progress{Spec: latest.Spec, Tally: e.tally.Clone(), Elapsed: time.Second}, !e.over
}

func (e *engine) add(events ...run.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range events {
		e.tally.Add(event)
	}
}

func (e *engine) lookedAt() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.looks
}

// quick are limits for tests: what is new is seen at once.
func quick() limits {
	l := usual
	l.look, l.deep, l.rest = 2*time.Millisecond, 2*time.Millisecond, 0
	return l
}

// serving opens a dashboard on a campaign of these events.
func serving(t *testing.T, l limits, cfg Config, events ...run.Event) (*Server, *engine) {
	t.Helper()
	return servingAt(t, func(l net.Listener) net.Listener { return l }, l, cfg, events...)
}

func servingAt(t *testing.T, wrap func(net.Listener) net.Listener, l limits, cfg Config, events ...run.Event) (*Server, *engine) {
	t.Helper()
	door, err := Prepare(Options{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	s, err := door.Open()
	require.NoError(t, err)
	t.Cleanup(s.Close)
	s.limits, s.net = l, wrap(s.net)
	e := &engine{tally: recorded.Tally(t, events)}
	cfg.Source, cfg.Kind, cfg.Dir = e, "hunt", recorded.Dir
	for _, event := range events {
		for {
			before := s.fold.dropped.Load()
			if s.Emit(event); s.fold.dropped.Load() == before {
				break
			}
		}
	}
	s.Start(cfg)
	return s, e
}

// client is a browser with no memory and no patience of its own.
func client(t *testing.T) *http.Client {
	tr := &http.Transport{DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (s *Server) at(path string) string {
	return "http://" + s.net.Addr().String() + path + "?token=" + s.door.token
}

func get(t *testing.T, c *http.Client, url string) (int, string, http.Header) {
	t.Helper()
	res, err := c.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body), res.Header
}

func TestThePageIsTheReportsOwn(t *testing.T) {
	s, e := serving(t, quick(), Config{NoMachine: "none here"}, recorded.Rare()[:4000]...)
	code, page, header := get(t, client(t), s.URL())
	require.Equal(t, http.StatusOK, code)
	r := reports.Build(e.tally, reports.Facts{Dir: recorded.Dir, Running: true})
	require.Contains(t, page, text.OwnRateLine(r), "the figure of the summary")
	require.Contains(t, page, "Failure rate over time")
	require.Contains(t, page, "none here")
	require.Contains(t, page, script)
	policy := html.Page{Live: script}.Policy()
	require.Contains(t, page, strings.ReplaceAll(strings.ReplaceAll(policy, "'", "&#39;"), "+", "&#43;"))
	require.Equal(t, policy+"; frame-ancestors 'none'", header.Get("Content-Security-Policy"))
	require.Equal(t, "no-store", header.Get("Cache-Control"))
	require.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
}

// A soak's page says what its attempts show so far.
func TestThePageOfASoakHasItsVerdict(t *testing.T) {
	shown := func() *reports.Soak {
		return &reports.Soak{Finding: &soak.Finding{Sentence: "CANNOT TELL YET: 3 of 40 failed"}}
	}
	s, _ := serving(t, quick(), Config{Soak: shown}, recorded.Rare()[:40]...)
	_, page, _ := get(t, client(t), s.URL())
	require.Contains(t, page, "<p>CANNOT TELL YET: 3 of 40 failed</p>")
}

// The pictures over time are of the same attempts as the figures.
func TestThePicturesMissNothing(t *testing.T) {
	s, e := serving(t, quick(), Config{}, recorded.Rare()[:4000]...)
	var finished, failed int64
	for _, b := range s.fold.history().Bins {
		finished, failed = finished+b.Finished, failed+b.Failed
	}
	require.Equal(t, e.tally.Counts().Total(), finished)
	require.Equal(t, e.tally.Counts().Failures(), failed)
}

// events reads a stream: the name and the data of one after the other.
type events struct {
	body io.ReadCloser
	in   *bufio.Reader
}

func watch(t *testing.T, c *http.Client, s *Server) *events {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, s.at("/events"), nil)
	require.NoError(t, err)
	res, err := c.Do(ask)
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	return &events{res.Body, bufio.NewReader(res.Body)}
}

// next is "" at the end.
func (e *events) next(t *testing.T) (name, data string) {
	t.Helper()
	for {
		line, err := e.in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return "", ""
		}
		require.NoError(t, err)
		if name == "" {
			if after, ok := strings.CutPrefix(strings.TrimSpace(line), "event: "); ok { // else a sign of life
				name = after
			}
			continue
		}
		data, _ = strings.CutPrefix(strings.TrimSuffix(line, "\n"), "data: ")
		_, err = e.in.ReadString('\n')
		require.NoError(t, err)
		return name, data
	}
}

// until reads on to an event whose data holds a text.
func (e *events) until(t *testing.T, name, part string) string {
	t.Helper()
	for {
		n, data := e.next(t)
		require.NotEmpty(t, n, "the stream ended before %s %q", name, part)
		if n == name && strings.Contains(data, part) {
			return data
		}
	}
}

func TestAStreamTellsWhatIsNewAndHowItEnded(t *testing.T) {
	all := recorded.Rare()
	s, e := serving(t, quick(), Config{Status: func() string { return "FIXED \x1b]0;owned\a" }}, all[:10]...)
	stream := watch(t, client(t), s)
	data := stream.until(t, "part", `"figures"`)
	require.Contains(t, data, "failed 0 of 9")
	require.Contains(t, stream.until(t, "line", "9 attempts"), `FIXED \\x1b]0;owned\\x07`)
	require.Equal(t, `""`, stream.until(t, "drawn", ""))

	e.add(all[10:30]...)
	stream.until(t, "part", "failed 1 of")

	e.add(all[30:]...)
	e.mu.Lock()
	e.over = true
	e.mu.Unlock()
	s.End(reports.Build(e.tally, reports.Facts{Dir: recorded.Dir, Compare: true}))
	stream.until(t, "part", "failed 3 of 5,000")
	require.Contains(t, stream.until(t, "end", ""), "the campaign has ended (")
	name, _ := stream.next(t)
	require.Empty(t, name, "nothing follows the end")
	_, err := client(t).Get(s.at("/"))
	require.Error(t, err, "the port is given back")
}

// What a stream sends is what the page is made of, and is a stranger's text as harmless as there.
func TestPartsOfAStreamAreThePages(t *testing.T) {
	s, _ := serving(t, quick(), Config{}, recorded.Troubled()...)
	stream := watch(t, client(t), s)
	var p html.Part
	require.NoError(t, json.Unmarshal([]byte(stream.until(t, "part", `"pictures"`)), &p))
	require.True(t, strings.HasPrefix(p.HTML, `<div id="pictures">`))
	require.NotContains(t, p.HTML, "\x1b")
	require.Contains(t, p.HTML, `\x1b]52`)
}

// The folder is read while somebody watches, and what it says is shown; another failure to draw is told by name.
func TestTheFolderIsReadForWhoWatches(t *testing.T) {
	fail, pass := recorded.Attempts(t)
	var mu sync.Mutex
	reads := 0
	s, e := serving(t, quick(), Config{Deep: func() (Depth, error) {
		mu.Lock()
		defer mu.Unlock()
		if reads++; reads == 1 {
			return Depth{}, errors.New("not yet")
		}
		return Depth{Report: reports.Report{Starvation: &reports.Starvation{Finding: contrast.Finding{Sentence: "not starved by any means"}}}, Fail: fail, Pass: pass}, nil
	}}, recorded.Rare()[:30]...)
	require.Eventually(t, func() bool { return e.lookedAt() > 20 }, patience, time.Millisecond)
	mu.Lock()
	require.Zero(t, reads, "nobody watches")
	mu.Unlock()
	stream := watch(t, client(t), s)
	stream.until(t, "part", "not starved by any means")
	name := html.Page{Fail: fail, Pass: pass}.Drawn()
	stream.until(t, "drawn", name)
	code, page, _ := get(t, client(t), s.URL())
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, page, `data-drawn="`+name+`"`)
	require.Contains(t, page, `id="timeline-data"`)
}

// However many look at once, it is drawn once.
func TestWhatIsNotNewIsNotDrawnAgain(t *testing.T) {
	l := quick()
	l.look, l.rest = time.Hour, 1
	drawings := 0
	s, _ := serving(t, l, Config{Machine: func() []starve.Point { drawings++; return nil }}, recorded.Rare()[:30]...)
	for range 20 {
		get(t, client(t), s.URL())
	}
	require.Equal(t, 1, drawings)
}

// A picture that cannot be drawn, or a figure that cannot be told, is said and ends nothing.
func TestAPanicEndsNothing(t *testing.T) {
	s, e := serving(t, quick(), Config{Machine: func() []starve.Point { panic("no picture") }}, recorded.Rare()[:30]...)
	code, body, _ := get(t, client(t), s.URL())
	require.Equal(t, http.StatusInternalServerError, code)
	require.Contains(t, body, "no picture")
	code, body, _ = get(t, client(t), s.at("/metrics"))
	require.Equal(t, http.StatusInternalServerError, code)
	require.Contains(t, body, "no picture")
	before := e.lookedAt()
	require.Eventually(t, func() bool { return e.lookedAt() > before }, patience, time.Millisecond)
}

func TestHealth(t *testing.T) {
	l := quick()
	s, e := serving(t, l, Config{}, recorded.Rare()[:30]...)
	health := func() int {
		code, _, _ := get(t, client(t), "http://"+s.net.Addr().String()+"/healthz")
		return code
	}
	require.Eventually(t, func() bool { return health() == http.StatusOK }, patience, time.Millisecond)

	// An engine that does not answer: the figures grow old.
	e.mu.Lock()
	old := *s.figures.Load()
	old.at = time.Now().Add(-2 * l.stale)
	s.figures.Store(&old)
	require.Equal(t, http.StatusServiceUnavailable, health())
	e.mu.Unlock()
}
