package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"heisen/stress/mix"
	"heisen/stress/run"
	"heisen/stress/stats"
	"heisen/stress/tally"
)

// Chaos is what was done to schedules on purpose in the latest epoch, strategy by strategy. The plain attempts
// among them make Report.Rate; the others are in no rate but their own.
type Chaos struct {
	MaxHold Seconds `json:"max_hold_seconds"`
	// Budget is by how much holds may lengthen an attempt; nil before the plain duration is known.
	Budget *Seconds `json:"budget_seconds,omitempty"`
	// Plain is the account of the attempts that were left alone; nil where none has finished.
	Plain *Strategy `json:"plain,omitempty"`
	// Strategies are the others, in the order of their names.
	Strategies []Strategy `json:"strategies"`
	// NotDrawn maps a strategy to why this machine cannot do it.
	NotDrawn map[string]string `json:"not_drawn,omitempty"`
	// VariantsAtLeast tells that more variants were shown than are told apart.
	VariantsAtLeast bool `json:"variants_at_least,omitempty"`
}

// Strategy is the account of one strategy. What was not measured is nil.
type Strategy struct {
	Name string `json:"name"`
	Rate Rate   `json:"rate"`
	// NotJudged counts attempts that say nothing about the test.
	NotJudged int64 `json:"not_judged,omitempty"`
	// P is Fisher's exact test against the plain attempts, two-sided, corrected after Holm for the number of strategies;
	// nil where either side has no attempts.
	P *float64 `json:"p,omitempty"`
	// Verdict is "more often", "less often" or "no difference seen".
	Verdict string `json:"verdict,omitempty"`
	// FirstFailure is the number of its first failing attempt.
	FirstFailure int64 `json:"first_failure,omitempty"`
	// VariantsFirst is how many interleavings it was the first to show; nil where none was recorded.
	VariantsFirst *int64 `json:"variants_first,omitempty"`
	Holds         *Holds `json:"holds,omitempty"`
	// Mean is the mean wall time of an attempt, SlowDown how many times that of a plain one.
	Mean     Seconds  `json:"mean_seconds"`
	SlowDown *float64 `json:"slow_down,omitempty"`
}

// Holds are what a tracer or a language's runtime did. Idle counts attempts in which nothing was held.
type Holds struct {
	Planned int64   `json:"planned"`
	Made    int64   `json:"made"`
	Skipped int64   `json:"skipped"`
	Held    Seconds `json:"held_seconds"`
	Longest Seconds `json:"longest_seconds"`
	Stops   int64   `json:"stops"`
	Idle    int64   `json:"idle_attempts"`
	// Untold counts attempts that did not tell all that was done to them: the figures above are without what they did.
	// WhyUntold is the first reason.
	Untold    int64  `json:"untold_attempts,omitempty"`
	WhyUntold string `json:"why_untold,omitempty"`
	// Tracer is the CPU time of the tracers: no test's.
	Tracer Seconds `json:"tracer_cpu_seconds"`
}

// alpha is the level at which a strategy is said to fail more often than plain attempts.
const alpha = 0.01

func chaosOf(t *tally.Tally) *Chaos {
	_, latest := t.Began()
	ledger, policy := t.Ledger(), latest.Spec.Chaos
	if ledger == nil {
		return nil
	}
	c := &Chaos{MaxHold: Seconds(policy.MaxHold), NotDrawn: maps.Clone(latest.NotDrawn), Strategies: []Strategy{},
		VariantsAtLeast: ledger.VariantsFull()}
	if plain, of := ledger.Duration(); of > 0 && policy.On() {
		budget := Seconds(policy.BudgetFor(plain))
		c.Budget = &budget
	}
	plain := ledger.Arm(mix.Plain)
	if plain != nil {
		p := strategyOf(plain, nil)
		c.Plain = &p
	}
	for _, a := range ledger.Arms {
		if a.Strategy != mix.Plain {
			c.Strategies = append(c.Strategies, strategyOf(a, plain))
		}
	}
	slices.SortFunc(c.Strategies, func(a, b Strategy) int { return strings.Compare(a.Name, b.Name) })
	c.compare()
	return c
}

func strategyOf(a, plain *mix.Arm) Strategy {
	s := Strategy{Name: a.Strategy, Rate: rate(a.Failures(), a.Attempts()), NotJudged: a.Finished() - a.Attempts(),
		FirstFailure: a.First, Mean: Seconds(meanWall(a))}
	if a.Recorded > 0 {
		n := a.Variants
		s.VariantsFirst = &n
	}
	if plain == nil {
		return s
	}
	if p := meanWall(plain); p > 0 {
		slow := float64(meanWall(a)) / float64(p)
		s.SlowDown = &slow
	}
	if !mix.MachineSide(a.Strategy) {
		us := func(n int64) Seconds { return Seconds(time.Duration(n) * time.Microsecond) }
		s.Holds = &Holds{Planned: a.Planned, Made: a.Made, Skipped: a.Skipped, Held: us(a.Held), Longest: us(a.Longest),
			Stops: a.Stops, Idle: a.Idle, Untold: a.Untold, WhyUntold: a.WhyUntold, Tracer: us(a.Tracer)}
	}
	return s
}

func meanWall(a *mix.Arm) time.Duration {
	if a.Finished() == 0 {
		return 0
	}
	return time.Duration(a.Wall/a.Finished()) * time.Microsecond
}

// compare tests every strategy against the plain attempts.
func (c *Chaos) compare() {
	if c.Plain == nil || c.Plain.Rate.Attempts == 0 {
		return
	}
	var with []*Strategy
	var p []float64
	plain := c.Plain.Rate
	for i := range c.Strategies {
		s := &c.Strategies[i]
		if s.Rate.Attempts == 0 {
			continue
		}
		with = append(with, s)
		p = append(p, stats.Fisher(s.Rate.Failures, s.Rate.Attempts-s.Rate.Failures, plain.Failures, plain.Attempts-plain.Failures))
	}
	for i, corrected := range stats.Holm(p) {
		with[i].P = &corrected
		with[i].Verdict = verdictOf(corrected, with[i].Rate, plain)
	}
}

func verdictOf(p float64, s, plain Rate) string {
	switch {
	case p > alpha:
		return "no difference seen"
	case *s.Share > *plain.Share:
		return "more often"
	}
	return "less often"
}

// idleAfter is how many attempts of a strategy may go by without a hold before that is an error.
const idleAfter = 20

// Idle lists the strategies that should hold threads and told of no hold.
func (c *Chaos) Idle() []Strategy {
	if c == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Strategies), func(s Strategy) bool {
		return s.Holds == nil || s.Holds.Made > 0 || s.Rate.Attempts < idleAfter
	})
}

// Nothing says that chaos was asked for and nothing at all was done, "" where something was.
func (c *Chaos) Nothing() string {
	idle := c.Idle()
	if len(idle) == 0 || len(idle) < len(c.Strategies) {
		return ""
	}
	return "chaos did nothing: " + idle[0].idleText() + ": what passed says no more than plain attempts do"
}

func (s Strategy) idleText() string {
	if s.Holds.Untold > 0 {
		return fmt.Sprintf("%s told of no hold in %d attempts, of which %d did not tell all (%s)", s.Name, s.Rate.Attempts, s.Holds.Untold, s.Holds.WhyUntold)
	}
	return fmt.Sprintf("%s made no hold in %d attempts (%d planned, %d skipped, %d stops)",
		s.Name, s.Rate.Attempts, s.Holds.Planned, s.Holds.Skipped, s.Holds.Stops)
}

// Disturbed is how many failures came under chaos, and of how many attempts, in the latest epoch.
func (c *Chaos) Disturbed() (failures, attempts int64) {
	if c == nil {
		return 0, 0
	}
	for _, s := range c.Strategies {
		failures, attempts = failures+s.Rate.Failures, attempts+s.Rate.Attempts
	}
	return failures, attempts
}

// rate is k failures of n attempts with their interval.
func rate(k, n int64) Rate {
	c := tally.Counts{ByOutcome: map[run.Outcome]int64{run.Fail: k, run.Pass: n - k}}
	return RateOf(c)
}
