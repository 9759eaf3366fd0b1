package soak

import (
	"cmp"
	"sync"
	"time"

	"heisen/stress/run"
)

// readEvery is how much the attempts must have grown, as a share, before evidence without a new failure is read again:
// reading at fewer moments is as valid, and the evidence of long soaks moves slowly.
const readEvery = 0.005

// Account folds the events of a soak's campaign, its present ones and those of its journal alike, into its finding. It
// is safe for concurrent use.
type Account struct {
	mu      sync.Mutex
	opts    Options
	course  *Course
	tracker *Tracker // nil where there is nothing to compare with
	watch   *Watch
	watched string            // the plan whose attempts the watch sees, for those of another are not alike
	lacks   map[string]string // signals that the latest session's machine cannot give, and why
	clock   clock
	seen    numbers
	// alone and disturbed count judged attempts that were left alone, and those under any strategy.
	alone, disturbed Count
	judged           int64
	read             int64 // judged attempts when the evidence was last read; -1 asks for another reading
	// answer is the first verdict there was. It stays: attempts that were under way then change nothing of it.
	answer *Finding
}

// NewAccount returns an account of a soak that asks q and whose attempts follow c.
func NewAccount(q Question, c *Course) *Account {
	a := &Account{opts: q.Options.normal(), course: c, watch: NewWatch(grows...), watched: plain}
	switch {
	case q.Before != nil:
		a.tracker = InTurn(nil, q.Options)
	case q.Against != nil:
		a.watched = cmp.Or(q.Against.Focus, plain)
		a.tracker = Against(*q.Against, q.Options)
	}
	return a
}

// Emit folds one event.
func (a *Account) Emit(e run.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clock.take(e)
	if e, ok := e.(run.Began); ok {
		a.lacks = e.NotCollected
	}
	if fin, ok := e.(run.Finished); ok && a.seen.add(fin.Seq) {
		a.finished(fin)
	}
}

func (a *Account) finished(fin run.Finished) {
	pair, side := a.course.Pair(fin.Seq)
	if a.tracker != nil && a.answer == nil {
		// An error would be a number that is there already, and those were sorted out.
		_ = a.tracker.Add(Attempt{Seq: fin.Seq, Side: side, Pair: pair, Plan: planOf(fin), Outcome: fin.Outcome,
			Signature: signatureOf(fin), Parts: partsOf(fin)})
		a.look(fin.Outcome)
	}
	if !fin.Outcome.Judged() {
		return
	}
	of := &a.alone
	if fin.Chaos != nil {
		of = &a.disturbed
	}
	of.Attempts++
	if fin.Outcome.Failed() {
		of.Failures++
	}
	if planOf(fin) == a.watched && side == After {
		a.watch.Add(sampleOf(fin, a.clock.at(fin)))
	}
}

// look reads the evidence, if it can have changed enough, and keeps the first verdict.
func (a *Account) look(latest run.Outcome) {
	if latest.Judged() {
		a.judged++
	}
	if latest.Failed() {
		a.read = -1
	}
	if a.read >= 0 && float64(a.judged-a.read) <= readEvery*float64(a.read) {
		return
	}
	a.read = a.judged
	if a.tracker.Waiting() > 0 && latest.Failed() {
		a.read = -1 // it is counted later
	}
	if a.tracker.verdict() != CannotTell {
		f := a.tracker.Finding(a.pace())
		a.answer = &f
	}
}

// Answered tells whether a verdict is there, after which more attempts would add nothing.
func (a *Account) Answered() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.answer != nil
}

// Finding is the first verdict there was, or what is lacking; false where there is nothing to compare with.
func (a *Account) Finding() (Finding, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.tracker == nil:
		return Finding{}, false
	case a.answer != nil:
		return *a.answer, true
	}
	f := a.tracker.Finding(a.pace())
	if f.Verdict != CannotTell {
		a.answer = &f // whoever was told a verdict is not told another one
	}
	return f, true
}

// pace is the mean time from one counted attempt after the change to the next.
func (a *Account) pace() time.Duration {
	counted := int64(0)
	for _, of := range a.tracker.after {
		counted += of.attempts
	}
	return a.clock.elapsed() / time.Duration(max(counted, 1))
}

// Bounds says what attempts bound that have nothing to compare with, those under chaos apart: how often they fail
// is chaos's doing.
func (a *Account) Bounds() (alone, disturbed Count, sentences []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.alone.Attempts > 0 || a.disturbed.Attempts == 0 {
		sentences = append(sentences, Bound(a.alone.Failures, a.alone.Attempts, a.opts.Confidence))
	}
	if a.disturbed.Attempts > 0 {
		sentences = append(sentences, "under chaos "+number(a.disturbed.Failures)+" of "+number(a.disturbed.Attempts)+" failed, which bounds no rate of the test's own")
	}
	return a.alone, a.disturbed, sentences
}

// Notices are what the watch over drift and growth has to tell.
func (a *Account) Notices() []Notice {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.watch.Notices()
}

// Hours is how many whole hours the watch has compared.
func (a *Account) Hours() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.watch.Hours()
}

// NotWatched are the resources whose growth cannot be told because no whole hour has a value of them, and why.
func (a *Account) NotWatched() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.watch.lacking(a.lacks)
}
