package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"heisen/stress/durable"
)

// sealer compresses full segments and writes snapshots, beside the committer and without holding it up. It
// keeps nothing in memory from one segment to the next: what there is to do is read from the folder, so that
// an interrupted sealing is simply done again.
type sealer struct {
	dir   string
	opts  Options
	ended chan struct{}
	kick  chan struct{}

	mu     sync.Mutex
	active int // the segment that is being written: all before it can be sealed
	closed bool
	err    error
}

// startSealer seals what an earlier process left unsealed, and then what it is told of.
func startSealer(dir string, opts Options, active int) *sealer {
	s := &sealer{dir: dir, opts: opts, active: active, ended: make(chan struct{}), kick: make(chan struct{}, 1)}
	signal(s.kick)
	go s.run()
	return s
}

// seal tells that a segment was begun, so that those before it are full.
func (s *sealer) seal(active int) {
	s.mu.Lock()
	s.active = active
	s.mu.Unlock()
	signal(s.kick)
}

// stop finishes the sealing and returns why the last try failed, if it did.
func (s *sealer) stop() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	signal(s.kick)
	<-s.ended
	return s.err
}

func (s *sealer) run() {
	defer close(s.ended)
	for range s.kick {
		s.mu.Lock()
		active, closed := s.active, s.closed
		s.mu.Unlock()
		err := s.sealBefore(active)
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
		if closed {
			return
		}
	}
}

// sealBefore seals every raw segment before the active one. A failure leaves the raw segments in place,
// where they do all that a sealed one does; the next call tries again.
func (s *sealer) sealBefore(active int) error {
	l, err := list(s.dir)
	if err != nil {
		return err
	}
	for _, n := range l.raw {
		if n >= active {
			break
		}
		if err := s.sealOne(n); err != nil {
			return fmt.Errorf("seal segment %d (it stays as it is, and is sealed at the next opening): %w", n, err)
		}
	}
	return nil
}

// sealOne compresses a segment, makes the snapshot after it and removes the raw file. Each step is durable
// before the next begins. The snapshot is folded from the compressed file, which so is verified as a whole
// before the raw one goes.
func (s *sealer) sealOne(n int) error {
	if err := s.compress(n); err != nil {
		return err
	}
	if err := s.snapshot(n); err != nil {
		return err
	}
	if err := s.opts.Failpoints.Hit(pointRemove); err != nil {
		return err
	}
	if err := os.Remove(rawPath(s.dir, n)); err != nil {
		return err
	}
	if err := durable.SyncDir(s.dir); err != nil {
		return err
	}
	return s.forget(n)
}

func (s *sealer) compress(n int) error {
	raw, err := os.Open(rawPath(s.dir, n))
	if err != nil {
		return err
	}
	defer raw.Close()
	return durable.Replace(sealedPath(s.dir, n), func(w io.Writer) error {
		return compress(w, raw)
	}, s.opts.Failpoints.Under(pointCompress))
}

// snapshot folds the records of segment n onto the newest snapshot before it.
func (s *sealer) snapshot(n int) error {
	fold, end, err := s.foldTo(n)
	if err != nil {
		return err
	}
	body, err := fold.Snapshot()
	if err != nil {
		return fmt.Errorf("make a snapshot: %w", err)
	}
	h := fileHeader{campaign: s.opts.Campaign, position: end}
	return writeSnapshot(snapshotPath(s.dir, n), h, body, s.opts.Failpoints.Under(pointSnapshot))
}

func (s *sealer) foldTo(n int) (Fold, position, error) {
	l, err := list(s.dir)
	if err != nil {
		return nil, position{}, err
	}
	snap, err := newestSnapshot(s.dir, l, n)
	if err != nil {
		return nil, position{}, err
	}
	var fold Fold
	if snap != nil {
		// A state this program cannot read (an older one wrote it) is made anew from the first record.
		if fold, err = s.opts.NewFold(snap.body); err != nil {
			snap = nil
		}
	}
	if snap == nil {
		if fold, err = s.opts.NewFold(nil); err != nil {
			return nil, position{}, fmt.Errorf("begin a fold: %w", err)
		}
	}
	w := newWalker(s.dir, l, snap, fold.Apply)
	w.campaign, w.last, w.whole = s.opts.Campaign, n, true
	err = w.run()
	return fold, w.at, err
}

// forget removes the snapshots before the newest, which is durable by now.
func (s *sealer) forget(newest int) error {
	l, err := list(s.dir)
	if err != nil {
		return err
	}
	if err := s.opts.Failpoints.Hit(pointForget); err != nil {
		return err
	}
	var errs []error
	for _, n := range l.snapshots {
		if n < newest {
			errs = append(errs, os.Remove(snapshotPath(s.dir, n)))
		}
	}
	return errors.Join(errs...)
}
