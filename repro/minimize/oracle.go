package minimize

import (
	"context"
	"errors"
	"fmt"

	"heisen/stress/stats"
)

// errBudget ends a run whose budget is used up; it never leaves the package.
var errBudget = errors.New("the budget is used up")

// most empty batches in a row until it is an error: attempts that say nothing would otherwise go on for ever.
const emptyBatches = 20

// batch runs attempts of a candidate into a tally.
func (m *minimizer) batch(ctx context.Context, c Candidate, into *Tally) ([]Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if m.o.MostAttempts > 0 && m.state.Spent >= m.o.MostAttempts ||
		m.o.MostTime > 0 && m.o.Now().Sub(m.began) >= m.o.MostTime {
		return nil, errBudget
	}
	outcomes, err := m.try.Try(ctx, c, m.o.Batch)
	if err != nil {
		return nil, fmt.Errorf("try a candidate with %d holds: %w", len(c.Holds), err)
	}
	if m.empty++; len(outcomes) > 0 {
		m.empty = 0
	}
	if m.empty >= emptyBatches {
		return nil, fmt.Errorf("try a candidate with %d holds: none of %d attempts said anything; see how the command ends by itself", len(c.Holds), emptyBatches*m.o.Batch)
	}
	into.add(outcomes)
	m.state.Spent += int64(len(outcomes))
	if m.o.Progress != nil {
		m.o.Progress(Progress{Step: m.step, Candidate: c, Tally: *into, Holds: len(m.left.Holds),
			Conditions: len(m.left.Conditions), Spent: m.state.Spent})
	}
	return outcomes, nil
}

// reproduces asks whether a candidate reaches the bar, with so great a chance of a wrong answer. What was seen of
// it before counts, so that asking again more strictly goes on with the same test.
func (m *minimizer) reproduces(ctx context.Context, c Candidate, chance float64) (bool, error) {
	tally := of(&m.state.Questions, c.key())
	test := stats.SPRT{Low: m.state.Bar.Low, High: m.state.Bar.High, Error: chance}
	for {
		switch test.Decide(tally.Reproduced, tally.Attempts) {
		case stats.Higher:
			return true, nil
		case stats.Lower:
			return false, nil
		}
		if _, err := m.batch(ctx, c, tally); err != nil {
			return false, err
		}
	}
}

// surer asks whether a longer hold, or one condition more, reproduces clearly more often, in pairs run side by side. It gives up soon: a
// difference that a few dozen pairs do not show is none to a user.
func (m *minimizer) surer(ctx context.Context, longer, present Candidate) (bool, error) {
	const (
		mostPairs = 80
		ratio     = 0.9 // of the longer one's rate, which the present one must be shown to be below
		enough    = 4.6 // log 100
	)
	duel := of(&m.state.Duels, longer.key()+" over "+present.key())
	for duel.Pairs.FellBelow(ratio) < enough {
		if duel.Count >= mostPairs {
			return false, nil
		}
		var seen, other Tally
		a, err := m.batch(ctx, longer, &seen)
		if err != nil {
			return false, err
		}
		b, err := m.batch(ctx, present, &other)
		if err != nil {
			return false, err
		}
		for i := range min(len(a), len(b)) {
			duel.Pairs.Add(a[i] == Reproduced, b[i] == Reproduced)
			duel.Count++
		}
	}
	return true, nil
}
