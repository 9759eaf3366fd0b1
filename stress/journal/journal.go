package journal

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Journal is a journal open for appending. It is safe for concurrent use.
type Journal struct {
	dir       string
	opts      Options
	recovered Recovery
	sealer    *sealer
	committed chan struct{} // closed when the committer has ended

	// The committer's own: nobody else touches these.
	file   segmentFile
	offset int64
	at     position
	frame  []byte
	spare  waiting

	mu sync.Mutex
	// room is signalled when the waiting records were taken, wake when there are some (or the journal is
	// closing), full when CommitRecords wait.
	room       *sync.Cond
	wake, full chan struct{}
	waiting    waiting
	closed     bool
	failed     error
}

// waiting are records that no batch holds yet.
type waiting struct {
	payload []byte
	done    []func(error)
	since   time.Time
}

// Open opens the journal in dir for appending, and makes it where there is none. What a crash left is put
// right first: a torn end is copied aside and cut (see Recovered), unfinished files are removed, segments
// that wait for sealing are sealed in the background. The caller holds the campaign's lock.
//
// Errors: one that wraps ErrCorrupt (a *CorruptError), ErrNewer (nothing was changed then), or that of the
// file system.
func Open(dir string, opts Options) (*Journal, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{
		dir:       dir,
		opts:      opts,
		wake:      make(chan struct{}, 1),
		full:      make(chan struct{}, 1),
		committed: make(chan struct{}),
	}
	j.room = sync.NewCond(&j.mu)
	if err := j.recover(); err != nil {
		return nil, fmt.Errorf("open journal %s: %w", dir, explain(err))
	}
	if j.file, err = opts.open(rawPath(dir, j.at.segment)); err != nil {
		return nil, fmt.Errorf("open journal %s: %w", dir, err)
	}
	j.sealer = startSealer(dir, opts, j.at.segment)
	go j.commitAll()
	return j, nil
}

// Append writes one record and returns when it is on disk. See Submit for the errors.
func (j *Journal) Append(payload []byte) error {
	result := make(chan error, 1)
	j.Submit(payload, func(err error) { result <- err })
	return <-result
}

// Submit takes one record (a line without a newline that does not begin with '#'; the bytes are copied) and
// calls done exactly once: with nil when the record is on disk, or with why it is not. Records are written
// in the order in which they are submitted and done is called in that order. It runs on the committer, so it
// must be short and must not wait for the journal; for a record that is refused at once it runs before
// Submit returns. Submit waits only while 4 MiB wait to be written.
//
// Errors given to done wrap ErrPayload, ErrClosed, ErrNoSpace (nothing written; the next may succeed) or
// ErrFailed (the journal is done for).
func (j *Journal) Submit(payload []byte, done func(error)) {
	if err := j.enqueue(payload, done); err != nil {
		done(err)
	}
}

func (j *Journal) enqueue(payload []byte, done func(error)) error {
	if err := checkPayload(payload); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.waiting.payload) >= backlog && j.failed == nil && !j.closed {
		j.room.Wait()
	}
	if j.failed != nil {
		return j.failed
	}
	if j.closed {
		return ErrClosed
	}
	w := &j.waiting
	w.payload = append(append(w.payload, payload...), '\n')
	w.done = append(w.done, done)
	switch len(w.done) {
	case 1:
		w.since = time.Now()
		signal(j.wake)
		if j.opts.CommitRecords == 1 {
			signal(j.full)
		}
	case j.opts.CommitRecords:
		signal(j.full)
	}
	return nil
}

// signal leaves a token that the committer finds at its next look; a second one says nothing new.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Recovered tells what Open put right.
func (j *Journal) Recovered() Recovery { return j.recovered }

// Close writes what waits, ends the committer, finishes the sealing and closes the file. It returns why
// the journal failed, if it has, and why a segment could not be sealed: that one is tried again at the next
// opening, nothing is lost with it.
func (j *Journal) Close() error {
	j.mu.Lock()
	first := !j.closed
	j.closed = true
	j.room.Broadcast()
	j.mu.Unlock()
	signal(j.wake)
	signal(j.full)
	<-j.committed
	sealErr := j.sealer.stop()
	if !first {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return errors.Join(j.failed, sealErr, j.file.Close())
}
