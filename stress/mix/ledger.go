package mix

import (
	"cmp"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"heisen/stress/run"
)

// Plain is the strategy that does nothing: the attempt runs as the user would run it.
const Plain = "plain"

// Strategies of the machine's side. They hold no thread and need no tracer.
const (
	Weak = "weak"
	Load = "load"
	Pin  = "pin"
)

// MachineSide tells whether a strategy changes the machine under an attempt instead of holding its threads.
func MachineSide(strategy string) bool {
	return strategy == Weak || strategy == Load || strategy == Pin
}

const (
	// mostVariants bounds how many variants are known as seen. Beyond it none counts as new: how many a
	// strategy found first is then "at least".
	mostVariants = 10_000
	// recentPlain is how many plain attempts' durations make the plain duration.
	recentPlain = 31
)

// Arm is what one strategy has brought and cost. Times are in microseconds.
type Arm struct {
	Strategy string `json:"strategy"`
	// ByOutcome counts its finished attempts.
	ByOutcome map[run.Outcome]int64 `json:"by_outcome"`
	// Wall, CPU and Tracer are the sums over finished attempts: the test's wall and CPU time, and the
	// CPU time of the tracer beside it.
	Wall   int64 `json:"wall_us"`
	CPU    int64 `json:"cpu_us"`
	Tracer int64 `json:"tracer_us,omitempty"`
	// Variants is how many variants it was the first to show; Recorded how many attempts had one.
	Variants int64 `json:"variants,omitempty"`
	Recorded int64 `json:"recorded,omitempty"`
	// Holds: drawn, made, drawn but not made; the sum of all and the longest.
	Planned int64 `json:"planned,omitempty"`
	Made    int64 `json:"made,omitempty"`
	Skipped int64 `json:"skipped,omitempty"`
	Held    int64 `json:"held_us,omitempty"`
	Longest int64 `json:"longest_us,omitempty"`
	Stops   int64 `json:"stops,omitempty"`
	// Idle counts attempts in which no hold was made at all.
	Idle int64 `json:"idle,omitempty"`
	// Untold counts attempts that did not tell all that was done to them, and WhyUntold is what the first of them said.
	Untold    int64  `json:"untold,omitempty"`
	WhyUntold string `json:"why_untold,omitempty"`
	// First is the number of its first failing attempt, 0 for none.
	First int64 `json:"first_failure,omitempty"`
}

// Attempts is how many of its attempts say anything about the test, Failures how many of those failed.
func (a *Arm) Attempts() int64 { return a.sum(run.Outcome.Judged) }
func (a *Arm) Failures() int64 { return a.sum(run.Outcome.Failed) }

// Finished is how many attempts it has had, whatever they ended in.
func (a *Arm) Finished() int64 { return a.sum(func(run.Outcome) bool { return true }) }

func (a *Arm) sum(of func(run.Outcome) bool) (n int64) {
	for o, k := range a.ByOutcome {
		if of(o) {
			n += k
		}
	}
	return n
}

// Ledger is the account of every strategy in one epoch. The zero value is empty and ready. It is not safe
// for concurrent use.
type Ledger struct {
	// Arms are in the order in which they were first seen.
	Arms []*Arm `json:"arms,omitempty"`
	// Durations are the wall times of the latest plain attempts that ran to an end of their own.
	Durations []int64 `json:"plain_us,omitempty"`
	// Seen are hashes of the variants that were shown, sorted.
	Seen []uint64 `json:"seen,omitempty"`
	// Began and Latest are when the first attempt that ended had begun, and when the latest ended, in microseconds since
	// 1970; 0 for none.
	Began  int64 `json:"began_us,omitempty"`
	Latest int64 `json:"latest_us,omitempty"`
}

// lasted is how long the campaign's attempts have gone on, pauses included.
func (l *Ledger) lasted() time.Duration { return time.Duration(l.Latest-l.Began) * time.Microsecond }

// Add folds one finished attempt.
func (l *Ledger) Add(fin run.Finished) {
	if at := fin.At.UnixMicro(); l.Began == 0 {
		l.Began, l.Latest = at, at+fin.Wall
	} else {
		l.Latest = max(l.Latest, at+fin.Wall)
	}
	name := Plain
	if fin.Chaos != nil {
		name = fin.Chaos.Strategy
	}
	a := l.arm(name)
	a.ByOutcome[fin.Outcome]++
	a.Wall += fin.Wall
	a.CPU += fin.User + fin.System
	if fin.Outcome.Failed() && (a.First == 0 || fin.Seq < a.First) {
		a.First = fin.Seq
	}
	if fin.Variant != "" {
		a.Recorded++
		if l.discover(fin.Variant) {
			a.Variants++
		}
	}
	if fin.Chaos == nil {
		l.duration(fin)
		return
	}
	a.hold(fin.Chaos)
}

func (a *Arm) hold(c *run.Chaos) {
	a.Tracer += c.Tracer
	a.Planned += c.Planned
	a.Made += c.Made
	a.Skipped += c.Skipped
	a.Held += c.Held
	a.Longest = max(a.Longest, c.Longest)
	a.Stops += c.Stops
	switch {
	case c.Unsupported != "":
		a.Untold++
		a.WhyUntold = cmp.Or(a.WhyUntold, c.Unsupported)
	case c.Made == 0 && !MachineSide(c.Strategy):
		a.Idle++
	}
}

// duration keeps how long plain attempts take, whatever they ended in: of a test that always fails that is all
// that can be known, and the median of many is not moved by a rare hang.
func (l *Ledger) duration(fin run.Finished) {
	if !fin.Outcome.Judged() {
		return
	}
	l.Durations = append(l.Durations, fin.Wall)
	if n := len(l.Durations); n > recentPlain {
		l.Durations = slices.Delete(l.Durations, 0, n-recentPlain)
	}
}

// Duration is the median wall time of the latest plain attempts, and of how many.
func (l *Ledger) Duration() (median time.Duration, of int) {
	of = len(l.Durations)
	if of == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(l.Durations))
	return time.Duration(sorted[of/2]) * time.Microsecond, of
}

// discover notes a variant and tells whether it is the first of its kind.
func (l *Ledger) discover(variant string) bool {
	h := fnv.New64a()
	h.Write([]byte(variant))
	at, known := slices.BinarySearch(l.Seen, h.Sum64())
	if known || len(l.Seen) >= mostVariants {
		return false
	}
	l.Seen = slices.Insert(l.Seen, at, h.Sum64())
	return true
}

// VariantsFull tells that no more variants are told apart, so that counts of them are lower bounds.
func (l *Ledger) VariantsFull() bool { return len(l.Seen) >= mostVariants }

// Arm is a strategy's account, nil where it has none.
func (l *Ledger) Arm(strategy string) *Arm {
	for _, a := range l.Arms {
		if a.Strategy == strategy {
			return a
		}
	}
	return nil
}

func (l *Ledger) arm(strategy string) *Arm {
	a := l.Arm(strategy)
	if a == nil {
		a = &Arm{Strategy: strategy, ByOutcome: map[run.Outcome]int64{}}
		l.Arms = append(l.Arms, a)
	}
	return a
}

// Clone is an independent copy; that of nil is empty.
func (l *Ledger) Clone() *Ledger {
	if l == nil {
		return &Ledger{}
	}
	c := &Ledger{Began: l.Began, Latest: l.Latest, Durations: slices.Clone(l.Durations), Seen: slices.Clone(l.Seen)}
	for _, a := range l.Arms {
		copied := *a
		copied.ByOutcome = maps.Clone(a.ByOutcome)
		c.Arms = append(c.Arms, &copied)
	}
	return c
}
