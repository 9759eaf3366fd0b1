package contrast_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/contrast"
	"heisen/stress/run"
)

const (
	campaigns = 200
	asked     = 10 // failures, as docs/statistics.md asks for
)

// tick-level worlds. Bad and good times last 20 s here: a thousand attempts of a small width.
func badHours(r *rand.Rand) func(tick int) float64 {
	level := make([]float64, 1000)
	for i := range level {
		level[i] = 0.2 + 3*r.Float64()*r.Float64()
	}
	return func(tick int) float64 { return level[tick/20_000%len(level)] }
}

func usual(r *rand.Rand) float64 { return 2 + 6*r.Float64() }

// lateStarter fails if, and only if, a thread starts more than 5 ms late.
func lateStarter(r *rand.Rand, width int) simulated {
	m := newMachine(r, 400_000, 2000, 100, 20, badHours(r))
	return simulated{r: r, on: m, width: width, work: func(int) float64 { return usual(r) },
		fails: func(_ int, fin run.Finished) bool { return fin.Signals[run.SigThreadStart] > 5000 }}
}

// coin fails one time in 25, whatever happens.
func coin(r *rand.Rand, width int) simulated {
	m := newMachine(r, 400_000, 500, 100, 20, badHours(r))
	return simulated{r: r, on: m, width: width, work: func(int) float64 { return usual(r) },
		fails: func(int, run.Finished) bool { return r.Float64() < 0.04 }}
}

// ownSlowness fails where it burns ten times the CPU.
func ownSlowness(r *rand.Rand, width int) simulated {
	m := newMachine(r, 400_000, 500, 100, 20, badHours(r))
	return simulated{r: r, on: m, width: width, work: func(int) float64 {
		if r.Float64() < 0.04 {
			return 10 * usual(r)
		}
		return usual(r)
	}, fails: func(_ int, fin run.Finished) bool { return fin.User+fin.System > 15_000 }}
}

// drift is a coin whose rate changes with the hour, as the machine's load does, each for itself.
func drift(r *rand.Rand, width int) simulated {
	m := newMachine(r, 400_000, 500, 100, 20, badHours(r))
	rate := badHours(r)
	return simulated{r: r, on: m, width: width, work: func(int) float64 { return usual(r) },
		fails: func(tick int, _ run.Finished) bool { return r.Float64() < 0.04*rate(tick) }}
}

// earlyExit fails by a coin after a tenth of the work, so that it has waited much for the little it ran.
func earlyExit(r *rand.Rand, width int) simulated {
	c := ownSlowness(r, width)
	c.work = func(int) float64 {
		if r.Float64() < 0.04 {
			return 0.1 * (10 + usual(r))
		}
		return 10 + usual(r)
	}
	c.fails = func(_ int, fin run.Finished) bool { return fin.User+fin.System < 5000 }
	return c
}

// called plays a campaign up to so many failures and tells the verdict.
func called(c simulated, failures int64) contrast.Finding {
	s := contrast.New()
	c.play(func(fin run.Finished) bool {
		s.Add(fin)
		return s.Seen().Failures < failures
	})
	return s.Compare(nil)
}

// count plays campaigns and counts their verdicts.
func count(t *testing.T, world func(*rand.Rand, int) simulated, width int, failures int64, seed uint64) map[contrast.Verdict]int {
	t.Logf("seeds %d to %d, width %d, %d failures", seed, seed+campaigns-1, width, failures)
	verdicts := map[contrast.Verdict]int{}
	var last contrast.Finding
	for i := range uint64(campaigns) {
		f := called(world(rand.New(rand.NewPCG(seed+i, 3)), width), failures)
		if f.Verdict != contrast.CannotTell || last.Sentence == "" {
			last = f
		}
		verdicts[f.Verdict]++
	}
	t.Logf("%v; such as: %s", verdicts, last.Sentence)
	return verdicts
}

func TestTruth(t *testing.T) {
	worlds := []struct {
		name  string
		world func(*rand.Rand, int) simulated
		right func(t *testing.T, v map[contrast.Verdict]int)
	}{
		{"late starter", lateStarter, func(t *testing.T, v map[contrast.Verdict]int) {
			require.GreaterOrEqual(t, v[contrast.Starved], campaigns*95/100)
		}},
		{"coin", coin, atMostOneInTwenty},
		{"own slowness", ownSlowness, atMostOneInTwenty},
		{"drift", drift, atMostOneInTwenty},
		{"early exit", earlyExit, atMostOneInTwenty},
	}
	for i, w := range worlds {
		for j, width := range []int{2, 8, 64} {
			for _, failures := range []int64{asked, 4 * asked} {
				t.Run(fmt.Sprintf("%s at -j%d after %d failures", w.name, width, failures), func(t *testing.T) {
					w.right(t, count(t, w.world, width, failures, uint64(1000*(10*i+j))))
				})
			}
		}
	}
}

func atMostOneInTwenty(t *testing.T, v map[contrast.Verdict]int) {
	require.LessOrEqual(t, v[contrast.Starved], campaigns*5/100)
}
