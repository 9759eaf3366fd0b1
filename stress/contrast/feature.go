package contrast

import "heisen/stress/run"

// feature is one figure of an attempt that is compared.
type feature struct {
	name, unit string
	// of computes it; ok is false where what it needs was not collected.
	of func(a attempt) (v float64, ok bool)
	// like, if set, says of which kind the figure is: attempts are compared with those of the same kind only.
	like func(a attempt) (kind float64, ok bool)
	// needs is the signal whose absence explains the feature's.
	needs string
}

// attempt reads a record by the names of its columns.
type attempt struct {
	record
	place map[string]int
}

func (a attempt) get(name string) (float64, bool) {
	i, ok := a.place[name]
	if !ok || a.values[i] == absent {
		return 0, false
	}
	return float64(a.values[i]), true
}

// wall is in microseconds.
func wall(a attempt) (float64, bool) { return a.get(colWall) }

// cpu is user and system time in microseconds.
func cpu(a attempt) (float64, bool) {
	user, okUser := a.get(colUser)
	system, okSystem := a.get(colSystem)
	return user + system, okUser && okSystem
}

// ownTime is how long the attempt would have lived had its worst thread never waited for a CPU, in
// microseconds: its life where that is not known. A starved attempt lives longer because it waits, so its
// life is no measure of what it had to do.
func ownTime(a attempt) (float64, bool) {
	life, ok := wall(a)
	waited, _ := a.get(run.SigRunDelayWorst)
	return max(life-waited, 0), ok
}

func column(name string) func(attempt) (float64, bool) {
	return func(a attempt) (float64, bool) { return a.get(name) }
}

// share is part/(part+rest), 0 where both are 0.
func share(part, rest func(attempt) (float64, bool)) func(attempt) (float64, bool) {
	return func(a attempt) (float64, bool) {
		p, okPart := part(a)
		r, okRest := rest(a)
		if p+r == 0 {
			return 0, okPart && okRest
		}
		return p / (p + r), okPart && okRest
	}
}

// ratio is part/whole, 0 where the whole is 0.
func ratio(part, whole func(attempt) (float64, bool)) func(attempt) (float64, bool) {
	return func(a attempt) (float64, bool) {
		p, okPart := part(a)
		w, okWhole := whole(a)
		if w == 0 {
			return 0, okPart && okWhole
		}
		return p / w, okPart && okWhole
	}
}

// Names of the figures that are derived from others.
const (
	nameCPU            = "cpu_us"
	nameCPUShare       = "cpu_share"
	nameRunDelayShare  = "run_delay_share"
	nameWorstShare     = "run_delay_worst_share"
	nameStallShare     = "longest_stall_share"
	nameStartPerThread = "thread_start_per_thread_us"
	namePSICPUShare    = "psi_cpu_some_share"
	nameStealShare     = "steal_share"
	nameThrottledShare = "throttled_share"
	unitShare          = "share"
	unitMicroseconds   = "us"
	unitKiB            = "KiB"
	unitPerThousand    = "1/1000"
)

// features lists all that is compared, in the order in which reports show it.
func features() []feature {
	list := make([]feature, 0, 40)
	for _, s := range run.SignalTable() {
		f := feature{name: s.Name, unit: s.Unit, of: column(s.Name), needs: s.Name}
		if s.Name == run.SigStartLast {
			// The last of three threads is another thread than the last of four.
			f.like = column(run.SigThreadsMade)
		}
		list = append(list, f)
	}
	derived := func(name, unit, needs string, of func(attempt) (float64, bool)) {
		list = append(list, feature{name: name, unit: unit, of: of, needs: needs})
	}
	derived(nameRunDelayShare, unitShare, run.SigRunDelay, share(column(run.SigRunDelay), cpu))
	derived(nameWorstShare, unitShare, run.SigRunDelayWorst, share(column(run.SigRunDelayWorst), cpu))
	derived(nameStallShare, unitShare, run.SigLongestStall, share(column(run.SigLongestStall), cpu))
	derived(nameStartPerThread, unitMicroseconds, run.SigThreadStart, ratio(column(run.SigThreadStart), column(run.SigThreads)))
	derived(namePSICPUShare, unitShare, run.SigPSICPUSome, ratio(column(run.SigPSICPUSome), wall))
	derived(nameStealShare, unitShare, run.SigSteal, ratio(column(run.SigSteal), wall))
	derived(nameThrottledShare, unitShare, run.SigThrottled, ratio(column(run.SigThrottled), wall))
	derived(colWall, unitMicroseconds, colWall, wall)
	derived(colUser, unitMicroseconds, colUser, column(colUser))
	derived(colSystem, unitMicroseconds, colSystem, column(colSystem))
	derived(nameCPU, unitMicroseconds, colUser, cpu)
	derived(nameCPUShare, unitShare, colUser, ratio(cpu, wall))
	derived(colRSS, unitKiB, colRSS, column(colRSS))
	return list
}

// waiting is a pair of features that together can be evidence of starvation: what the attempt waited, and
// that for its size. Only what grew both ways counts: an attempt that runs ten times as long waits ten
// times as long, and one that stops early has waited much for the little it ran.
type waiting struct {
	outright, forSize string
	// size is what the waiting grows with, and sizeText its name.
	size     func(attempt) (float64, bool)
	sizeText string
	// own tells that the attempt's own threads were measured, and not the machine meanwhile.
	own bool
	// text says in a sentence what was waited, %s standing for the figure; note qualifies the first.
	text, note string
}

// waitings lists what can be evidence, most direct first.
func waitings() []waiting {
	list := []waiting{
		{run.SigRunDelayWorst, nameWorstShare, cpu, "CPU time", true, "waited %s for a CPU", " (worst thread)"},
		{run.SigRunDelay, nameRunDelayShare, cpu, "CPU time", true, "waited %s for a CPU", " (all threads together)"},
		{run.SigThreadStart, nameStartPerThread, column(run.SigThreads), "number of threads", true,
			"waited %s from a thread's creation to its first moment on a CPU", ""},
		{run.SigLongestStall, nameStallShare, cpu, "CPU time", true, "stood ready without a CPU for %s at a stretch", ""},
		{run.SigThrottled, nameThrottledShare, ownTime, "running time", false, "were throttled by a CPU quota for %s", ""},
		{run.SigSteal, nameStealShare, ownTime, "running time", false, "lost %s of each CPU to the hypervisor", ""},
		{run.SigPSICPUSome, namePSICPUShare, ownTime, "running time", false, "ran while the machine had tasks waiting for a CPU for %s", ""},
		{run.SigRunnable, run.SigRunnable, ownTime, "running time", false, "ran beside %s runnable tasks per CPU", ""},
	}
	// One thread's start does not grow with how many there are, so it has no other figure for its size. It may
	// wait for the attempt's own threads, which CPU time shows.
	for _, s := range [][2]string{{run.SigStart1, "first"}, {run.SigStart2, "second"}, {run.SigStart3, "third"},
		{run.SigStart4, "fourth"}, {run.SigStartLast, "last"}} {
		list = append(list, waiting{s[0], s[0], cpu, "CPU time", true,
			"waited %s from the creation of the " + s[1] + " thread they made to its first moment on a CPU", ""})
	}
	return list
}
