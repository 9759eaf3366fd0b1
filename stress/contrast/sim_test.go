package contrast_test

import (
	"math"
	"math/rand/v2"
	"time"

	"heisen/stress/run"
)

// machine is a simulated machine: its load by ticks of a millisecond, in bursts, and from hour to hour.
type machine struct {
	r *rand.Rand
	// busy is how many runnable tasks there are per CPU at a tick.
	busy  []float64
	next  func(tick int) float64
	ticks int
}

// newMachine draws bursts that begin once in calm ticks on the mean and last length ticks on the mean, in
// which level tasks wait for each CPU; factor scales them by the tick (the hour).
func newMachine(r *rand.Rand, ticks int, calm, length, level float64, factor func(tick int) float64) *machine {
	m := &machine{r: r, ticks: ticks}
	left := 0.0
	m.next = func(t int) float64 {
		if left--; left < 0 && r.Float64() < factor(t)/calm {
			left = r.ExpFloat64() * length
		}
		if left >= 0 {
			return level * factor(t)
		}
		return 0.3 * factor(t)
	}
	return m
}

// at draws the machine's future as far as it is asked for.
func (m *machine) at(tick int) float64 {
	tick = min(tick, m.ticks-1)
	for len(m.busy) <= tick {
		m.busy = append(m.busy, m.next(len(m.busy)))
	}
	return m.busy[tick]
}

// wait draws a heavy-tailed time for a CPU, in microseconds (Pareto, index 1.5: no variance).
func (m *machine) wait(tick int) float64 {
	return min(40*m.at(tick)*math.Exp(m.r.ExpFloat64()/1.5), 3e5)
}

// attempt runs cpu milliseconds of work from a tick on: at every tick it may wait, and then lives longer.
// All signals follow from the same waits and the same machine, so they are correlated as real ones are.
func (m *machine) attempt(tick, running int, cpu float64) run.Finished {
	const threads = 4
	var total, worst, stall, start, psi, steal, load float64
	life := 0.0 // ms
	var starts [threads]float64
	for i := range starts {
		starts[i] = m.wait(tick)
		start = max(start, starts[i])
	}
	total, worst, stall, life = start, start, start, start/1000
	for done := 0.0; done < cpu; done++ {
		w := m.wait(tick + int(life))
		total += w * (1 + m.r.Float64())
		worst += w
		stall = max(stall, w)
		life += 1 + w/1000
	}
	n := int(life) + 1
	for t := range n {
		b := m.at(tick + t)
		load += b
		psi += 1000 * (1 - math.Exp(-b/2)) * m.r.Float64()
		if b > 3 && m.r.Float64() < 0.05 {
			steal += 1000 * m.r.Float64()
		}
	}
	sig := make(run.Signals, 24)
	for _, v := range []struct {
		name  string
		value float64
	}{{run.SigRunDelay, total}, {run.SigRunDelayWorst, worst}, {run.SigLongestStall, stall}, {run.SigThreadStart, start},
		{run.SigPSICPUSome, psi}, {run.SigPSICPUFull, 0}, {run.SigSteal, steal}, {run.SigRunnable, 1000 * load / float64(n)},
		{run.SigInvoluntary, m.r.ExpFloat64() * cpu * m.at(tick)}, {run.SigVoluntary, 20 + 5*m.r.ExpFloat64()},
		{run.SigMigrations, m.r.ExpFloat64() * m.at(tick)}, {run.SigMinorFaults, 500 + 20*m.r.NormFloat64() + cpu},
		{run.SigMajorFaults, 0}, {run.SigPSIIOSome, 100 * m.r.ExpFloat64() * m.at(tick)},
		{run.SigPSIIOFull, 50 * m.r.ExpFloat64() * m.at(tick)}, {run.SigPSIMemorySome, 0}, {run.SigPSIMemoryFull, 0},
		{run.SigStart1, starts[0]}, {run.SigStart2, starts[1]}, {run.SigStart3, starts[2]}, {run.SigStart4, starts[3]},
		{run.SigStartLast, starts[threads-1]}, {run.SigThreadsMade, threads},
		{run.SigThrottled, 0}, {run.SigThrottledTimes, 0}, {run.SigThreads, threads}, {run.SigProcesses, 1}} {
		sig[v.name] = int64(v.value)
	}
	return run.Finished{Running: running, Outcome: run.Pass, Wall: int64(life * 1000), User: int64(cpu * 900), System: int64(cpu * 100),
		MaxRSS: 9000 + int64(m.r.ExpFloat64()*100), Signals: sig}
}

// simulated is a campaign: how many attempts run at once, and what makes one fail.
type simulated struct {
	r     *rand.Rand
	on    *machine
	width int
	// work is an attempt's CPU time in milliseconds.
	work func(tick int) float64
	// after, if set, changes what was measured.
	after func(tick int, fin *run.Finished)
	// fails judges an attempt that began at the tick.
	fails func(tick int, fin run.Finished) bool
}

// play feeds attempts to add in the order in which they finish, until it returns false or the machine's
// time is over.
func (c simulated) play(add func(run.Finished) bool) {
	type flight struct {
		end int
		fin run.Finished
	}
	var running []flight
	seq := int64(0)
	for tick := range c.on.ticks {
		still := running[:0]
		for _, f := range running {
			if f.end > tick {
				still = append(still, f)
			} else if !add(f.fin) {
				return
			}
		}
		running = still
		for len(running) < c.width {
			fin := c.on.attempt(tick, c.width, c.work(tick))
			if c.after != nil {
				c.after(tick, &fin)
			}
			seq++
			fin.Seq, fin.At = seq, time.Unix(0, int64(tick)*int64(time.Millisecond))
			if c.fails(tick, fin) {
				fin.Outcome, fin.Filed = run.Fail, &run.Filed{Signature: "planted"}
			}
			running = append(running, flight{tick + 1 + int(fin.Wall/1000), fin})
		}
	}
}
