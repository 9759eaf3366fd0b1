package mix

import (
	"slices"
	"sync"
	"time"

	"heisen/stress/run"
)

// Config is what a Mixer is to mix.
type Config struct {
	// Seed is the campaign's.
	Seed uint64
	// Strategies may be drawn beside Plain.
	Strategies []string
	// Inside are those of them that reach into the test's own runtime, which are the stronger lever where there is one.
	Inside []string
	// Width is how many attempts run at once, CPUs how many can compute at once.
	Width, CPUs int
	// Runs is how many attempts the campaign is to have, 0 where that is not known.
	Runs int64
	// Ledger is the account so far, nil for none. The Mixer copies it.
	Ledger *Ledger
	// Epoch is the one whose attempts count.
	Epoch int
}

// Mixer draws strategies. Its choice depends on the seed, the attempt and what has finished by then, and on
// nothing else. It is safe for concurrent use.
type Mixer struct {
	mu     sync.Mutex
	cfg    Config
	ledger *Ledger
}

// New returns a Mixer.
func New(cfg Config) *Mixer {
	m := &Mixer{cfg: cfg, ledger: cfg.Ledger.Clone()}
	m.cfg.Strategies = slices.Clone(cfg.Strategies)
	return m
}

// Choose draws the strategy of one try of an attempt.
func (m *Mixer) Choose(a run.Attempt) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.opening(a.Seq); ok {
		return s
	}
	arms, failed := ratesOf(m.ledger, &m.cfg)
	return draw(arms, failed, chanceFor(m.cfg.Seed, a.Seq, a.Try))
}

// Emit learns from a finished attempt; it is a sink of the engine's events.
func (m *Mixer) Emit(e run.Event) {
	fin, ok := e.(run.Finished)
	if !ok || fin.Epoch != 0 && fin.Epoch != m.cfg.Epoch {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ledger.Add(fin)
}

// PlainDuration is the median duration of plain attempts; false while none has ended.
func (m *Mixer) PlainDuration() (time.Duration, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	median, of := m.ledger.Duration()
	return median, of > 0
}

// Drop never draws a strategy again: it does not work here.
func (m *Mixer) Drop(strategy string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cfg.Strategies = slices.DeleteFunc(m.cfg.Strategies, func(s string) bool { return s == strategy })
}
