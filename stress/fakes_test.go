package stress_test

import (
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress"
	"heisen/stress/run"
	"heisen/stress/tally"
)

// rig is an engine whose surroundings are all fake and all watched: every step of every attempt is
// written down in one list, in the order in which it happened.
type rig struct {
	mu       sync.Mutex
	steps    []step
	live     int
	mostLive int
	inUse    map[int]bool
	journal  [][]byte
	events   []run.Event

	// play is the test: what one execution does. It must follow ctl.
	play func(a run.Attempt, ctl *run.Control) run.Result
	// fault, when set, makes a step fail.
	fault func(s step) error
	// strays, when set, are what nobody can tell whose they were.
	strays func() run.Strays
}

// step is one thing that happened to one attempt.
type step struct {
	what string
	seq  int64
	try  int
	slot int
}

func newRig(play func(a run.Attempt, ctl *run.Control) run.Result) *rig {
	return &rig{inUse: map[int]bool{}, play: play}
}

// sync runs f alone, for what a test's play shares between attempts.
func (r *rig) sync(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *rig) note(s step) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fault != nil {
		if err := r.fault(s); err != nil {
			return err
		}
	}
	r.steps = append(r.steps, s)
	return nil
}

func (r *rig) Run(a run.Attempt, ctl *run.Control) run.Result {
	r.mu.Lock()
	r.live++
	r.mostLive = max(r.mostLive, r.live)
	r.mu.Unlock()
	res := r.play(a, ctl)
	r.mu.Lock()
	r.live--
	r.mu.Unlock()
	_ = r.note(step{"ran", a.Seq, a.Try, a.Slot})
	return res
}

func (r *rig) Archive(a run.Attempt, fin *run.Finished, _ *run.Result) (*run.Filed, error) {
	if err := r.note(step{"archived", a.Seq, a.Try, a.Slot}); err != nil {
		return nil, err
	}
	if fin.Outcome.Failed() {
		return &run.Filed{Signature: "s" + fin.Cause, Title: fin.Cause}, nil
	}
	return nil, nil
}

func (r *rig) Append(payload []byte) error {
	event, err := run.Decode(payload)
	if err != nil {
		return err
	}
	s := step{what: "session"}
	switch e := event.(type) {
	case run.Finished:
		s = step{"recorded", e.Seq, e.Try, e.Slot}
	case run.Retried:
		s = step{"retry recorded", e.Seq, e.Try, 0}
	}
	if err := r.note(s); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.journal = append(r.journal, payload)
	return nil
}

func (r *rig) Prepare(slot int) (string, error) {
	r.mu.Lock()
	if r.inUse[slot] {
		r.mu.Unlock()
		panic("a slot was lent twice")
	}
	r.inUse[slot] = true
	r.mu.Unlock()
	return "/tmp/slot", nil
}

func (r *rig) Release(slot int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.inUse[slot] {
		panic("a slot was released twice")
	}
	delete(r.inUse, slot)
	r.steps = append(r.steps, step{what: "released", slot: slot})
	return nil
}

func (r *rig) Emit(e run.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// engine builds an engine over the rig; the tally is what the rig's journal holds so far.
func (r *rig) engine(t *testing.T, spec run.Spec, change ...func(*stress.Config)) *stress.Engine {
	t.Helper()
	judge, err := run.NewJudge(spec.Oracle)
	require.NoError(t, err)
	folded := tally.New()
	for _, payload := range r.journal {
		event, err := run.Decode(payload)
		require.NoError(t, err)
		folded.Add(event)
	}
	clear(r.inUse) // a crash returns nothing
	cfg := stress.Config{
		Began:  run.Began{At: time.Now(), Campaign: "c", Epoch: 1, Session: 1, Spec: spec},
		Runner: r, Archiver: r, Journal: r, Workspace: r, Sinks: []stress.Sink{r},
		Judge: judge, Tally: folded, PortBase: 20000, CPUs: 2, Strays: r.strays,
	}
	for _, c := range change {
		c(&cfg)
	}
	return stress.New(cfg)
}

// engineWith is engine with a say in which attempts are wanted.
func (r *rig) engineWith(t *testing.T, spec run.Spec, admit func(int64) bool) *stress.Engine {
	t.Helper()
	return r.engine(t, spec, func(cfg *stress.Config) { cfg.Admit = admit })
}

// finished lists the journal's records of finished attempts.
func (r *rig) finished() []run.Finished {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []run.Finished
	for _, payload := range r.journal {
		if event, _ := run.Decode(payload); event != nil {
			if fin, ok := event.(run.Finished); ok {
				all = append(all, fin)
			}
		}
	}
	return all
}

// seqs are the numbers of the finished attempts, sorted.
func (r *rig) seqs() []int64 {
	var all []int64
	for _, fin := range r.finished() {
		all = append(all, fin.Seq)
	}
	slices.Sort(all)
	return all
}

func upTo(n int64) []int64 {
	var all []int64
	for i := int64(1); i <= n; i++ {
		all = append(all, i)
	}
	return all
}

func emitted[E run.Event](r *rig) []E {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []E
	for _, event := range r.events {
		if e, ok := event.(E); ok {
			all = append(all, e)
		}
	}
	return all
}

func spec(width int, stop run.Stop) run.Spec {
	return run.Spec{Width: width, Stop: stop, Ports: 4, Seed: 7,
		Timeout: run.TimeoutPolicy{Grace: 5 * time.Second}}
}

// takes is a test that needs so long and then ends as told, if nobody stops it before.
func takes(d time.Duration, end run.Ending) func(run.Attempt, *run.Control) run.Result {
	return func(a run.Attempt, ctl *run.Control) run.Result {
		res := run.Result{Started: time.Now(), Ending: end}
		timer := time.NewTimer(d)
		defer timer.Stop()
		for {
			orders, changed := ctl.Watch()
			if orders.Stop != run.StopNot {
				res.Ending = run.Ending{Signal: int(syscall.SIGTERM), SignalName: "SIGTERM", Stopped: true}
				break
			}
			select {
			case <-changed:
				continue
			case <-timer.C:
			}
			break
		}
		res.Wall = time.Since(res.Started)
		return res
	}
}

// inBubble runs a test with a clock of its own.
func inBubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }
