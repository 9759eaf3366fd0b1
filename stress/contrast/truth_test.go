package contrast_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/contrast"
	"heisen/stress/run"
	"heisen/stress/stats"
)

const (
	campaigns = 200
	asked     = 10 // failures, as docs/statistics.md asks for
	rare      = 0.06
)

// world makes a campaign of a width out of a seed.
type world func(r *rand.Rand, width int) simulated

// hours are good and bad times of about 100 attempts each, here of the machine, there of a test's luck.
func hours(r *rand.Rand, width int) func(tick int) float64 {
	level := make([]float64, 500)
	for i := range level {
		level[i] = 0.1 + 3*r.Float64()*r.Float64()
	}
	long := max(600/width, 30)
	return func(tick int) float64 { return level[tick/long%len(level)] }
}

func onMachine(r *rand.Rand, width int, calm float64) simulated {
	return simulated{r: r, on: newMachine(r, 400_000, calm, 100, 20, hours(r, width)), width: width,
		work: func(int) float64 { return usual(r) }}
}

func usual(r *rand.Rand) float64 { return 2 + 6*r.Float64() }

// lateStarter fails if, and only if, a thread starts more than 5 ms late.
func lateStarter(r *rand.Rand, width int) simulated {
	c := onMachine(r, width, max(2000/float64(width), 100))
	c.fails = func(_ int, fin run.Finished) bool { return fin.Signals[run.SigThreadStart] > 5000 }
	return c
}

// lateWorker fails if, and only if, its last thread starts more than 5 ms late, where the threads before it are a
// runtime's own, whose starts are as late in attempts that pass, and more of them.
func lateWorker(r *rand.Rand, width int) simulated {
	c := onMachine(r, width, max(1000/float64(width), 50))
	c.after = func(tick int, fin *run.Finished) {
		made := 1 + r.IntN(3)
		fin.Signals[run.SigThreadsMade] = int64(4 + made)
		for range 2 * made {
			fin.Signals[run.SigThreadStart] = max(fin.Signals[run.SigThreadStart], int64(c.on.wait(tick)))
		}
	}
	c.fails = func(_ int, fin run.Finished) bool { return fin.Signals[run.SigStartLast] > 5000 }
	return c
}

// fewerThreads fails by chance before it has made its worker: what is its last thread then is one of the
// runtime's, which start later than the worker.
func fewerThreads(r *rand.Rand, width int) simulated {
	c := onMachine(r, width, 500)
	c.after = func(tick int, fin *run.Finished) {
		runtimes := fin.Signals[run.SigStart4] + 3000 + int64(c.on.wait(tick))
		fin.Signals[run.SigStart4] = runtimes
		fin.Signals[run.SigThreadStart] = max(fin.Signals[run.SigThreadStart], runtimes)
		if r.Float64() < rare {
			fin.Signals[run.SigStartLast] = runtimes
		} else {
			fin.Signals[run.SigThreadsMade]++
			fin.Signals[run.SigThreads]++
		}
	}
	c.fails = func(_ int, fin run.Finished) bool { return fin.Signals[run.SigThreadsMade] == 4 }
	return c
}

// coin fails by chance, whatever happens.
func coin(r *rand.Rand, width int) simulated {
	c := onMachine(r, width, 500)
	c.fails = func(int, run.Finished) bool { return r.Float64() < rare }
	return c
}

// ownSlowness fails where it burns ten times the CPU.
func ownSlowness(r *rand.Rand, width int) simulated {
	c := onMachine(r, width, 500)
	c.work = func(int) float64 {
		if r.Float64() < rare {
			return 10 * usual(r)
		}
		return usual(r)
	}
	c.fails = func(_ int, fin run.Finished) bool { return fin.User+fin.System > 15_000 }
	return c
}

// drift is a coin whose rate changes with the hour, as the machine's load does, each for itself.
func drift(r *rand.Rand, width int) simulated {
	c, rate := onMachine(r, width, 500), hours(r, width)
	c.fails = func(tick int, _ run.Finished) bool { return r.Float64() < rare*rate(tick) }
	return c
}

// earlyExit fails by chance after a tenth of the work: it has waited much for the little it ran.
func earlyExit(r *rand.Rand, width int) simulated {
	c := onMachine(r, width, 500)
	c.work = func(int) float64 {
		if r.Float64() < rare {
			return 1 + r.Float64()
		}
		return 15 + usual(r)
	}
	c.fails = func(_ int, fin run.Finished) bool { return fin.User+fin.System < 5000 }
	return c
}

// called plays a campaign up to so many failures and compares them.
func called(c simulated, failures int64) contrast.Finding {
	s := contrast.New()
	c.play(func(fin run.Finished) bool {
		s.Add(fin)
		return s.Seen().Failures < failures
	})
	return s.Compare(nil)
}

// findings plays campaigns of one world.
func findings(t *testing.T, w world, width int, failures int64, seed uint64) []contrast.Finding {
	var list []contrast.Finding
	verdicts, example := map[contrast.Verdict]int{}, map[contrast.Verdict]string{}
	for i := range uint64(campaigns) {
		f := called(w(rand.New(rand.NewPCG(seed+i, 3)), width), failures)
		list = append(list, f)
		verdicts[f.Verdict]++
		example[f.Verdict] = f.Sentence
	}
	t.Logf("%s, seeds %d to %d: %v", t.Name(), seed, seed+campaigns-1, verdicts)
	for _, text := range example {
		t.Log(text)
	}
	return list
}

func starved(list []contrast.Finding) (n int) {
	for _, f := range list {
		if f.Verdict == contrast.Starved {
			n++
		}
	}
	return n
}

// truth is a world and how many of its campaigns may be called starved.
type truth struct {
	name        string
	world       world
	least, most int
}

// mainTruths are the three that the documentation promises, sideTruths known traps.
func mainTruths() []truth {
	return []truth{
		{"late starter", lateStarter, campaigns * 95 / 100, campaigns},
		{"coin", coin, 0, campaigns * 5 / 100},
		{"own slowness", ownSlowness, 0, campaigns * 5 / 100},
	}
}

func sideTruths() []truth {
	return []truth{
		{"drift", drift, 0, campaigns * 5 / 100},
		{"early exit", earlyExit, 0, campaigns * 5 / 100},
		{"late worker", lateWorker, campaigns * 95 / 100, campaigns},
		{"fewer threads", fewerThreads, 0, campaigns * 5 / 100},
	}
}

// hold plays the campaigns of every world, width and number of failures.
func hold(t *testing.T, truths []truth, widths []int, failures []int64) {
	for i, c := range truths {
		for _, width := range widths {
			for _, n := range failures {
				t.Run(fmt.Sprintf("%s at -j%d after %d failures", c.name, width, n), func(t *testing.T) {
					t.Parallel()
					called := starved(findings(t, c.world, width, n, 1_000_000_000*uint64(i)+1_000_000*uint64(width)+1000*uint64(n)))
					require.GreaterOrEqual(t, called, c.least)
					require.LessOrEqual(t, called, c.most)
				})
			}
		}
	}
}

// TestTruth simulates campaigns of tests whose cause is known.
func TestTruth(t *testing.T) {
	hold(t, mainTruths(), []int{8, 64}, []int64{asked})
	hold(t, sideTruths(), []int{8}, []int64{asked})
}

func slow(t *testing.T) {
	if os.Getenv("HEISEN_SLOW_TESTS") != "1" {
		t.Skip("set HEISEN_SLOW_TESTS=1 to run it")
	}
}

func TestTruthInFull(t *testing.T) {
	slow(t)
	hold(t, append(mainTruths(), sideTruths()...), []int{2, 8, 64, 300}, []int64{asked, 20, 40, 100})
}

// TestLookingAtEveryFailure asks after every failure, as somebody does who watches the live view, and counts
// the campaigns that were ever called starved.
func TestLookingAtEveryFailure(t *testing.T) {
	slow(t)
	for _, c := range append(mainTruths(), sideTruths()...) {
		if c.least > 0 {
			continue // it is starved
		}
		ever := 0
		for seed := range uint64(campaigns) {
			s, looked, found := contrast.New(), int64(0), false
			c.world(rand.New(rand.NewPCG(7_000_000+seed, 3)), 8).play(func(fin run.Finished) bool {
				s.Add(fin)
				if n := s.Seen().Failures; n > looked {
					looked = n
					found = found || s.Compare(nil).Verdict == contrast.Starved
				}
				return looked < 40 && !found
			})
			if found {
				ever++
			}
		}
		t.Logf("%s, seeds from 7000000: ever called starved in %d of %d", c.name, ever, campaigns)
		require.LessOrEqual(t, ever, campaigns*5/100, c.name)
	}
}

// TestTruthNeedsTheRule takes the rule's parts away one by one: without them the worlds above are called
// starved far too often, so the worlds are hard enough.
func TestTruthNeedsTheRule(t *testing.T) {
	looksStarved := func(list []contrast.Finding, name string) (n int) {
		for _, f := range list {
			for _, s := range f.Signals {
				if s.Name == name && *s.AUC >= contrast.LargeEffect && *s.P <= contrast.SmallP {
					n++
				}
			}
		}
		return n
	}
	t.Run("waiting outright alone", func(t *testing.T) {
		list := findings(t, ownSlowness, 8, asked, 500_000)
		require.Greater(t, looksStarved(list, run.SigRunDelay), campaigns/2)
	})
	t.Run("waiting for the size alone", func(t *testing.T) {
		list := findings(t, earlyExit, 8, asked, 510_000)
		require.Greater(t, looksStarved(list, "run_delay_worst_share"), campaigns*5/100)
	})
	t.Run("last threads of any number", func(t *testing.T) {
		n := 0
		for i := range uint64(campaigns) {
			var all stats.Stratum
			fewerThreads(rand.New(rand.NewPCG(530_000+i, 3)), 8).play(func(fin run.Finished) bool {
				if v := float64(fin.Signals[run.SigStartLast]); fin.Outcome.Failed() {
					all.X = append(all.X, v)
				} else {
					all.Y = append(all.Y, v)
				}
				return len(all.X) < 2*asked
			})
			if r, ok := stats.VanElteren([]stats.Stratum{all}); ok && r.AUC >= contrast.LargeEffect && r.P <= contrast.SmallP {
				n++
			}
		}
		t.Logf("seeds from 530000: it looks starved in %d of %d campaigns", n, campaigns)
		require.Greater(t, n, campaigns/2)
	})
	t.Run("all times together", func(t *testing.T) {
		n := 0
		for i := range uint64(campaigns) {
			var all stats.Stratum
			failures := 0
			drift(rand.New(rand.NewPCG(520_000+i, 3)), 8).play(func(fin run.Finished) bool {
				v := float64(fin.Signals[run.SigRunDelayWorst])
				if fin.Outcome.Failed() {
					failures++
					all.X = append(all.X, v)
				} else {
					all.Y = append(all.Y, v)
				}
				return failures < 4*asked
			})
			if r, ok := stats.VanElteren([]stats.Stratum{all}); ok && r.P <= contrast.SmallP {
				n++
			}
		}
		t.Logf("pooled p is small in %d of %d campaigns", n, campaigns)
		require.Greater(t, n, campaigns*5/100)
	})
}
