package minimize

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// again is how often the search for the needed holds starts over after its answers contradicted each other, ten
// times as strict each time. What was seen stays, so that only wrong answers cost anything.
const again = 3

// holds finds the needed holds: first by removing ever smaller parts, then by asking once more, more strictly,
// whether what is left reproduces and whether it does without any one of them. One unlucky answer on the way shows
// there: a needed hold that was dropped as a set that does not reproduce, a needless one that was kept as one whose
// removal changes nothing.
func (m *minimizer) holds(ctx context.Context, plan Candidate) (reason string, err error) {
	const (
		loosely  = 5  // times the error that is allowed for, on the way: what is wrong then is found out at its end
		strictly = 10 // times less at its end
	)
	for round := range again {
		chance := m.o.Error / math.Pow10(round)
		m.step, m.left = StepHolds, plan
		if err := m.guess(ctx, loosely*chance); err != nil {
			return "", err
		}
		if err := m.reduce(ctx, loosely*chance); err != nil {
			return "", err
		}
		m.step = StepConfirm
		minimal, err := m.confirm(ctx, chance/strictly)
		if err != nil || minimal {
			return "", err
		}
	}
	return "what was left after removing holds did not reproduce the failure when it was asked again: the rate changes, or holds depend on each other", nil
}

// guess asks about the longest hold alone: most races are lost by one thread that is late, and the likelier the later it
// is. Where that is so it saves all the halving, else it costs one question.
func (m *minimizer) guess(ctx context.Context, chance float64) error {
	const worth = 4 // holds, from which on halving takes more than a question or two
	if len(m.left.Holds) < worth {
		return nil
	}
	alone := m.left
	alone.Holds = []Hold{slices.MaxFunc(m.left.Holds, func(a, b Hold) int { return cmp.Compare(a.Length, b.Length) })}
	yes, err := m.reproduces(ctx, alone, chance)
	if yes {
		m.left = alone
	}
	return err
}

// reduce removes parts of the holds as long as what is left reproduces: halves, quarters, ..., then one by one until
// none can be removed.
func (m *minimizer) reduce(ctx context.Context, chance float64) error {
	for size := half(len(m.left.Holds)); ; size = half(size) {
		removed, err := m.pass(ctx, size, chance)
		if err != nil {
			return err
		}
		if size <= 1 && !removed {
			return nil
		}
	}
}

// pass tries to remove every part of one size.
func (m *minimizer) pass(ctx context.Context, size int, chance float64) (removed bool, err error) {
	for at := 0; at < len(m.left.Holds); {
		to := min(at+size, len(m.left.Holds))
		rest := m.left.without(at, to)
		yes := false
		if len(rest.Holds) > 0 { // no holds at all were measured first
			if yes, err = m.reproduces(ctx, rest, chance); err != nil {
				return false, err
			}
		}
		if yes {
			m.left, removed = rest, true
		} else {
			at = to
		}
	}
	return removed, nil
}

func half(n int) int { return max(1, (n+1)/2) }

// confirm asks whether what is left reproduces and is 1-minimal; a hold that can go after all goes.
func (m *minimizer) confirm(ctx context.Context, chance float64) (bool, error) {
	for {
		yes, err := m.reproduces(ctx, m.left, chance)
		if err != nil || !yes {
			return false, err
		}
		removed, err := m.pass(ctx, 1, chance)
		if err != nil || !removed {
			return err == nil, err
		}
	}
}

// conditions drops those without which it still reproduces, one by one.
func (m *minimizer) conditions(ctx context.Context) error {
	return m.drop(ctx, func(c string) bool { return !slices.Contains(m.o.Slow, c) })
}

// slow does the same for those that make every later question slow.
func (m *minimizer) slow(ctx context.Context) error {
	return m.drop(ctx, func(c string) bool { return slices.Contains(m.o.Slow, c) })
}

func (m *minimizer) drop(ctx context.Context, which func(condition string) bool) error {
	m.step = StepConditions
	for _, c := range m.left.Conditions {
		if !which(c) {
			continue
		}
		yes, err := m.reproduces(ctx, m.left.lacking(c), m.o.Error)
		if err != nil {
			return err
		}
		if !yes {
			continue
		}
		worth, err := m.worth(ctx, c)
		if err != nil {
			return err
		}
		if worth {
			m.surely = append(m.surely, c)
		} else {
			m.left = m.left.lacking(c)
		}
	}
	return nil
}

// worth tells whether a condition that is not needed makes the failure so much surer that it stays: the bar is
// at half the plan's rate, and a failure that always comes is not to become one that comes every other time. It is asked only where
// what was seen without the condition looks like that.
func (m *minimizer) worth(ctx context.Context, condition string) (bool, error) {
	const clearly = 0.8 // of the rate before: the whole plan's, or that without holds where these are not needed
	less := m.left.lacking(condition)
	seen, before := of(&m.state.Questions, less.key()), m.state.Full
	if m.alike() {
		before = m.state.Plain
	}
	if seen.Share() >= clearly*before.Share() {
		return false, nil
	}
	return m.surer(ctx, m.left, less)
}

// shorten bisects, on a scale of logarithms, from which length on each hold works while the others stay as they are.
// The holds keep their lengths: one at its boundary would work only just.
func (m *minimizer) shorten(ctx context.Context) error {
	const fine = 1.5 // the two ends of a boundary are nearer than this to each other
	m.step, m.lengths = StepShorten, nil
	for at, hold := range m.left.Holds {
		b := Boundary{ID: hold.ID, FailsFrom: hold.Length}
		for low := m.o.Shortest; ratio(b.FailsFrom, max(b.NotAt, low)) > fine; {
			mid := between(max(b.NotAt, low), b.FailsFrom)
			yes, err := m.reproduces(ctx, m.left.lasting(at, mid), m.o.Error)
			if err != nil {
				return err
			}
			if yes {
				b.FailsFrom = mid
			} else {
				b.NotAt = mid
			}
		}
		m.lengths = append(m.lengths, b)
	}
	return nil
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

// between is the geometric mean, to the microsecond where there are any.
func between(a, b time.Duration) time.Duration {
	return time.Duration(math.Sqrt(float64(a) * float64(b))).Round(time.Microsecond)
}

// lengthen doubles holds as long as that makes the failure surer.
func (m *minimizer) lengthen(ctx context.Context) error {
	m.step = StepLengthen
	for at := range m.left.Holds {
		for 2*m.left.Holds[at].Length <= m.o.Longest {
			longer := m.left.lasting(at, 2*m.left.Holds[at].Length)
			yes, err := m.surer(ctx, longer, m.left)
			if err != nil {
				return err
			}
			if !yes {
				break
			}
			m.left = longer
		}
	}
	return nil
}

// measure runs what is left afresh: the attempts that chose it flatter it.
func (m *minimizer) measure(ctx context.Context) (reason string, fresh Tally, err error) {
	m.step = StepMeasure
	tally := of(&m.state.Final, m.left.key())
	for tally.Attempts < m.o.Fresh {
		if _, err := m.batch(ctx, m.left, tally); err != nil {
			return "", *tally, err
		}
	}
	if float64(tally.Reproduced) < m.state.Bar.Low*float64(tally.Attempts) {
		return fmt.Sprintf("fresh attempts of what was left reproduced the failure in %d of %d only, less than %.2g %%",
			tally.Reproduced, tally.Attempts, 100*m.state.Bar.Low), *tally, nil
	}
	return "", *tally, nil
}
