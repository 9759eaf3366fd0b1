package journal

import (
	"errors"
	"fmt"
	"os"
	"time"

	"heisen/stress/durable"
)

// commitAll is the one committer: it takes all that waits, writes it as one batch, and tells those who
// wait. Every record costs its share of one write and one fdatasync.
func (j *Journal) commitAll() {
	defer close(j.committed)
	// Go 1.23 timers need no draining.
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for range j.wake {
		w, open := j.take(timer)
		if len(w.done) > 0 {
			err := j.commit(w)
			for _, done := range w.done {
				done(err)
			}
			j.recycle(w)
		}
		if !open {
			return
		}
	}
}

// take waits for company for the first record and then takes all that wait. False says that the journal is
// closed and these were the last.
func (j *Journal) take(timer *time.Timer) (waiting, bool) {
	if delay := j.patience(); delay > 0 {
		timer.Reset(delay)
		select {
		case <-timer.C:
		case <-j.full:
			timer.Stop()
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	w := j.waiting
	j.waiting, j.spare = j.spare, waiting{}
	// What these tokens told of was just taken; what comes from now on leaves new ones.
	drain(j.full)
	drain(j.wake)
	j.room.Broadcast()
	return w, !j.closed
}

// patience is how long the waiting records may still wait; records that came while the disk was busy have
// waited already.
func (j *Journal) patience() time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed || j.failed != nil || len(j.waiting.done) >= j.opts.CommitRecords {
		return 0
	}
	return j.opts.CommitDelay - time.Since(j.waiting.since)
}

// recycle keeps the buffers for the batch after the next.
func (j *Journal) recycle(w waiting) {
	clear(w.done)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.spare = waiting{payload: w.payload[:0], done: w.done[:0]}
}

func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}

// commit writes one batch, syncs it, and only then counts it as written. The error is what everybody in
// the batch gets.
func (j *Journal) commit(w waiting) error {
	if err := j.failure(); err != nil {
		return err
	}
	header := batchHeader{
		number:  j.at.batch,
		records: len(w.done),
		bytes:   len(w.payload),
		chain:   j.at.chain.next(w.payload),
	}
	j.frame = appendBatchHeader(j.frame[:0], header, w.payload)
	j.frame = append(j.frame, w.payload...)
	if err := j.write(j.frame); err != nil {
		return err
	}
	if err := j.sync(); err != nil {
		// Nobody was told of this batch, and nobody knows which of its pages reached the disk: a later opening
		// must not find it in the page cache and build on it. If even this fails, there is nothing left to do.
		_ = j.cut()
		return j.fail("sync", err)
	}
	j.offset += int64(len(j.frame))
	j.at.batch++
	j.at.chain = header.chain
	if j.offset >= j.opts.SegmentBytes {
		j.rotate()
	}
	return nil
}

// write puts a frame behind the last good batch. Whatever an unsuccessful write left is cut off again, so
// that the next batch does not follow a part of one. Only a full disk can be waited out.
func (j *Journal) write(frame []byte) error {
	err := j.opts.Failpoints.Hit(pointWrite)
	if err == nil {
		_, err = j.file.WriteAt(frame, j.offset)
	}
	if err == nil {
		return nil
	}
	if cutErr := j.cut(); cutErr != nil {
		return j.fail("write", errors.Join(err, fmt.Errorf("cut back: %w", cutErr)))
	}
	if durable.IsNoSpace(err) {
		return fmt.Errorf("%w: write %s: %w: free some space and resume", ErrNoSpace, rawPath(j.dir, j.at.segment), err)
	}
	return j.fail("write", err)
}

func (j *Journal) cut() error {
	if err := j.opts.Failpoints.Hit(pointTruncate); err != nil {
		return err
	}
	return j.file.Truncate(j.offset)
}

// sync makes the batch durable. It is called once for a batch: after a failed fdatasync the kernel has
// dropped the pages and calls them clean, so that a second call would succeed and lie.
func (j *Journal) sync() error {
	if err := j.opts.Failpoints.Hit(pointSync); err != nil {
		return err
	}
	if err := j.file.Datasync(); err != nil {
		return err
	}
	return j.opts.Failpoints.Hit(pointSynced)
}

// fail ends the journal for good. What was acknowledged is whole; what may still be behind it is a torn
// end that the next opening cuts.
func (j *Journal) fail(what string, err error) error {
	hint := "see the kernel log, move the campaign to a sound disk and resume"
	if durable.IsReadOnly(err) {
		hint = "mount the file system for writing and resume"
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failed = fmt.Errorf("%w: %s %s: %w: %s", ErrFailed, what, rawPath(j.dir, j.at.segment), err, hint)
	j.room.Broadcast()
	return j.failed
}

func (j *Journal) failure() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failed
}

// rotate begins the next segment and hands the full one to the sealer. The batch that filled it is on disk
// already, so a failure here is not that batch's: where space is short the segment just grows on and the
// next batch tries again; anything else ends the journal.
func (j *Journal) rotate() {
	next := j.at
	next.segment++
	path := rawPath(j.dir, next.segment)
	n, err := createSegment(j.dir, j.opts, next)
	if err != nil {
		if _, statErr := os.Lstat(path); durable.IsNoSpace(err) && errors.Is(statErr, os.ErrNotExist) {
			return
		}
		j.fail("begin the segment after", err)
		return
	}
	file, err := j.opts.open(path)
	if err != nil {
		j.fail("begin the segment after", err)
		return
	}
	// Every batch in it was synced, so closing it can lose nothing.
	_ = j.file.Close()
	j.file, j.offset, j.at = file, n, next
	j.sealer.seal(next.segment)
}

// createSegment makes a segment that holds only its header, durably, and returns its length.
func createSegment(dir string, opts Options, at position) (int64, error) {
	line := fileHeader{campaign: opts.Campaign, position: at}.segmentLine()
	err := durable.WriteFile(rawPath(dir, at.segment), line, opts.Failpoints.Under(pointRotate))
	return int64(len(line)), err
}
