package reports

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"heisen/stress/run"
	"heisen/stress/tally"
)

// Seconds is a time span that JSON shows as a number of seconds.
type Seconds time.Duration

// Duration is the same span.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// MarshalJSON writes seconds as a decimal number, to the microsecond.
func (s Seconds) MarshalJSON() ([]byte, error) {
	micro := time.Duration(s).Round(time.Microsecond)
	return strconv.AppendFloat(nil, micro.Seconds(), 'f', -1, 64), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Seconds) UnmarshalJSON(data []byte) error {
	var x float64
	if err := json.Unmarshal(data, &x); err != nil {
		return fmt.Errorf("read seconds: %w", err)
	}
	*s = Seconds(x * float64(time.Second))
	return nil
}

// Attempts counts attempts by outcome; the outcomes add up to Total.
type Attempts struct {
	Total     int64
	ByOutcome map[run.Outcome]int64
	// Leaked counts attempts that left processes or open pipes behind, whatever their outcome.
	Leaked int64
}

// Failures is how many of them the test failed, in all epochs.
func (a Attempts) Failures() int64 {
	var n int64
	for o, k := range a.ByOutcome {
		if o.Failed() {
			n += k
		}
	}
	return n
}

func countAttempts(c tally.Counts, cancelled int64) Attempts {
	a := Attempts{ByOutcome: map[run.Outcome]int64{}, Leaked: c.Leaked}
	for o, n := range c.ByOutcome {
		a.ByOutcome[o] += n
		a.Total += n
	}
	if cancelled > 0 {
		a.ByOutcome[run.Cancelled] += cancelled
		a.Total += cancelled
	}
	return a
}

// MarshalJSON writes one flat object: total, every outcome by name, also those that never happened, and
// leaked.
func (a Attempts) MarshalJSON() ([]byte, error) {
	flat := map[string]int64{"total": a.Total, "leaked": a.Leaked}
	for _, o := range run.Outcomes() {
		flat[string(o)] = 0
	}
	for o, n := range a.ByOutcome {
		flat[string(o)] = n
	}
	return json.Marshal(flat)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Attempts) UnmarshalJSON(data []byte) error {
	var flat map[string]int64
	if err := json.Unmarshal(data, &flat); err != nil {
		return fmt.Errorf("read attempts: %w", err)
	}
	*a = Attempts{Total: flat["total"], Leaked: flat["leaked"], ByOutcome: map[run.Outcome]int64{}}
	delete(flat, "total")
	delete(flat, "leaked")
	for o, n := range flat {
		if n != 0 {
			a.ByOutcome[run.Outcome(o)] = n
		}
	}
	return nil
}
