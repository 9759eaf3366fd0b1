package serve

import (
	"sync/atomic"

	"heisen/reports/history"
	"heisen/stress/run"
)

// queued is how many events wait to be folded before the next are dropped.
const queued = 1 << 14

// fold keeps what is drawn over time. Its goroutine alone has the history; the engine hands events over through a
// channel that drops what does not fit, so that it never waits.
type fold struct {
	events  chan run.Event
	asks    chan chan *history.History
	done    chan struct{}
	dropped atomic.Int64
}

func newFold() *fold {
	return &fold{events: make(chan run.Event, queued), asks: make(chan chan *history.History), done: make(chan struct{})}
}

func (f *fold) emit(e run.Event) {
	switch e.(type) {
	case run.Began, run.Finished:
	default:
		return
	}
	select {
	case f.events <- e:
	default:
		f.dropped.Add(1)
	}
}

func (f *fold) loop(h *history.History, stop <-chan struct{}) {
	defer close(f.done)
	if h == nil {
		h = &history.History{}
	}
	for {
		select {
		case e := <-f.events:
			h.Add(e)
		case answer := <-f.asks:
			for n := len(f.events); n > 0; n-- { // what was emitted before the question
				h.Add(<-f.events)
			}
			answer <- h.Clone()
		case <-stop:
			return
		}
	}
}

// history is a copy of the fold; nil after the end.
func (f *fold) history() *history.History {
	answer := make(chan *history.History, 1)
	select {
	case f.asks <- answer:
		return <-answer
	case <-f.done:
		return nil
	}
}
