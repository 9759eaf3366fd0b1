package run

import (
	"fmt"
	"time"
)

// Chaos is what was done to one attempt's schedule on purpose. An attempt that was left alone has none.
type Chaos struct {
	// Strategy names what decided which threads were held.
	Strategy string `json:"strategy"`
	// Planned, Made and Skipped count holds: drawn, really made, and drawn but not made (the budget was
	// used up, the thread ended first).
	Planned int64 `json:"planned,omitempty"`
	Made    int64 `json:"made,omitempty"`
	Skipped int64 `json:"skipped,omitempty"`
	// Held is the sum of all holds, Longest the longest one, in microseconds.
	Held    int64 `json:"held_us,omitempty"`
	Longest int64 `json:"longest_us,omitempty"`
	// Stops is how many times a thread was stopped, held or not; Tracer is the CPU time the tracer took, in
	// microseconds; of hogs beside the attempt it is the most they can have taken. None of it is the test's.
	Stops  int64 `json:"stops,omitempty"`
	Tracer int64 `json:"tracer_us,omitempty"`
	// Unsupported says why the attempt ran without, where it should not have.
	Unsupported string `json:"unsupported,omitempty"`
}

// Words says what was done, for the cause of a failure.
func (c *Chaos) Words() string {
	if c.Stops == 0 && c.Made == 0 {
		return "under " + c.Strategy
	}
	held := time.Duration(c.Held) * time.Microsecond
	return fmt.Sprintf("under %s: %d holds, %v in all", c.Strategy, c.Made, held.Round(100*time.Microsecond))
}

// ChaosAuto among the strategies of a policy stands for all that this heisen has.
const ChaosAuto = "auto"

// ChaosPolicy says which attempts are disturbed on purpose, and how far. The zero value disturbs none.
type ChaosPolicy struct {
	// Strategies are the names that may be drawn beside plain attempts, or ChaosAuto alone; none is --chaos off.
	Strategies []string `json:"strategies,omitempty"`
	// Knobs are environment variables that the user wants varied, NAME=VALUE,VALUE.
	Knobs []string `json:"knobs,omitempty"`
	// MaxHold bounds one hold of one thread.
	MaxHold time.Duration `json:"max_hold_ns,omitempty"`
	// Budget is by how much all holds of an attempt may lengthen it; 0 means from its plain duration.
	Budget time.Duration `json:"budget_ns,omitempty"`
}

// On tells whether any attempt is disturbed.
func (p ChaosPolicy) On() bool { return len(p.Strategies) > 0 }

// The budget where the user gives none: BudgetFactor times the plain duration and budgetLeast.
const (
	// BudgetFactor is how many times its plain duration an attempt may be lengthened by.
	BudgetFactor = 3
	budgetLeast  = time.Second
)

// BudgetFor is by how much holds may lengthen an attempt that takes so long when it is left alone.
func (p ChaosPolicy) BudgetFor(plain time.Duration) time.Duration {
	if p.Budget > 0 {
		return p.Budget
	}
	return BudgetFactor*plain + budgetLeast
}

// BurstFor is how much of that may be spent at once: half of what the budget is beyond BudgetFactor times the plain
// duration. The rest comes as the attempt runs, so that no part of it is lengthened by more than all of it may be.
func (p ChaosPolicy) BurstFor(plain time.Duration) time.Duration {
	budget := p.BudgetFor(plain)
	return max(budget-BudgetFactor*plain, min(budget, budgetLeast)) / 2
}
