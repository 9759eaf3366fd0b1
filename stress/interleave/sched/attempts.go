package sched

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"heisen/stress/run"
)

// PerSecond bounds how many attempts a second are recorded unless all are to be. A record costs an attempt
// some 60 µs of CPU: of those that take milliseconds a sample is enough, and of those that take longer all
// are recorded.
const PerSecond = 100

// While nothing has failed there is nothing to compare with, and of attempts that are over within few
// milliseconds of CPU time only one in sparingly is recorded. What is normal is known from those.
const (
	sparingly = 10
	shortCPU  = 20 * time.Millisecond
	// atFirst attempts are recorded whatever they take, until it is known.
	atFirst = 50
)

// Why an attempt has no figures of the record.
const (
	whyNotChosen = "of many short attempts the scheduling of only some is recorded, to keep the price low"
	whyLost      = "the kernel lost records of the scheduler's while the attempt ran"
	whyWakes     = "at least: from creations and preemptions to the next moment on a CPU; waits after a wake-up are not in the record"
)

// Attempts puts what the scheduler's record tells among the signals of the attempts it chooses: thread
// starts, numbers of threads and migrations. It is safe for concurrent use.
type Attempts struct {
	recorder *Recorder
	now      func() time.Time
	most     int // a second; 0 for all

	mu     sync.Mutex
	second int64
	left   int
	asked  int64
	past   past
	live   map[attemptKey]*Recording
}

// past is what the attempts that have ended tell of those to come.
type past struct {
	ended  int64
	cpu    time.Duration
	failed bool
}

func (p *past) add(res *run.Result) {
	p.ended++
	p.cpu += res.Usage.User + res.Usage.System
	p.failed = p.failed || res.Ending.Code != 0 || res.Ending.Signal != 0
}

// sparing tells that a sample is enough.
func (p *past) sparing() bool {
	return p.ended >= atFirst && !p.failed && p.cpu < time.Duration(p.ended)*shortCPU
}

type attemptKey struct {
	seq int64
	try int
}

// NewAttempts records with an open Recorder, which it does not close; at most so many attempts a second, all
// of them for 0.
func NewAttempts(r *Recorder, most int) *Attempts {
	return &Attempts{recorder: r, now: time.Now, most: most, live: map[attemptKey]*Recording{}}
}

// Choose tells whether an attempt is to be started from a followed thread.
func (t *Attempts) Choose(run.Attempt) bool {
	if t.most == 0 {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asked++; t.past.sparing() && t.asked%sparingly != 0 {
		return false
	}
	if now := t.now().Unix(); now != t.second {
		t.second, t.left = now, t.most
	}
	if t.left == 0 {
		return false
	}
	t.left--
	return true
}

// Started tells that the main process of a chosen attempt exists and is not reaped; forked is from before
// the fork. An attempt beyond the Recorder's budget goes without a record.
func (t *Attempts) Started(a run.Attempt, pid int, forked time.Time) {
	rec, err := t.recorder.Attach(a.Seq, pid, forked)
	if err != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.live[attemptKey{a.Seq, a.Try}] = rec
}

// runner executes attempts; stress.Runner is one.
type runner interface {
	Run(a run.Attempt, ctl *run.Control) run.Result
}

// Recorded wraps a runner whose chosen attempts reach Started.
func Recorded(inner runner, t *Attempts) runner { return recorded{inner, t} }

type recorded struct {
	inner    runner
	attempts *Attempts
}

func (r recorded) Run(a run.Attempt, ctl *run.Control) run.Result {
	res := r.inner.Run(a, ctl)
	r.attempts.finish(a, &res)
	return res
}

// finish ends an attempt's recording, if it has one, and puts its figures and its trace into the evidence.
func (t *Attempts) finish(a run.Attempt, res *run.Result) {
	e, started := &res.Evidence, res.Started
	t.mu.Lock()
	t.past.add(res)
	rec := t.live[attemptKey{a.Seq, a.Try}]
	delete(t.live, attemptKey{a.Seq, a.Try})
	t.mu.Unlock()
	if rec == nil {
		lack(e, whyNotChosen)
		return
	}
	r := rec.Finish()
	if r.Lost > 0 || len(r.Threads) == 0 {
		lack(e, whyLost)
		return
	}
	if e.Signals == nil {
		e.Signals = run.Signals{}
	}
	exact := run.Signals{
		run.SigMigrations: int64(Sum(r).Migrations),
		run.SigThreads:    int64(most(r, func(Thread) bool { return true })),
		run.SigProcesses:  int64(most(r, func(t Thread) bool { return t.TID == t.PID })),
	}
	if worst, ok := worstThread(r); ok {
		exact[run.SigThreadStart] = worst.Microseconds()
	}
	starts(r, exact)
	for name, v := range exact {
		e.Signals[name] = v
		delete(e.NotCollected, name) // what a sampler lacked, or knew a bound of
	}
	leastWaits(r, e)
	since := func(at int64) time.Duration { return t.recorder.Time(at).Sub(started) }
	e.Trace = Trace(r, since)
	e.Spans = func() []run.Span { return spans(r, since) }
}

// leastWaits puts lower bounds of waiting where nobody has a figure: threads that end within milliseconds are
// in no sampler's reading, but in the record.
func leastWaits(r Record, e *run.Evidence) {
	var total, worst, longest time.Duration
	for i, t := range r.Threads {
		start, _ := r.startOf(t)
		if i == 0 {
			start = 0 // heisen's fork, not the test's
		}
		total += start + t.Stalled
		worst = max(worst, start+t.Stalled)
		longest = max(longest, start, t.LongestStall)
	}
	for name, v := range map[string]time.Duration{run.SigRunDelay: total, run.SigRunDelayWorst: worst, run.SigLongestStall: longest} {
		if _, have := e.Signals[name]; have {
			continue
		}
		if e.NotCollected == nil {
			e.NotCollected = map[string]string{}
		}
		e.Signals[name], e.NotCollected[name] = v.Microseconds(), whyWakes
	}
}

// starts puts the start latency of single threads among the signals, by the order of their creation: a runtime's
// own threads start late too, in attempts that pass, and the worst of all hides the one that matters. A thread
// whose creation was lost has no place in that order, and then none has.
func starts(r Record, s run.Signals) {
	made := r.Threads[1:]
	if r.ThreadsDropped > 0 || slices.ContainsFunc(made, func(t Thread) bool { return t.Created == 0 }) {
		return
	}
	s[run.SigThreadsMade] = int64(len(made))
	names := []string{run.SigStart1, run.SigStart2, run.SigStart3, run.SigStart4}
	for i, t := range made {
		latency, _ := r.startOf(t)
		if i < len(names) {
			s[names[i]] = latency.Microseconds()
		}
		if i == len(made)-1 {
			s[run.SigStartLast] = latency.Microseconds()
		}
	}
}

// RecordOnly lists the signals that nothing but a record tells.
func RecordOnly() []string {
	return []string{run.SigMigrations, run.SigStart1, run.SigStart2, run.SigStart3, run.SigStart4, run.SigStartLast, run.SigThreadsMade}
}

// worstThread is the longest start latency of the threads the main process and its children made. The main
// process's own start is heisen's fork, not the test's doing, and left out.
func worstThread(r Record) (time.Duration, bool) {
	rest := r
	rest.Threads = r.Threads[1:]
	worst, thread := WorstStart(rest)
	return worst, thread != none
}

// most is how many of the threads that count were there at one time.
func most(r Record, counts func(Thread) bool) int {
	var changes []change
	for _, t := range r.Threads {
		if !counts(t) {
			continue
		}
		changes = append(changes, change{t.Created, 1})
		if t.Exited != 0 {
			changes = append(changes, change{t.Exited, -1})
		}
	}
	// What ended at the very moment another began was not there with it.
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	now, highest := 0, 0
	for _, c := range changes {
		now += c.by
		highest = max(highest, now)
	}
	return highest
}

type change struct {
	at int64
	by int
}

func lack(e *run.Evidence, why string) {
	if e.NotCollected == nil {
		e.NotCollected = map[string]string{}
	}
	for _, name := range RecordOnly() {
		e.NotCollected[name] = why
	}
	e.NotCollected[run.NoVariant] = why
}
