package minimize_test

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/repro/minimize"
)

// TestTruth plants causes and counts the answers: the planted set, none, or a wrong one.
func TestTruth(t *testing.T) {
	trials := 12
	if os.Getenv("HEISEN_SLOW_TESTS") == "1" {
		trials = 200
	}
	r := seeded(t)
	wrongs, all := 0, 0
	for _, c := range []struct {
		needs, of            int
		rate, noise, mislead float64
	}{
		{1, 60, 0.05, 0, 0.2}, {1, 60, 0.3, 0.02, 0.2}, {1, 60, 0.95, 0.02, 0},
		{2, 60, 0.05, 0, 0}, {2, 60, 0.3, 0.02, 0.2}, {2, 60, 0.95, 0.02, 0.2},
		{3, 60, 0.05, 0, 0.2}, {3, 60, 0.3, 0.02, 0.2}, {3, 60, 0.95, 0, 0.2},
		{1, 200, 0.6, 0.02, 0.2}, {2, 200, 0.6, 0.02, 0.2}, {3, 200, 0.6, 0.02, 0.2},
		{2, 60, 0.05, 0.02, 0}, {0, 60, 0, 0.5, 0},
	} {
		exact, absent, wrong, low := 0, 0, 0, 0
		var spent []int64
		for range trials {
			w, plan := plant(r, c.needs, c.of, c.rate)
			w.noise, w.mislead = c.noise, c.mislead
			if c.needs == 0 {
				w.rate = c.noise
			}
			s := &minimize.State{}
			got := run(t, w, plan, minimize.Options{}, s)
			spent = append(spent, got.Spent)
			switch {
			case got.Verdict == minimize.CannotTell:
				absent++
			case w.exact(got.Candidate):
				exact++
				if float64(got.Measured.Reproduced)/float64(got.Measured.Attempts) < s.Bar.Low {
					low++
				}
			default:
				wrong++
			}
		}
		slices.Sort(spent)
		t.Logf("| %d of %d | %g %% | %g %% | %g %% | %d | %d | %d | %d |", c.needs, c.of, 100*c.rate, 100*c.noise, 100*c.mislead,
			exact, absent, wrong, spent[len(spent)/2])
		require.Zero(t, low, "measured below the bar and still called minimal")
		if c.rate >= 0.3 && c.noise < 0.1*c.rate {
			require.GreaterOrEqual(t, exact, trials*95/100)
		}
		wrongs, all = wrongs+wrong, all+trials
	}
	require.LessOrEqual(t, wrongs, max(1, all/50), "of %d", all)
}
