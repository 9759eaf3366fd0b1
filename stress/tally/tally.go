// Package tally folds a campaign's events into its figures. It is the one fold of the project: the engine
// decides from it when to stop, the live view and every report print it, and a resume starts from it, so
// that none of them can disagree.
//
// Its size does not grow with the number of attempts: it holds counts, histograms, spans of finished
// numbers and a bounded number of signatures. It is not safe for concurrent use.
package tally

import (
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"heisen/stress/contrast"
	"heisen/stress/mix"
	"heisen/stress/run"
)

// Counts is how many attempts ended how.
type Counts struct {
	ByOutcome map[run.Outcome]int64 `json:"by_outcome"`
	// Disturbed counts those among ByOutcome whose schedule was disturbed on purpose (run.Chaos): they say whether
	// the test can fail, and nothing of how often it does.
	Disturbed map[run.Outcome]int64 `json:"disturbed,omitempty"`
	// Leaked counts attempts that left processes or open pipes behind, whatever their outcome.
	Leaked int64 `json:"leaked"`
}

func (c *Counts) add(fin run.Finished) {
	if c.ByOutcome == nil {
		c.ByOutcome = map[run.Outcome]int64{}
	}
	c.ByOutcome[fin.Outcome]++
	if fin.Chaos != nil {
		if c.Disturbed == nil {
			c.Disturbed = map[run.Outcome]int64{}
		}
		c.Disturbed[fin.Outcome]++
	}
	if fin.Leaked {
		c.Leaked++
	}
}

// Plain is the counts of the attempts that were left alone: what a failure rate is computed from. Leaked is that
// of all.
func (c Counts) Plain() Counts {
	plain := Counts{ByOutcome: maps.Clone(c.ByOutcome), Leaked: c.Leaked}
	for o, n := range c.Disturbed {
		plain.ByOutcome[o] -= n
	}
	return plain
}

// PlainPasses is how many attempts passed that were left alone.
func (c Counts) PlainPasses() int64 { return c.ByOutcome[run.Pass] - c.Disturbed[run.Pass] }

// Total is the number of finished attempts.
func (c Counts) Total() int64 {
	var n int64
	for _, k := range c.ByOutcome {
		n += k
	}
	return n
}

// Failures is the number of attempts the test failed, disturbed or not.
func (c Counts) Failures() int64 { return c.sum(run.Outcome.Failed) }

// Judged is the number of attempts that say anything about the test; of Plain, what a failure rate divides by.
func (c Counts) Judged() int64 { return c.sum(run.Outcome.Judged) }

func (c Counts) sum(of func(run.Outcome) bool) int64 {
	var n int64
	for o, k := range c.ByOutcome {
		if of(o) {
			n += k
		}
	}
	return n
}

// Epoch is a part of a campaign that ran one program in one way: only its attempts may be pooled.
type Epoch struct {
	Number   int          `json:"number"`
	Spec     run.Spec     `json:"spec"`
	Identity run.Identity `json:"identity"`
	Counts   Counts       `json:"counts"`
}

// Tally is the state of the fold. The zero value is not ready: use New or Load.
type Tally struct {
	s        state
	times    durations
	contrast *contrast.Sample
	census   *Census
}

// state is what a snapshot holds, apart from the histograms.
type state struct {
	Campaign   string                `json:"campaign"`
	FirstBegan time.Time             `json:"first_began"`
	LastBegan  run.Began             `json:"last_began"`
	LastSeen   time.Time             `json:"last_seen"`
	CutOff     int                   `json:"cut_off,omitempty"`
	Elapsed    time.Duration         `json:"elapsed_ns"`
	Epochs     []Epoch               `json:"epochs"`
	Counts     Counts                `json:"counts"`
	Done       ranges                `json:"done"`
	Tries      map[int64]int         `json:"tries,omitempty"`
	Retries    map[run.Outcome]int64 `json:"retries,omitempty"`
	Machine    map[string]int64      `json:"machine,omitempty"`
	Timeout    *run.TimeoutSet       `json:"timeout,omitempty"`
	Ended      *run.Ended            `json:"ended,omitempty"`
	Strays     *run.Strays           `json:"strays,omitempty"`
	Signatures []*Signature          `json:"signatures,omitempty"`
	Unlisted   int64                 `json:"unlisted,omitempty"`
	Passes     []string              `json:"passes,omitempty"`
	Exemplars  []string              `json:"exemplars,omitempty"`
	// Ledger is the latest epoch's account of strategies, nil where no schedule was disturbed.
	Ledger *mix.Ledger `json:"ledger,omitempty"`
}

// New returns an empty tally.
func New() *Tally {
	return &Tally{times: newDurations(), contrast: contrast.New(), census: &Census{}}
}

// Add folds one event. Events of a live view alone change nothing.
func (t *Tally) Add(e run.Event) {
	switch e := e.(type) {
	case run.Began:
		t.began(e)
	case run.Finished:
		t.finished(e)
	case run.Retried:
		t.retried(e)
	case run.TimeoutSet:
		t.s.Timeout = &e
	case run.MachineFault:
		if t.s.Machine == nil {
			t.s.Machine = map[string]int64{}
		}
		t.s.Machine[e.Fault]++
	case run.Ended:
		t.ended(e)
	}
}

func (t *Tally) began(e run.Began) {
	t.closeSession()
	if t.s.Campaign == "" {
		t.s.Campaign, t.s.FirstBegan = e.Campaign, e.At
	}
	if n := len(t.s.Epochs); n == 0 || t.s.Epochs[n-1].Number != e.Epoch {
		t.s.Ledger = nil
		t.s.Epochs = append(t.s.Epochs, Epoch{Number: e.Epoch, Spec: e.Spec, Identity: e.Identity})
	}
	t.s.Epochs[len(t.s.Epochs)-1].Spec = e.Spec
	t.s.LastBegan, t.s.LastSeen, t.s.Ended = e, e.At, nil
}

// closeSession accounts for a session that never said it ended: heisen was killed. It lasted at least
// until the last thing it recorded.
func (t *Tally) closeSession() {
	if t.s.Ended == nil && t.s.LastBegan.Session > 0 {
		t.s.CutOff++
	}
	if t.s.Ended == nil && t.s.LastSeen.After(t.s.LastBegan.At) {
		t.s.Elapsed += t.s.LastSeen.Sub(t.s.LastBegan.At)
	}
}

func (t *Tally) finished(e run.Finished) {
	if !t.s.Done.add(e.Seq) {
		return // the first record of an attempt wins
	}
	delete(t.s.Tries, e.Seq)
	t.s.Counts.add(e)
	if n := len(t.s.Epochs); n > 0 {
		t.s.Epochs[n-1].Counts.add(e)
	}
	t.census.add(e)
	t.disturbed(e)
	if end := e.At.Add(time.Duration(e.Wall) * time.Microsecond); end.After(t.s.LastSeen) {
		t.s.LastSeen = end
	}
	if e.Filed != nil {
		t.file(e)
	}
}

// disturbed keeps apart what attempts under chaos would spoil: their durations and delays were made on purpose.
func (t *Tally) disturbed(e run.Finished) {
	if e.Chaos == nil {
		t.times.add(e)
		t.contrast.Add(e)
	}
	if e.Chaos == nil && !t.s.LastBegan.Spec.Chaos.On() {
		return
	}
	if t.s.Ledger == nil {
		t.s.Ledger = &mix.Ledger{}
	}
	t.s.Ledger.Add(e)
}

func (t *Tally) retried(e run.Retried) {
	// Each on its own: after a snapshot one may be there without the other.
	if t.s.Tries == nil {
		t.s.Tries = map[int64]int{}
	}
	if t.s.Retries == nil {
		t.s.Retries = map[run.Outcome]int64{}
	}
	t.s.Tries[e.Seq] = max(e.Try, t.s.Tries[e.Seq])
	t.s.Retries[e.Outcome]++
}

func (t *Tally) ended(e run.Ended) {
	t.s.Ended = &e
	t.s.Elapsed += e.Elapsed
	t.s.LastSeen = e.At
	if e.Strays != nil {
		strays := *e.Strays
		if t.s.Strays != nil {
			strays.Count += t.s.Strays.Count
		}
		t.s.Strays = &strays
	}
}

// Strays are the processes of all finished sessions that nobody can tell whose they were; nil for none.
func (t *Tally) Strays() *run.Strays { return t.s.Strays }

// Campaign is the campaign's id.
func (t *Tally) Campaign() string { return t.s.Campaign }

// Began is when the campaign first started, and the opening of its latest session.
func (t *Tally) Began() (first time.Time, latest run.Began) { return t.s.FirstBegan, t.s.LastBegan }

// Ended is how the latest session ended; nil while it runs, or when heisen was killed.
func (t *Tally) Ended() *run.Ended { return t.s.Ended }

// LastSeen is the time of the latest fact: a session's start or end, or the end of an attempt.
func (t *Tally) LastSeen() time.Time { return t.s.LastSeen }

// CutOff is how many sessions before the present one never said that they ended: heisen was killed, or
// the machine went down.
func (t *Tally) CutOff() int { return t.s.CutOff }

// Epochs lists the parts of the campaign that ran the same program the same way.
func (t *Tally) Epochs() []Epoch { return t.s.Epochs }

// Counts is the whole campaign's, all epochs together.
func (t *Tally) Counts() Counts { return t.s.Counts }

// Current is the counts of the latest epoch: what a rate may be computed from.
func (t *Tally) Current() Counts {
	if n := len(t.s.Epochs); n > 0 {
		return t.s.Epochs[n-1].Counts
	}
	return t.s.Counts
}

// Ledger is the latest epoch's account of strategies; nil where no schedule was disturbed. It is only read.
func (t *Tally) Ledger() *mix.Ledger { return t.s.Ledger }

// Retries counts tries that did not count, by why.
func (t *Tally) Retries() map[run.Outcome]int64 { return maps.Clone(t.s.Retries) }

// Machine counts the machine's own faults met, by their words.
func (t *Tally) Machine() map[string]int64 { return maps.Clone(t.s.Machine) }

// Timeout is the automatic time-out as last settled; nil before that, or where the user fixed it.
func (t *Tally) Timeout() *run.TimeoutSet { return t.s.Timeout }

// Done tells whether an attempt is finished.
func (t *Tally) Done(seq int64) bool { return t.s.Done.has(seq) }

// Missing yields, in order and without end, the numbers of the attempts that are not finished now; what
// is added later does not change it.
func (t *Tally) Missing() iter.Seq[int64] { return slices.Clone(t.s.Done).missing() }

// Tries is how often an unfinished attempt was executed already without its result counting.
func (t *Tally) Tries(seq int64) int { return t.s.Tries[seq] }

// Contrast holds what failing and passing attempts of the same time measured. It is only read.
func (t *Tally) Contrast() *contrast.Sample { return t.contrast }

// Census counts attempts by variant. It is only read.
func (t *Tally) Census() *Census { return t.census }

// Elapsed is how long the sessions before the present one ran, and the present one too once it ended. A
// session that was killed counts until the last thing it recorded.
func (t *Tally) Elapsed() time.Duration {
	if t.s.Ended == nil && t.s.LastSeen.After(t.s.LastBegan.At) {
		return t.s.Elapsed + t.s.LastSeen.Sub(t.s.LastBegan.At)
	}
	return t.s.Elapsed
}

// Apply folds one journal payload. A kind of event that only a newer heisen knows changes no figure this
// one shows.
func (t *Tally) Apply(payload []byte) error {
	event, err := run.Decode(payload)
	switch {
	case errors.Is(err, run.ErrUnknownEvent):
		return nil
	case err != nil:
		return err
	}
	t.Add(event)
	return nil
}
