package sched

import (
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Follower is a thread whose descendants are recorded.
type Follower struct {
	recorder *Recorder
	tid      int32
	fds      []int
}

// Follow records every process the calling thread forks from now on, from its first moment, with all that
// those create. The caller has locked its goroutine to the thread (runtime.LockOSThread) and forks from
// it. It costs one descriptor per CPU, however many attempts there are.
func (r *Recorder) Follow() (*Follower, error) {
	f := &Follower{recorder: r, tid: int32(unix.Gettid())}
	if err := r.ask(func() { r.lines.lanes[f.tid] = true }); err != nil {
		return nil, err
	}
	for _, ring := range r.rings {
		fd, err := ring.follow()
		if err != nil {
			return nil, errors.Join(unavailable(err), f.Close())
		}
		f.fds = append(f.fds, fd)
	}
	return f, nil
}

// Close stops following, also for what the thread has forked already: the kernel frees inherited events
// with the one they came from. Finish recordings first.
func (f *Follower) Close() error {
	var errs []error
	for _, fd := range f.fds {
		errs = append(errs, unix.Close(fd))
	}
	f.fds = nil
	lines := f.recorder.lines
	return errors.Join(append(errs, f.recorder.ask(func() { delete(lines.lanes, f.tid) }))...)
}

// Recording is an attempt being recorded.
type Recording struct {
	recorder *Recorder
	key      int64
	story    *story // the reader's
}

// Attach names a process that a followed thread has forked: it is the main process of the attempt with
// this key. It is called before the process is reaped; forked is a time.Now() from before the fork, which
// tells it from an earlier process with the same number. Records from before the call are not missed, for
// up to 30 s. ErrBudget means that too many attempts are being recorded: this one goes without. Every
// Recording must be finished or detached.
func (r *Recorder) Attach(key int64, pid int, forked time.Time) (*Recording, error) {
	c := &Recording{recorder: r, key: key}
	if err := r.book(); err != nil {
		return nil, err
	}
	after := r.instant(forked)
	// Nobody waits for this letter, so the reader is not woken for it.
	if !r.post(func() { c.story = r.lines.claim(key, int32(pid), after) }, false) {
		r.giveBack()
		return nil, errClosed
	}
	return c, nil
}

// book takes one of the places for attempts.
func (r *Recorder) book() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.booked >= r.cfg.MaxAttempts {
		return ErrBudget
	}
	r.booked++
	return nil
}

func (r *Recorder) giveBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.booked--
}

// Finish reads the rings up to this moment and gives the record. It is called once, when the attempt's
// processes have ended. After Recorder.Close the record is empty.
func (c *Recording) Finish() Record {
	r := c.recorder
	defer r.giveBack()
	rec := Record{Key: c.key}
	_ = r.ask(func() {
		rec = c.story.record(r.now())
		r.lines.forget(c.story)
	})
	if byTime := func(a, b Event) int { return int(a.At - b.At) }; !slices.IsSortedFunc(rec.Events, byTime) {
		slices.SortStableFunc(rec.Events, byTime)
	}
	return rec
}

// Detach stops recording the attempt and forgets it, instead of Finish.
func (c *Recording) Detach() {
	r := c.recorder
	defer r.giveBack()
	_ = r.ask(func() { r.lines.forget(c.story) })
}
