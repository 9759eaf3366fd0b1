package run

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What may be spent at once is of the same order for every test, unless the user allows more.
func TestTheBudgetAndWhatMayBeSpentAtOnce(t *testing.T) {
	for _, c := range []struct{ given, plain, budget, burst time.Duration }{
		{0, 0, time.Second, 500 * time.Millisecond},
		{0, 15 * time.Second, 46 * time.Second, 500 * time.Millisecond},
		{10 * time.Second, 100 * time.Millisecond, 10 * time.Second, 4850 * time.Millisecond},
		{46 * time.Second, 16 * time.Second, 46 * time.Second, 500 * time.Millisecond},
		{100 * time.Millisecond, time.Second, 100 * time.Millisecond, 50 * time.Millisecond},
	} {
		p := ChaosPolicy{Budget: c.given}
		require.Equal(t, c.budget, p.BudgetFor(c.plain))
		require.Equal(t, c.burst, p.BurstFor(c.plain))
	}
}
