package reports

import (
	"slices"

	"heisen/stress/stats"
)

// Repro is how often a recorded failure came back; its JSON is what scripts may rely on.
type Repro struct {
	// Bundle, Signature and Title are the recorded failure's; Campaign is the folder of the replays.
	Bundle    string `json:"bundle"`
	Signature string `json:"signature"`
	Title     string `json:"title,omitempty"`
	Campaign  string `json:"campaign"`
	// Differences name what was not as it was recorded.
	Differences []string `json:"differences,omitempty"`
	// The replays under the recorded plan, Plain those left alone beside them; nil where none were made.
	Replays
	Plain *Replays `json:"plain,omitempty"`
	// Decisions is how many holds the plan has, the minimised one where there is one, Recorded how many it had;
	// Strategy names what drew them, empty where nothing was done.
	Decisions int    `json:"decisions"`
	Recorded  int    `json:"decisions_recorded"`
	Strategy  string `json:"strategy,omitempty"`
	// Made is how many holds were really made in each replay, from the fewest to the most.
	Made [2]int64 `json:"made"`
	// Minimized is what is left of the plan; nil where nobody asked, or where there was nothing to minimise.
	Minimized *Minimized `json:"minimized,omitempty"`
	// Explanation is the cause as it was shown by tests, or why none was; empty where nobody asked.
	Explanation string `json:"explanation"`
	// Stacks is where the program's threads were at the deciding moment; nil where nobody asked.
	Stacks *Stacks `json:"stacks,omitempty"`
}

// Stacks are of a replay that was given up for them and counts nowhere.
type Stacks struct {
	// At says which moment it was, Why in one line why there are none.
	At      string  `json:"at,omitempty"`
	Why     string  `json:"why,omitempty"`
	Threads []Stack `json:"threads,omitempty"`
}

// Stack is one thread's: its creation path, where that is known, the program's name for it, whether it was held, and its
// frames, FUNCTION at FILE:LINE, the innermost first.
type Stack struct {
	Thread string   `json:"thread,omitempty"`
	Name   string   `json:"name,omitempty"`
	Held   bool     `json:"held,omitempty"`
	Frames []string `json:"frames"`
}

// Replays counts judged attempts of one kind. Low and High bound the share that reproduces (Clopper-Pearson, 95 %).
type Replays struct {
	Reproduced int64   `json:"reproduced"`
	Attempts   int64   `json:"attempts"`
	Other      int64   `json:"other_failures"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
}

// Minimized is what is left of a plan, and how often that reproduces in fresh attempts.
type Minimized struct {
	// Verdict is "minimal", "cannot tell" or "out of budget"; Reason says why it is not the first.
	Verdict string `json:"verdict"`
	Reason  string `json:"reason,omitempty"`
	// Of is how many holds there were; Spent how many attempts it took.
	Of    int           `json:"of"`
	Spent int64         `json:"spent"`
	Holds []MinimalHold `json:"holds"`
	// Conditions are those left, Dropped those it does without. Surer are those of Conditions without which it comes, but
	// clearly less often.
	Conditions []string `json:"conditions,omitempty"`
	Surer      []string `json:"surer,omitempty"`
	Dropped    []string `json:"dropped,omitempty"`
	// Whole are attempts of the whole plan, NoHolds those under the same conditions without any hold; Replays are fresh
	// attempts of what is left.
	Whole   Replays `json:"whole"`
	NoHolds Replays `json:"no_holds"`
	Replays
}

// Needed are the conditions left that it does not do without.
func (m *Minimized) Needed() []string {
	return slices.DeleteFunc(slices.Clone(m.Conditions), func(name string) bool { return slices.Contains(m.Surer, name) })
}

// MinimalHold is one hold: the thread by its creation path, the point, how often it was there by then.
type MinimalHold struct {
	Thread string  `json:"thread"`
	Kind   string  `json:"kind"`
	Site   string  `json:"site,omitempty"`
	N      int64   `json:"n"`
	Hold   Seconds `json:"hold_seconds"`
	// FailsFrom is the least length with which the failure came back, NotAt the greatest with which it did not; 0
	// where that is not known.
	FailsFrom Seconds `json:"fails_from_seconds"`
	NotAt     Seconds `json:"not_at_seconds"`
}

// CountReplays gives counts their interval.
func CountReplays(reproduced, other, attempts int64) Replays {
	in := stats.ClopperPearson(reproduced, attempts, 0.95)
	return Replays{Reproduced: reproduced, Attempts: attempts, Other: other, Low: in.Low, High: in.High}
}
