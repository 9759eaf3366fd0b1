package sched

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"heisen/stress/run"
)

// perSecond bounds how many attempts a second are recorded. A record costs an attempt some 60 µs of CPU: of
// those that take milliseconds a sample is enough, and of those that take longer all are recorded.
const perSecond = 100

// Why an attempt has no figures of the record.
const (
	whyNotChosen = "not among the 100 attempts a second whose scheduling is recorded"
	whyLost      = "the kernel lost records of the scheduler's while the attempt ran"
)

// Attempts puts what the scheduler's record tells among the signals of the attempts it chooses: thread
// start and migrations. It is safe for concurrent use.
type Attempts struct {
	recorder *Recorder
	now      func() time.Time

	mu     sync.Mutex
	second int64
	left   int
	live   map[attemptKey]*Recording
}

type attemptKey struct {
	seq int64
	try int
}

// NewAttempts records with an open Recorder, which it does not close.
func NewAttempts(r *Recorder) *Attempts {
	return &Attempts{recorder: r, now: time.Now, live: map[attemptKey]*Recording{}}
}

// Choose tells whether an attempt is to be started from a followed thread.
func (t *Attempts) Choose(run.Attempt) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.now().Unix(); now != t.second {
		t.second, t.left = now, perSecond
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
	r.attempts.finish(a, &res.Evidence)
	return res
}

// finish ends an attempt's recording, if it has one, and puts its figures into the evidence.
func (t *Attempts) finish(a run.Attempt, e *run.Evidence) {
	t.mu.Lock()
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
	e.Signals[run.SigMigrations] = int64(Sum(r).Migrations)
	e.Signals[run.SigThreads] = int64(most(r, func(Thread) bool { return true }))
	e.Signals[run.SigProcesses] = int64(most(r, func(t Thread) bool { return t.TID == t.PID }))
	if worst, ok := worstThread(r); ok {
		e.Signals[run.SigThreadStart] = worst.Microseconds()
	}
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
	e.NotCollected[run.SigMigrations] = why
}
