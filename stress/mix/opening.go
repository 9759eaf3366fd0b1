package mix

import (
	"slices"
	"time"
)

const (
	// headStart is how much of the campaign's time plain attempts have for themselves once it is known how long one
	// takes: for a test of milliseconds that is hundreds of them, for one of seconds nothing.
	headStart = 300 * time.Millisecond
	// openingLength is how many attempts of a test of seconds are given out in a fixed order, and openingPlain which of
	// them are plain: the first and every fourth after it.
	openingLength = 16
	openingPlain  = 4
	// headStartMost bounds the head start in attempts, headStartShare as a share of those that the campaign is to have.
	headStartMost  = 1000
	headStartShare = 0.2
)

// opening is the strategy of one of a campaign's first attempts, false where the rule decides. Its order lets a user
// with a slow test see each strategy within the first attempts, those inside the test's own runtime twice and first;
// one with a fast test loses nothing by them.
func (m *Mixer) opening(seq int64) (strategy string, ok bool) {
	if seq == 1 || len(m.cfg.Strategies) == 0 {
		return Plain, true
	}
	if m.inHeadStart(seq) {
		return Plain, true
	}
	if seq > openingLength {
		return "", false
	}
	if seq%openingPlain == 1 {
		return Plain, true
	}
	order := m.cfg.order()
	return order[int(seq-2-(seq-2)/openingPlain)%len(order)], true
}

// inHeadStart tells whether a plain attempt has ended, and all of them together have not had their head start.
func (m *Mixer) inHeadStart(seq int64) bool {
	if seq > headStartMost || m.cfg.Runs > 0 && float64(seq) > headStartShare*float64(m.cfg.Runs) {
		return false
	}
	plain := m.ledger.Arm(Plain)
	// The clock, too: on a machine with other work an attempt costs less than it takes.
	return plain != nil && plain.Cost(m.cfg.Width, m.cfg.CPUs) < headStart && m.ledger.lasted() < headStart
}

// order is that in which strategies are tried first: before each of the others one inside the runtime, in turn.
func (c *Config) order() (order []string) {
	var inside, others []string
	for _, name := range c.Strategies {
		if slices.Contains(c.Inside, name) {
			inside = append(inside, name)
		} else {
			others = append(others, name)
		}
	}
	if len(inside) == 0 || len(others) == 0 {
		return append(inside, others...)
	}
	for i, other := range others {
		order = append(order, inside[2*i%len(inside)], inside[(2*i+1)%len(inside)], other)
	}
	return order
}
