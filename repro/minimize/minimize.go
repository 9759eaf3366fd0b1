package minimize

import (
	"context"
	"errors"
	"fmt"
	"time"

	"heisen/stress/stats"
)

// Verdict is how minimising ended.
type Verdict string

const (
	// Minimal: what is left reproduces, and does not without any one of its holds.
	Minimal Verdict = "minimal"
	// CannotTell: what was seen does not allow an answer; Reason says why.
	CannotTell Verdict = "cannot tell"
	// OutOfBudget: the budget was used up; Candidate is what was left by then, and a later Run goes on.
	OutOfBudget Verdict = "out of budget"
)

// Boundary is from which length on a hold works.
type Boundary struct {
	ID int `json:"id"`
	// FailsFrom is the least length with which the failure came back, NotAt the greatest with which it did not; 0
	// where even the shortest one that was tried was enough.
	FailsFrom time.Duration `json:"fails_from_ns"`
	NotAt     time.Duration `json:"not_at_ns"`
}

// Result is what is left of a plan.
type Result struct {
	Verdict   Verdict   `json:"verdict"`
	Reason    string    `json:"reason,omitempty"`
	Candidate Candidate `json:"candidate"`
	// Confirmed tells that the holds left were shown to reproduce, and not to without any one of them; the steps after
	// that only change conditions and lengths.
	Confirmed bool `json:"confirmed"`
	// Full, Plain and Bar are what the whole plan and no holds did, and the rates that were told apart.
	Full  Tally `json:"full"`
	Plain Tally `json:"plain"`
	Bar   *Bar  `json:"bar,omitempty"`
	// Surer are conditions left that it does without, but then clearly less often.
	Surer []string `json:"surer,omitempty"`
	// Lengths are in the order of Candidate.Holds.
	Lengths []Boundary `json:"lengths,omitempty"`
	// Measured are fresh attempts of Candidate, none of which chose it.
	Measured Tally `json:"measured"`
	Spent    int64 `json:"spent"`
}

// minimizer is one run.
type minimizer struct {
	o       Options
	try     Trier
	state   *State
	began   time.Time
	step    Step
	left    Candidate
	lengths []Boundary
	surely  []string
	sure    bool
	empty   int
}

// Run minimises a plan. It fails only where the caller's Try does or ctx ends; state is then as good as ever.
// The plan's holds have distinct IDs.
func Run(ctx context.Context, plan Candidate, try Trier, o Options, state *State) (Result, error) {
	m := &minimizer{o: o.normal(), try: try, state: state, left: plan}
	if m.o.MostTime > 0 {
		m.began = m.o.Now()
	}
	reason, measured, err := m.run(ctx, plan)
	r := m.result(measured)
	r.Reason = reason
	switch {
	case errors.Is(err, errBudget):
		r.Verdict, r.Reason, err = OutOfBudget, "stopped while finding out "+string(m.step), nil
	case reason != "":
		r.Verdict = CannotTell
	}
	return r, err
}

// result is what is known by now.
func (m *minimizer) result(measured Tally) Result {
	return Result{Verdict: Minimal, Candidate: m.left, Confirmed: m.sure, Full: m.state.Full, Plain: m.state.Plain, Bar: m.state.Bar,
		Surer: m.surely, Lengths: m.lengths, Measured: measured, Spent: m.state.Spent}
}

// run is the whole story; a reason is why it cannot tell.
func (m *minimizer) run(ctx context.Context, plan Candidate) (reason string, measured Tally, err error) {
	reason, needed, err := m.reference(ctx, plan)
	if err != nil || reason != "" {
		return reason, Tally{}, err
	}
	if needed {
		reason, err = m.holds(ctx, plan)
	} else {
		m.left.Holds = nil
	}
	m.sure = err == nil && reason == ""
	if m.sure && m.o.Confirmed != nil {
		err = m.o.Confirmed(ctx, m.result(Tally{}))
	}
	for _, next := range []func(context.Context) error{m.conditions, m.shorten, m.lengthen, m.slow} {
		if err != nil || reason != "" {
			return reason, Tally{}, err
		}
		err = next(ctx)
	}
	if err != nil {
		return "", Tally{}, err
	}
	return m.measure(ctx)
}

// reference measures the whole plan and no holds until they can be told apart, and sets the bar between them.
// needed is false where no holds do as well.
func (m *minimizer) reference(ctx context.Context, plan Candidate) (reason string, needed bool, err error) {
	const (
		leastHits = 20  // so few give a rate that is right to a third or so
		apart     = 0.6 // the bar's low end is at most this share of the high one
		often     = 3   // times as many attempts of no holds, once the plan has its hits: it is their rate that is not known well then
	)
	m.step = StepReference
	none := plan.without(0, len(plan.Holds))
	for s := m.state; s.Bar == nil; {
		full := stats.ConfidenceSequence(s.Full.Reproduced, s.Full.Attempts, 0.95)
		plain := stats.ConfidenceSequence(s.Plain.Reproduced, s.Plain.Attempts, 0.99)
		high := m.o.Keep * full.Low
		switch {
		case s.Full.Reproduced >= leastHits && plain.High <= apart*high:
			s.Bar = &Bar{Low: max(plain.High, high/3), High: high}
			continue
		case max(s.Full.Reproduced, s.Plain.Reproduced) >= leastHits && m.alike():
			// Where the holds keep it from failing, what is left has to do as well as without them.
			high = m.o.Keep * max(full.Low, plain.Low)
			s.Bar = &Bar{Low: high / 3, High: high}
			continue
		case s.Full.Attempts >= m.o.Reference && s.Full.Reproduced < leastHits:
			return fmt.Sprintf("the whole plan reproduced the failure in %d of %d attempts only", s.Full.Reproduced, s.Full.Attempts), false, nil
		case s.Full.Attempts >= m.o.Reference:
			return fmt.Sprintf("the whole plan reproduced the failure in %d of %d attempts, no holds in %d of %d: too alike to tell which holds matter",
				s.Full.Reproduced, s.Full.Attempts, s.Plain.Reproduced, s.Plain.Attempts), false, nil
		}
		candidate, tally := none, &s.Plain
		if s.Full.Attempts <= s.Plain.Attempts && (s.Full.Reproduced < leastHits || s.Plain.Attempts >= min(often*s.Full.Attempts, m.o.Reference)) {
			candidate, tally = plan, &s.Full
		}
		if _, err := m.batch(ctx, candidate, tally); err != nil {
			return "", false, err
		}
	}
	return "", !m.alike(), nil
}

// alike tells whether the reference found no holds to do as well as the plan.
func (m *minimizer) alike() bool {
	s := m.state
	full := stats.ConfidenceSequence(s.Full.Reproduced, s.Full.Attempts, 0.95)
	plain := stats.ConfidenceSequence(s.Plain.Reproduced, s.Plain.Attempts, 0.99)
	return plain.Low >= m.o.Keep*full.High
}
