package python

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

// The strategies' names in plans and reports.
const (
	// Strategy pauses at operations, and varies what else the interpreter has but the switch interval: what fails under both
	// could not be put down to either.
	Strategy = "python"
	// Switch makes threads change places all the time and does nothing else: for windows of a few bytecodes, at
	// little cost. It is an arm of its own so that what it brings is known.
	Switch = "python-switch"
	// Starve keeps some threads from going on for long, wherever they come: for answers that are expected within a time.
	Starve = "python-starve"
)

// Strategies are those there are.
func Strategies() []string { return []string{Strategy, Switch, Starve} }

// Names of Plan.Settings. A replay sets the same ones again; what is absent is left as the program has it.
const (
	// SetSwitch is the switch interval in seconds (sys.setswitchinterval).
	SetSwitch = "switch"
	// SetRate is how likely a pause is at a point, SetShortest and SetLongest how long it is, in seconds. Without
	// SetShortest every fourth pause only gives way.
	SetRate     = "rate"
	SetShortest = "min"
	SetLongest  = "max"
	// SetVictims is the share of threads that are paused at all, absent for every one. Theirs become rarer the more
	// often a thread comes to the same place: the n-th time SetRate is divided by n.
	SetVictims = "victims"
	// SetKinds are the kinds of points at which pauses are drawn, separated by commas; absent for all.
	SetKinds = "kinds"
	// SetGC are the thresholds of the garbage collector (gc.set_threshold).
	SetGC = "gc"
	// SetHashSeed is PYTHONHASHSEED, SetAsyncDebug PYTHONASYNCIODEBUG: environment variables of the interpreter.
	SetHashSeed   = "hash_seed"
	SetAsyncDebug = "asyncio_debug"
)

// kinds are the operations of hooks/heisen_hooks.py and hooks/heisen_locks.py; those of one group are drawn
// together, since one without the others opens no window.
var kinds = [][]string{
	{"thread.run", "thread.start.entry", "thread.start.exit", "thread.join.entry", "thread.join.exit"},
	{"condition.wait.entry", "condition.wait.exit", "condition.notify.entry", "condition.notify.exit"},
	{"event.set.entry", "event.set.exit", "event.clear.entry", "event.clear.exit", "event.wait.entry", "event.wait.exit",
		"event.is_set.entry", "event.is_set.exit"},
	{"semaphore.acquire.entry", "semaphore.acquire.exit", "semaphore.release.entry", "semaphore.release.exit",
		"barrier.wait.entry", "barrier.wait.exit"},
	{"queue.put.entry", "queue.put.exit", "queue.get.entry", "queue.get.exit", "queue.done.entry", "queue.done.exit"},
	{"future.set.entry", "future.set.exit", "future.result.entry", "future.result.exit", "future.cancel.entry", "future.cancel.exit"},
	{"process.start.entry", "process.start.exit", "process.wait.entry", "process.wait.exit", "process.poll.entry",
		"process.poll.exit", "process.signal.entry", "process.signal.exit"},
	{"lock.acquire.entry", "lock.acquire.exit", "lock.release.entry", "lock.release.exit"},
	{"rlock.acquire.entry", "rlock.acquire.exit", "rlock.release.entry", "rlock.release.exit"},
	{"asyncio.callback.entry"},
}

// Draw draws the settings of one attempt: a swarm, since which mixture opens a window differs from bug to
// bug (A. Groce et al., "Swarm testing", ISSTA 2012).
func Draw(seed uint64, maxHold time.Duration) map[string]string {
	r := rand.New(rand.NewPCG(seed, 0x707974686f6e))
	s := map[string]string{
		SetRate:    number(logUniform(r, 0.02, 0.5)),
		SetLongest: number(logUniform(r, 0.001, max(maxHold.Seconds(), 0.001))),
	}
	if r.IntN(2) == 0 {
		s[SetKinds] = strings.Join(someKinds(r), ",")
	}
	if r.IntN(4) == 0 {
		s[SetGC] = fmt.Sprintf("%d,10,10", int(logUniform(r, 20, 5000)))
	}
	if r.IntN(2) == 0 {
		s[SetHashSeed] = strconv.Itoa(r.IntN(1 << 31))
	}
	if r.IntN(8) == 0 {
		s[SetAsyncDebug] = "1"
	}
	return s
}

// DrawSwitch draws the settings of an attempt of Switch: intervals that are short beside the 5 ms of the default. A
// microsecond makes threads change places all the time, and costs the most.
func DrawSwitch(seed uint64) map[string]string {
	r := rand.New(rand.NewPCG(seed, 0x737769746368))
	return map[string]string{SetSwitch: number(logUniform(r, 1e-6, 1e-4))}
}

// DrawStarve draws the settings of an attempt of Starve: a few long pauses of some of the threads, at points of every
// kind. Where all are late alike, nobody waits in vain for anybody.
func DrawStarve(seed uint64, maxStarve time.Duration) map[string]string {
	r := rand.New(rand.NewPCG(seed, 0x737461727665))
	longest := min(pick(r, 50*time.Millisecond, 100*time.Millisecond, 200*time.Millisecond), maxStarve)
	return map[string]string{
		SetRate:     number(pick(r, 0.25, 0.5, 1)),
		SetVictims:  number(pick(r, 0.25, 0.5, 0.75)),
		SetShortest: number(min(4*time.Millisecond, longest).Seconds()),
		SetLongest:  number(longest.Seconds()),
	}
}

func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// someKinds draws groups, at least one, and then leaves out entries or exits, or neither.
func someKinds(r *rand.Rand) []string {
	var some []string
	for some == nil {
		for _, group := range kinds {
			if r.IntN(2) == 0 {
				some = append(some, group...)
			}
		}
	}
	side := []string{"", ".entry", ".exit"}[r.IntN(3)]
	left := slices.DeleteFunc(slices.Clone(some), func(kind string) bool { return side != "" && strings.HasSuffix(kind, side) })
	if len(left) == 0 {
		return some
	}
	return left
}

func logUniform(r *rand.Rand, low, high float64) float64 {
	return low * math.Pow(high/low, r.Float64())
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }

// Describe says in words what was drawn for an attempt.
func Describe(settings map[string]string) string {
	var words []string
	for _, s := range []struct{ name, words string }{
		{SetSwitch, "switch interval %s s"}, {SetRate, "pauses with probability %s"}, {SetShortest, "of at least %s s"}, {SetLongest, "of at most %s s"},
		{SetVictims, "of %s of the threads"},
		{SetKinds, "at %s"}, {SetGC, "garbage collection thresholds %s"}, {SetHashSeed, "PYTHONHASHSEED=%s"},
		{SetAsyncDebug, "PYTHONASYNCIODEBUG=%s"},
	} {
		if value, ok := settings[s.name]; ok {
			words = append(words, fmt.Sprintf(s.words, value))
		}
	}
	return strings.Join(words, ", ")
}

// Files are an attempt's own: the hooks append to Record, which is there and empty before, and read Plan,
// which is there only for a replay.
type Files struct{ Record, Plan string }

// callbackLongest bounds a pause before a callback of asyncio: longer ones are what its debug mode warns of.
const callbackLongest = 5 * time.Millisecond

// Environ is the environment of an attempt under a plan, beside what it inherits. lookup finds a variable in
// that: what the user set is kept.
func (h *Hooks) Environ(plan chaos.Plan, files Files, lookup func(name string) string) []string {
	s := plan.Settings
	pairs := []string{
		"version=1", "seed=" + strconv.FormatUint(plan.Seed, 10), "record=" + files.Record,
		"budget=" + number(plan.Budget.Seconds()), "points=" + strconv.Itoa(plan.MaxPoints),
		"burst=" + number(plan.Burst.Seconds()), "factor=" + strconv.Itoa(run.BudgetFactor), "decisions=" + strconv.Itoa(plan.MaxDecisions), "callback_max=" + number(callbackLongest.Seconds()),
	}
	for _, name := range []string{SetSwitch, SetRate, SetShortest, SetLongest, SetVictims, SetKinds, SetGC} {
		if value, ok := s[name]; ok {
			pairs = append(pairs, name+"="+value)
		}
	}
	if plan.Replay {
		pairs = append(pairs, "plan="+files.Plan)
	}
	env := h.environ(strings.Join(pairs, ";"), lookup("PYTHONPATH"))
	for name, variable := range map[string]string{SetHashSeed: "PYTHONHASHSEED", SetAsyncDebug: "PYTHONASYNCIODEBUG"} {
		if value, ok := s[name]; ok && lookup(variable) == "" {
			env = append(env, variable+"="+value)
		}
	}
	slices.Sort(env)
	return env
}

// PlanFile is the content of Files.Plan: the decisions that are to be made again and, as one of no nanoseconds that
// are any, where stacks are to be taken.
func PlanFile(plan *chaos.Plan) []byte {
	var b strings.Builder
	line := func(a chaos.Address, what string) {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%d\t%s\n", a.Thread, a.Kind, a.Site, a.N, what)
	}
	for _, d := range plan.Decisions {
		line(d.Address, strconv.FormatInt(d.Hold.Nanoseconds(), 10))
	}
	if plan.Stacks != nil {
		line(*plan.Stacks, "stacks")
	}
	return []byte(b.String())
}
